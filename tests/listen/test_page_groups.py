"The groups on the listening page: the tree, levels, both groupings, hours, stability."
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from browser import browser, of_rows, Page

from audioclust.cli import main
from audioclust.ensembles.levels import coarse_groups, tree_data
from audioclust.ensembles.resampling import Stability
from audioclust.listen import listen_page
from audioclust.pipeline import make_run
from audioclust.runs import Findings, Options, Request, Run
from audioclust.runs.run_folder import read_table


def parts(of): return {frozenset(c for c in of if of[c] == g) for g in of.values()}


# colour and shape of each point
LOOKS = "return Array.from({length: nClips}, (_, row) => [0, 1, 2, 4].map(i => looks[8*row + i]).join())"


@browser
def test_the_page_cuts_the_tree_as_python_does(many):
    with Page(many.folder/"listen.html") as page:
        X = np.array([[0.], [0], [1], [1], [1], [5], [9], [9]])  # joins of equal height
        of_run, of_X = (None, many.embeddings.X, many.clustering.labels), (tree_data(X, np.arange(8)), X, np.arange(8))
        for tree, points, labels in of_run, of_X:
            for n in (1, 2, 3, 4, 5, 7, 12, 17, 18, 40):
                cut = page.js("return [...cutTree(arguments[0] || data.views[0].tree, arguments[1])]", tree, n)
                got = {int(c): g for c,g in cut}
                assert got == coarse_groups(points, labels, n) and (tree or len(parts(got)) == min(n, 18))


@browser
def test_coarse_groups_open_filter_and_colour(many):
    labels = many.clustering.labels
    with Page(many.folder/"listen.html") as page:
        assert page.count("li.group") == 0 and page.find("#groups-bar").is_displayed()
        slider = page.find("#groups")
        assert slider.accessible_name == "Groups: all 18 clusters"
        slider.send_keys("\ue011"); slider.send_keys("\ue014\ue014\ue014")  # Home, then the arrow to the right: 5
        page.wait("return document.querySelectorAll('li.group').length === 5")
        assert slider.accessible_name == "Groups: 5 of 18 clusters"
        assert slider.get_attribute("aria-valuetext") == "5 of 18 clusters"
        of = coarse_groups(many.embeddings.X, labels, 5)
        rows = page.js("return [...document.querySelectorAll('#clusters > li')].map(r => r.textContent)")
        for g in range(5):
            assert f"group {g}{sum(o == g for o in of.values())} cluster" in rows[g]
            assert f", {sum(of.get(l) == g for l in labels)} clip" in rows[g]
        assert len(rows) == 6 and "noise" in rows[5]  # apart, in no group
        colours = page.js(LOOKS)
        for g in range(5): assert len({colours[i] for i in np.flatnonzero([of.get(l) == g for l in labels])}) == 1
        assert len(set(colours)) == 6
        heads = page.js("return [...document.querySelectorAll('[data-group]')].map(b => Number(b.dataset.group))")
        for g, c in enumerate(heads):  # in the order of the tree; a click filters, the focus stays
            page.js(f"document.querySelector('[data-group=\"{c}\"]').scrollIntoView({{block: 'center'}})")
            page.find(f'[data-group="{c}"]').click()
            assert sorted(page.js("return shownRows")) == np.flatnonzero([of.get(l) == g for l in labels]).tolist()
            assert page.js("return document.activeElement.dataset.group") == str(c)
            assert page.js("return document.activeElement.getAttribute('aria-pressed')") == "true"
            assert page.count("#selection .clip") == sum(o == g for o in of.values())
        page.find("#all").click()
        assert page.js("return shownRows.length") == len(labels)

        fold = page.find(f'[data-fold="{heads[2]}"]')
        assert fold.accessible_name == "Clusters of group 2" and fold.get_attribute("aria-expanded") == "false"
        fold.send_keys(" ")
        inside = page.js("""return [...document.querySelectorAll('li.inside [data-cluster]')]
            .map(b => Number(b.dataset.cluster))""")
        assert inside == sorted(c for c,g in of.items() if g == 2)
        assert page.js("return document.activeElement.getAttribute('aria-expanded')") == "true"
        inside = page.find("li.inside [data-cluster]")
        c = int(inside.get_attribute("data-cluster"))
        inside.click()
        assert page.js("return shownRows.length") == (labels == c).sum()
        for by in page.js("return [...$('sort-clusters').options].map(o => o.value)") + ["size"]: page.change("sort-clusters", by)
        order = page.js("return [...document.querySelectorAll('[data-group]')].map(b => groups.get(Number(b.dataset.group)))")
        sizes = [sum(of.get(l) == g for l in labels) for g in order]
        assert sizes == sorted(sizes, reverse=True)
        page.js("document.getElementById('all').click()")
        page.find("[data-group]").click()
        g = page.js("return groupOf(chosenGroup)")
        n_listed = page.count("#clusters > li")
        page.find("#search").send_keys("voice1")  # a search within the group
        rows = np.flatnonzero([of.get(l) == g and "voice1" in path for l,path in zip(labels, many.table.path)])
        page.wait(f"return shownRows.length === {len(rows)}")
        assert sorted(page.js("return shownRows")) == rows.tolist() and len(rows) > 0
        assert page.js("const n = $('clusters').children.length; $('search').value = ''; return n") < n_listed
        page.slide(18)
        assert page.count("li.group") == 0 and page.count("#clusters > li") == 19


@browser
def test_a_chosen_group_grows_and_names_and_merges_go_on(many):
    labels, X = many.clustering.labels, many.embeddings.X
    with Page(many.folder/"listen.html", "500,900") as page:
        page.slide(6)
        six = coarse_groups(X, labels, 6)
        at = int(page.js("return document.querySelector('[data-group]').dataset.group"))
        page.js(f"document.querySelector('[data-group=\"{at}\"]').click()")
        for n in (3, 10, 2):  # what is chosen is the group around it
            page.slide(n)
            of = coarse_groups(X, labels, n)
            assert sorted(page.js("return shownRows")) == np.flatnonzero([of.get(l) == of[at] for l in labels]).tolist()
        page.slide(6)
        page.js("""document.getElementById('all').click();
            const all = [...document.querySelectorAll('.fold')].map(b => b.dataset.fold);
            all.forEach(fold => document.querySelector(`[data-fold="${fold}"]`).click())""")
        assert page.count("li.inside") == 18
        a = 0
        b = next(c for c in six if six[c] != six[a])
        page.js(f"document.querySelector('[data-cluster=\"{a}\"]').click()")
        page.change("name", "<img src=x onerror=alert(1)>")
        page.js("document.querySelector('#all').click()")
        texts = page.js("return [...document.querySelectorAll('li.group small')].map(s => s.textContent).join()")
        assert "<img src=x onerror=alert(1)>" in texts and page.count("img") == 0
        page.js(f"document.querySelector('[data-cluster=\"{b}\"]').click()")
        page.change("merge", str(a))
        assert page.js(f"return [groupOf({a}), groupOf({b})]") == [six[a], six[a]]  # a merge goes before the tree
        assert sorted(page.js("return shownRows")) == np.flatnonzero(np.isin(labels, [a, b])).tolist()
        assert page.js("return document.documentElement.scrollWidth <= innerWidth")


@browser
def test_both_ways_on_one_page(words, tmp_path, capsys):
    folder, _ = words
    args = ["cluster", str(folder), "--out", str(tmp_path/"run"), "--by", "both", "--n-clusters", "6,4", "--stability", "0", "-q"]
    assert main(args) == 0
    assert "in common" in capsys.readouterr().out
    assert main(["assign", str(tmp_path/"run"), str(folder), "--out", str(tmp_path/"a.csv")]) == 2
    assert "say" in capsys.readouterr().err  # which of the two
    t = read_table(tmp_path/"run/both.csv")
    assert t.content.nunique() == 6 and t.source.nunique() == 4
    with Page(tmp_path/"run/listen.html") as page:
        assert page.count("#clusters > li") == 6
        page.change("view", "1")
        assert page.count("#clusters > li") == 4
        assert page.js("return places[10]") == pytest.approx(page.js("return data.views[1].x[5]"), abs=.01)
        page.slide(2)
        assert page.count("li.group") == 2 and page.find("#groups").get_attribute("max") == "4"
        page.change("view", "0")
        assert page.count("li.group") == 0 and page.find("#groups").get_attribute("max") == "6"  # a tree each
        page.slide(3)
        content = Run.open(tmp_path/"run/content")
        groups = coarse_groups(content.embeddings.X, content.clustering.labels, 3)
        assert {int(c): g for c,g in page.js("return [...groups]")} == groups
        page.js("document.querySelector('[data-group]').click()")
        assert page.js("return shownRows.length < nClips")
        page.change("view", "1")
        assert page.count("li.group") == 2
        assert page.js("return shownRows.length === nClips")  # what was chosen is of the other
        page.slide(4)
        cells = page.js("return [...document.querySelectorAll('#cross tr:has(td)')].map(r => [...r.cells].slice(1).map(c => +c.textContent || 0))")
        assert (np.array(cells) == pd.crosstab(t.content, t.source).to_numpy()).all()
        page.find('[data-cluster="1"]').click()
        page.find("#name").send_keys("Ann\n")
        (tmp_path/"edits.json").write_text(page.js("return showEdits()"))
    assert main(["listen", str(tmp_path/"run"), "--edits", str(tmp_path/"edits.json")]) == 0
    source = read_table(tmp_path/"run/source/clusters.csv")
    assert set(source.name[source.cluster == 1]) == {"Ann"}
    assert "name" not in read_table(tmp_path/"run/content/clusters.csv")


@browser
def test_levels_open_clusters_into_their_parts(words, tmp_path):
    made = make_run(words[0], Request(n_clusters="auto", encoder="fixed")).save(tmp_path/"run")
    assert [level.name for level in made.clustering.levels] == ["coarse", "fine"]
    with Page(listen_page(tmp_path/"run")) as page:
        table = read_table(tmp_path/"run/clusters.csv")
        texts = page.js("return [...document.querySelectorAll('#levels-bar button')].map(b => b.textContent)")
        n = {c: table[c].nunique() for c in ("cluster", "cluster_coarse", "cluster_fine")}
        assert texts == [f"coarse: {n['cluster_coarse']}", f"clusters: {n['cluster']}", f"fine: {n['cluster_fine']}"]
        page.find("#levels-bar button:last-child").click()  # all are opened
        assert page.find("#levels-bar button:last-child").get_attribute("aria-pressed") == "true"
        parts = page.js("return [...document.querySelectorAll('[data-part]')].map(b => b.dataset.part)")
        assert parts and {f"0:{part}" for part in table.cluster_fine.unique()} >= set(parts)
        page.find(f"[data-part='{parts[0]}']").click()
        rows = page.js("return shownRows")
        part = int(parts[0][2:])
        assert len(rows) == (table.cluster_fine == part).sum() and (table.cluster_fine[rows] == part).all()
        assert f"fine {part}, a part of cluster" in page.find("#selection").text
        assert page.js("return document.activeElement.dataset.part") == parts[0]  # the focus stays
        page.js("document.querySelectorAll('#levels-bar button')[1].click()")
        assert page.count("[data-part]") == 0 and page.js("return shownRows.length") == len(table)
        page.resize(420, 800)
        assert page.js("return document.documentElement.scrollWidth <= innerWidth")


@browser
def test_a_coarser_level_is_a_cut_of_the_tree(words, tmp_path):
    run = make_run(words[0], Request(n_clusters="auto", encoder="fixed"))
    # as an earlier run may have numbered them
    renumbered = tuple(replace(level, labels=99 - level.labels) for level in run.clustering.levels)
    replace(run, clustering=replace(run.clustering, levels=renumbered)).save(tmp_path/"run")
    with Page(listen_page(tmp_path/"run")) as page:
        page.js("document.querySelector('#levels-bar button').click()")
        cut = page.js("return data.views[0].labels.map(c => groupOf(c))")
        assert cut == read_table(tmp_path/"run/clusters.csv").cluster_coarse.tolist()


@browser
def test_a_cluster_shows_the_hours_of_its_clips(tmp_path, tone):
    for hour,hz in ((5, 300), (5, 310), (6, 305), (20, 2000), (21, 2100), (21, 1900)):
        tone(tmp_path/f"in/{hz}_20260512_{hour:02d}0000.wav", hz=hz)
    make_run(tmp_path/"in", Request(n_clusters=2, by="source", options=Options(stability=0))).save(tmp_path/"run")
    table = read_table(tmp_path/"run/clusters.csv")
    with Page(listen_page(tmp_path/"run")) as page:
        for c in (0, 1):
            page.js(f"choose({{cluster: {c}}})")
            hours = pd.to_datetime(table["time"][table.cluster == c]).dt.hour
            expected = hours.value_counts().reindex(range(24), fill_value=0)
            titles = page.js("return [...document.querySelectorAll('.hours span')].map(bar => bar.title)")
            assert [int(re.search(r": (\d+) clip", title)[1]) for title in titles] == expected.tolist()
            most = f"most, {expected.max()}, from {expected.idxmax()}:00"
            assert most in page.find(".hours").get_attribute("aria-label")


@browser
@pytest.mark.parametrize("chance, weak", [(.8, {1}), (.95, {0, 1})])
def test_a_group_that_is_not_stable_is_marked_by_what_chance_gives(run, tmp_path, chance, weak):
    "Chance is what the method reaches where there are no groups, and no fixed limit."
    few = Run.open(run/"run")
    labels = few.clustering.labels
    rows = np.flatnonzero(labels < 2)
    stability = Stability(.8, {0: .9, 1: .7}, np.full(len(rows), .8, np.float32), chance)
    some = replace(of_rows(few, rows, few.embeddings.X[rows], labels[rows]), findings=Findings(stability))
    with Page(listen_page(some, tmp_path/"page.html")) as page:
        assert page.js("return grouping().chance") == chance
        for theme in "light", "dark":
            colours = {}
            for c,value in {0: "0.90", 1: "0.70"}.items():
                word, said, title, colours[c] = page.js("""
                    const bar = document.querySelector(`[data-cluster="${arguments[0]}"]`).closest('li').querySelector('.stability');
                    const texts = [...bar.children].slice(1).map(child => child.textContent);
                    return [...texts, bar.title, getComputedStyle(bar).color]""", c)
                known = {0: "very stable", 1: "fairly stable"}[c]
                assert word == ("as by chance" if c in weak else known) and said == f"Stability {value}: {word}"
                assert title.startswith(said) and f"up to {chance:.2f}, chance does that" in title
            widths = page.js("return [...document.querySelectorAll('.stability .filled')].map(bar => bar.style.width)")
            assert widths == ["90%", "70%"]
            plain = page.js("return getComputedStyle(document.querySelector('.confidence')).color")
            assert {c for c,colour in colours.items() if colour != plain} == weak, (colours, plain)
            page.find("#theme").click()
