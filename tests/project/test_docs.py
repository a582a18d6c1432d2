"The docs: the real notebooks pass every check of .ci/docs.py, and each check finds what it is for."
import json, os, re, subprocess, sys
from pathlib import Path

import pytest

root = Path(__file__).parents[2]
pytest.importorskip("pypandoc")
yaml = pytest.importorskip("yaml")
if not (root/".ci/docs.py").is_file(): pytest.skip("needs the checkout", allow_module_level=True)
sys.path.insert(0, str(root/".ci"))
import docs, llms, pdf

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
BIB = "@book{lloyd1982,\n author = {Lloyd, Stuart},\n title = {Least squares},\n year = {1982}\n}\n"


SIDEBAR = """website:
  sidebar:
    - title: "Part I · The report"
      contents:
          - section: "First"
            contents:
              - 30_one.ipynb
    - title: "Part II · The software"
      contents:
          - section: "More"
            contents:
              - 31_other.ipynb
"""


def code(source, *outputs):
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "metadata": {}, "execution_count": None}

def shows(**data):
    kinds = {"png": "image/png", "html": "text/html", "markdown": "text/markdown", "plain": "text/plain"}
    return {"output_type": "display_data", "data": {kinds[k]: v for k,v in data.items()}, "metadata": {}}

def picture(label="fig-a", caption="A dot. It is a drawing."):
    source = "draw()"
    if caption: source = f'#| fig-cap: "{caption}"\n{source}'
    if label: source = f"#| label: {label}\n{source}"
    return code(source, shows(png=PNG))


def written(top, cells, name="30_one.ipynb", title="# One\n\n> `what` it is about."):
    "A notebook of Markdown strings and code cells."
    cells = [{"cell_type": "markdown", "source": c, "metadata": {}} if isinstance(c, str) else c
        for c in [title, *cells]]
    nb = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (top/"nbs"/name).write_text(json.dumps(nb), encoding="utf-8")


@pytest.fixture
def top(tmp_path):
    "A small project: one page to break, and another to link to."
    (tmp_path/"nbs/images").mkdir(parents=True)
    (tmp_path/"settings.ini").write_text(
        "[DEFAULT]\ntitle = tiny\nbranch = main\ngit_url = https://github.com/a/tiny\n"
        "doc_host = https://a.github.io\ndoc_baseurl = /tiny\n")
    (tmp_path/"nbs/_quarto.yml").write_text(SIDEBAR)
    (tmp_path/"nbs/references.bib").write_text(BIB)
    (tmp_path/"LICENSE").write_text("one line\n")
    written(tmp_path, ["## A place\n\nText."], "31_other.ipynb", "# Other\n\n> The other page.")
    return tmp_path


def site(top, *cells):
    written(top, cells)
    made = docs.Site(top/"nbs", top)
    made.render()
    return made


GOOD = ["@fig-a and [@fig-b; @tbl-c] after [@lloyd1982], by @eq-d and [-@eq-d]; see "
    "[there](31_other.ipynb#a-place), [here](#sums), [the licence](../LICENSE) and [it "
    "again](https://github.com/a/tiny/blob/main/LICENSE).",
    picture(),
    code('#| label: fig-b\n#| fig-cap: "Of $x^2$ and @lloyd1982, without data."\n#| code-fold: true\n'
        'draw_more()', {"output_type": "stream", "name": "stdout", "text": "said\n"}, shows(png=PNG)),
    "## Sums\n\n$$ \\sum_i x_i $$ {#eq-d}\n\n| a | b |\n|---|---|\n| 1 | @fig-b |\n\n: Numbers. {#tbl-c}",
    code("#| hide\nhidden_cell()"),
    code("#| echo: false\nunseen()", shows(html="<b>bold &amp; seen</b>", plain="plain")),
    code("table()", shows(markdown="### `a_function`\n\nWhat it does."))]


def test_a_page_of_everything(top):
    s = site(top, *GOOD)
    assert s.faults == []
    s.write(top/"out")
    html = (top/"out/one.html").read_text(encoding="utf-8")
    for there in ("<title>One – tiny</title>", "Figure\u00a01.1:", "Figure\u00a01.2:", "Table\u00a01.1:",
        ">Figure\u00a01.2</a>", ">Equation\u00a01.1</a>", '<a href="#eq-d" class="reference">1.1</a>',
        '<math display="block"', "<summary>Code</summary>", "<code>what</code> it is about.",
        "<b>bold &amp; seen</b>", "said", "What it does.", 'href="other.html#a-place"',
        'href="https://github.com/a/tiny/blob/main/LICENSE"', 'id="ref-lloyd1982"', 'aria-current="page">One'):
        assert there in html, there
    assert not re.search(r"hidden_cell|unseen|>plain<|@(fig|tbl|eq)-|\{#", html)
    assert (top/"out/files/one-2.png").read_bytes()[:4] == b"\x89PNG"
    assert "<p>Part I · The report › 1 First</p>" in html
    assert "References" not in (top/"out/other.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("cells, fault", [
    (["@fig-a is not there."], "@fig-a: there is no such label on the page"),
    (["@fig-a.", picture(), picture()], "fig-a: stands twice on the page"),
    (["As they say [@nobody2020]."], "@nobody2020: is not in the bibliography"),
    (["@fig-a and [@fig-a; @lloyd1982].", picture()], "cites and refers in one bracket"),
    ([code("x", shows(html="<b><td>so much that...</td></b>"))], "a table cuts its texts"),
    (["[There](32_gone.ipynb)."], "dead link: 32_gone.ipynb"),
    (["[There](../GONE.md)."], "dead link: ../GONE.md"),
    (["[There](31_other.ipynb#no-place)."], "dead link, the page has no such place: 31_other.ipynb#no-place"),
    (["[Here](#no-place)."], "dead link, the page has no such place: #no-place"),
    (["[There](https://a.github.io/tiny/gone.html)."], "dead link: https://a.github.io/tiny/gone.html"),
    (["[There](https://github.com/a/tiny/blob/main/gone.py)."],
        "dead link: https://github.com/a/tiny/blob/main/gone.py"),
    (['Raw <a href="gone.html">html</a>.'], "dead link: gone.html"),
    ([code("show()", shows(html='<img src="images/gone.png">'))], "missing image: images/gone.png"),
    (["![](images/gone.png)"], "the image images/gone.png has no caption"),
    ([picture(label="", caption="")], "a picture has neither label nor caption: draw()"),
    ([picture(label="")], "a cell has a caption and no label: A dot."),
    (["@fig-a.", code(
        '#| label: fig-a\n#| fig-cap: "A dot. It is a drawing."\nfig,ax = plt.subplots()\n'
        'ax.set(xlabel="time (s)")', shows(png=PNG))], "fig-a: the y axis has no name"),
    ([picture()], "fig-a: is never referred to"),
    ([picture(label="figure_a")], "figure_a: a label begins with fig-, tbl- or eq-"),
    (["@tbl-a.", code("#| label: tbl-a\ntable()", shows(html="<table><tr><td>1</td></tr></table>"))],
        "tbl-a: has no caption"),
    (["@tbl-a.", code('#| label: tbl-a\n#| tbl-cap: "Numbers, made up by hand."\ntable()')],
        "tbl-a: its cell shows nothing"),
    (["$$ x = 1 $$"], "an equation has no number: x = 1"),
    ([code("table()", shows(html="<table><tr><td>1</td></tr></table>"))],
        "a table has neither label nor caption: table()"),
    (["| a | b |\n|---|---|\n| 1 | 2 |"], "a table has neither label nor caption: ab12"),
    (["A formula $\\frac{1$ that ends too soon."], "TeX math"),
    (["It costs $ x$ to write."], "stray markup in the text: $"),
    (["There are\n- one\n- two"], "a list needs an empty line before it"),
    ([code('#| fig-cap: "no end\ndraw()')], "a directive cannot be read: #| fig-cap"),
    ([code("1/0", {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "division by zero",
        "traceback": []})], "a cell ended in an error: ZeroDivisionError"),
], ids=lambda x: re.sub(r"\W+", "-", x)[:40] if isinstance(x, str) else "")
def test_faults_are_found_and_named(top, cells, fault):
    faults = site(top, *cells).faults
    assert any(f.startswith("30_one.ipynb: ") and fault in f for f in faults), faults
    assert len(faults) <= 2, faults  # the fault, and not a flood behind it


def drawn(source, caption="300 points, one draw."):
    return ["See @fig-a.", code(f'#| label: fig-a\n#| fig-cap: "{caption}"\n{source}', shows(png=PNG))]

def table(cell="1", caption="300 points, one draw."):
    return ["See @tbl-a.", code(f'#| label: tbl-a\n#| tbl-cap: "{caption}"\ntable()',
        shows(html=f"<table><tr><td>{cell}</td></tr></table>"))]

NAMED = 'ax.set(xlabel="time (s)", ylabel="NMI")'
ONE, TWO = "fig,ax = plt.subplots()\n", "fig,axs = plt.subplots(1, 2)\n"
NO_SIZE = "its caption does not say how many clips, points or rows there are, or that it shows no data"
NO_SEEDS = "its caption does not say the seeds, or that nothing is random"


@pytest.mark.parametrize("cells, faults", [
    (drawn(ONE + NAMED), []),
    (drawn(ONE + 'ax.set_xlabel("duration (log scale)"); ax.set_ylabel("accuracy")'),
        ["fig-a: the x axis has no unit: duration (log scale)"]),
    (drawn(TWO + 'show_clusters(X, y, axs[1])'), []),
    (drawn(ONE + 'ax.axis("off")', "The method (a drawing)."), []),
    (drawn(ONE + NAMED, "Scores of the digits, seed 0."), [f"fig-a: {NO_SIZE}"]),
    (drawn(ONE + NAMED, "Scores of 3,000 spoken digits."), [f"fig-a: {NO_SEEDS}"]),
    (drawn(ONE + NAMED + "\nax.errorbar(x, y, s)"), ["fig-a: its caption does not say what the bars are"]),
    (table(), []),
    (table(caption="Clips, points and seeds as in @tbl-a."), []),
    (table(caption="The last five rows: the ten nearest clips; seed 0."), [f"tbl-a: {NO_SIZE}"]),
    (table("0.5 ± 0.1", "300 points, five seeds."), ["tbl-a: its caption does not say what ± is"]),
])
def test_the_norms_of_the_report(top, cells, faults):
    assert site(top, *cells).faults == [f"30_one.ipynb: {f}" for f in faults]
    written(top, ["## A place", *cells], "31_other.ipynb", "# Other\n\n> Beside the report.")
    assert site(top).faults == []


def test_a_label_stands_on_one_page_only(top):
    written(top, ["## A place\n\nSee @eq-a here.\n\n$$ x $$ {#eq-a}"], "31_other.ipynb", "# Other\n\n> The other page.")
    faults = site(top, "See @eq-a here.\n\n$$ y $$ {#eq-a}").faults
    assert faults == ["31_other.ipynb: eq-a: stands on 30_one.ipynb, too"]


def test_the_sidebar_and_the_folder_agree(top):
    written(top, [], "32_unlisted.ipynb")
    (top/"nbs/31_other.ipynb").unlink()
    assert site(top).faults == ["_quarto.yml: 31_other.ipynb is in the sidebar and not in the folder",
        "_quarto.yml: 32_unlisted.ipynb is not in the sidebar"]
    (top/"nbs/30_one.ipynb").write_text('{"cells": []}')
    with (top/"nbs/_quarto.yml").open("a") as f: f.write("              - 30_one.ipynb\n")
    (top/"nbs/references.bib").write_text("@book{lloyd1982,")
    made = docs.Site(top/"nbs", top)
    made.render()
    assert {"_quarto.yml: 30_one.ipynb is in the sidebar 2 times", "30_one.ipynb: the first cell has no title"} <= set(made.faults)
    assert any(f.startswith("references.bib: ") for f in made.faults)


def test_a_part_is_a_sidebar_and_the_report_is_one_of_them(top):
    yml = top/"nbs/_quarto.yml"
    start = '    - title: "Get started"\n      contents:\n        - index.ipynb\n    - title: "Part I'
    yml.write_text(SIDEBAR.replace('    - title: "Part I', start, 1).replace("          - section: \"More", "          - 32_alone.ipynb\n          - section: \"More"))
    for name in ("32_alone.ipynb", "index.ipynb"): written(top, [], name)
    assert site(top).faults == []
    assert llms.contents(top/"nbs") == [("Get started", "", ["index.ipynb"]), ("Part I · The report", "First", ["30_one.ipynb"]),
        ("Part II · The software", "", ["32_alone.ipynb"]), ("Part II · The software", "More", ["31_other.ipynb"])]
    assert llms.core(top/"nbs") == [("First", ["30_one.ipynb"])]
    assert [p.rel for p in docs.Site(top/"nbs", top).core] == ["30_one.ipynb"]


def test_the_words_of_the_report_are_counted(top, monkeypatch):
    prose = """# Two words

> Three short words.

Here $x + y = z$ is [a link](of/no/word.html) - `code` [@key]:

$$ a = b $$ {#eq-a}

```python
none of this
```

| not | this |
|---|---|
| 1 | 2 |

: Nor this. {#tbl-a}

End."""
    assert docs.count(prose) == 2 + 3 + 7 + 1
    s = site(top, "One two three.", code("no_word()"))
    assert s.words == 3 + 1 + 4 and [p.rel for p in s.core] == ["30_one.ipynb"]  # with title and sentence
    monkeypatch.setattr(docs, "MOST", 7)
    assert "the report has 8 words of prose, which is more than 7" in site(top, "One two three.").faults[0]


def test_the_real_notebooks_have_no_fault():
    s = docs.Site(root/"nbs")
    s.render()
    assert len(s.core) >= 30
    assert 10_000 < s.words <= docs.MOST
    assert list(dict.fromkeys(p.part for p in s.pages)) == ["Get started", "Part I · The report", "Part II · The software"]
    assert s.faults == []


@pytest.mark.slow
def test_the_whole_is_processed_and_checked(tmp_path):
    import shutil
    top = tmp_path/"checkout"
    left_out = ".git", ".venv", "_proc", "_docs", "_preview", "runs", "build", "tests"
    def ignored(folder, names):
        return [n for n in names if n.startswith(".mypy") or n in left_out and Path(folder) == root]
    shutil.copytree(root, top, symlinks=True, ignore=ignored)
    without_quarto = {**os.environ, "PATH": os.path.dirname(sys.executable)}
    def run():
        command = [sys.executable, "-W", "ignore", ".ci/docs.py"]
        return subprocess.run(command, cwd=top, capture_output=True, text=True, env=without_quarto)
    r = run()
    assert r.returncode == 0, r.stderr[-2000:]
    assert "docs: 0 faults" in r.stdout, r.stderr[-2000:]
    made = {p.relative_to(top/"_preview").as_posix() for p in (top/"_preview").rglob("*.html")}
    assert made == {p.out for p in docs.Site(root/"nbs").pages}
    nb = json.loads((top/"nbs/00_core/06_registry.ipynb").read_text(encoding="utf-8"))
    nb["cells"].insert(-1, code("import os\nwhat_no_cell_defines"))  # nbdev runs cells that import, and no others
    (top/"nbs/00_core/06_registry.ipynb").write_text(json.dumps(nb), encoding="utf-8")
    assert run().returncode == 1


TABLE = ('<table border="1" class="dataframe"><thead><tr><th></th><th>NMI</th></tr></thead>'
    '<tbody><tr><th>K &amp; co</th><td>0.5</td></tr></tbody></table>')
SOUND = '<audio controls="controls"><source src="data:audio/wav;base64,UklG" type="audio/wav" />no sound</audio>'


@pytest.fixture
def book(top):
    "A report of two chapters, a page alone and a section of two pages that refer to each other, beside another part."
    sidebar = SIDEBAR.replace('- section: "First"\n', '- 30_one.ipynb\n          - section: "More than one"\n')
    sidebar = sidebar.replace(f"{' '*14}- 30_one.ipynb\n", "".join(f"{' '*14}- {name}.ipynb\n" for name in ("32_two", "33_three")))
    (top/"nbs/_quarto.yml").write_text(sidebar)
    written(top, ["## Method\n\nSee [two](32_two.ipynb#a-place) and [the page](31_other.ipynb#a-place)."])
    written(top, ["## A place\n\nBack to [one](30_one.ipynb).", *GOOD, "And @tbl-e:",
        code('#| label: tbl-e\n#| tbl-cap: "Scores of `k`, made up by hand."\nscores = table()\nscores', shows(html=TABLE)),
        "It says little. `last` does nothing:", code("#| export\ndef last(): pass"), "## The end",
        code("play()", shows(html=SOUND))], "32_two.ipynb", "# Two\n\n> The second.")
    written(top, ["## A place\n\nIn $$ x = 1 $$ {#eq-z}\n\n@eq-z follows [two](32_two.ipynb)."],
        "33_three.ipynb", "# Three\n\n> The third.")
    return lambda: pdf.Book(docs.Site(top/"nbs", top))


def leads_nowhere(text):
    "The places that links of a text for Typst name, and that are not in it."
    return {a for a in re.findall(r"#link\(<([^>]+)>\)", text)} - set(re.findall(r"(?<!\()<([\w.:-]+)>(?!\))", text))


def test_the_report_as_one_text(book):
    pytest.importorskip("typst")
    made = book()
    for there in ("\n= One\n<one>", "\n== Method\n", "\n= More than one\n", "\n== Two\n<two>", "\n=== Sums\n<two--sums>",
        "\n=== A place\n<three--a-place>", '#numbered("2.2")[', "#link(<two--a-place>)[two]",
        '#link("https://a.github.io/tiny/other.html#a-place")[the page]', "Figure~2.1:", "Table~2.2:",
        "#link(<fig-b>)[Figure~2.2]", "<eq-d>", "<tbl-e>", "[K & co]", "scores = table()\nscores\n",
        "#link(<ref-lloyd1982>)", "[References]", "`last` does nothing.\n", 'image("two-'):
        assert there in made.text.replace("\u00a0", "~"), there
    assert not re.search(r"draw_more|hidden_cell|def last|no sound|<table|<audio|UklG|@fig|\?\?", made.text)
    assert leads_nowhere(made.text) == set()
    assert made.pdf()[:5] == b"%PDF-" and made.faults == []


def test_what_leads_nowhere_is_a_fault_of_the_pdf_too(top, book):
    written(top, ["See @fig-gone, as [@nobody2020] says."], "32_two.ipynb", "# Two\n\n> The second.")
    faults = "\n".join(book().faults)
    assert "@fig-gone: there is no such label" in faults and "@nobody2020: is not in the bibliography" in faults


@pytest.mark.slow
def test_the_real_report_is_set():
    pytest.importorskip("typst")
    made = pdf.Book(docs.Site(root/"nbs"))
    assert leads_nowhere(made.text) == set()
    assert len(re.findall(rb"/Type\s*/Page\b", made.pdf())) > 80 and made.faults == []


def test_columns_of_numbers_are_marked():
    import pandas as pd
    from mend import aligned
    def texts(html): return re.findall(r'class="number" style="text-align: right">(.*?)</t', aligned(html))
    table = pd.DataFrame({"method": ["a", "5 b"], "NMI": ["0.70 ± 0.10", "−0.8"], "clips": [1, 2000]})
    values = ["0.70 ± 0.10", "1", "−0.8", "2000"]
    assert texts(table.to_html(index=False)) == ["NMI", "clips", *values]
    marked = pd.DataFrame({"NMI": ["<b>0.70</b>", "0.55†", "–"], "gain": ["+0.30 (+0.15 to +0.45)", "10 → 11", "5 of 5"], "way": ["1.0", "0.9, Ward", "x"]})
    assert texts(marked.to_html(index=False, escape=False)) == ["NMI", "gain", *marked[["NMI", "gain"]].to_numpy().ravel()]
    rows = pd.concat({"x": table, "y": table}, axis=0).to_html()  # names of rows that span rows
    assert texts(rows) == ["NMI", "clips", *values*2]
    assert texts(pd.concat({"x": table}, axis=1).to_html())[:2] == ["NMI", "clips"]  # heads that span columns


def test_links_that_nbdev_makes_are_mended():
    index = {
        "p.one": {
            "p.one.assign": ("one.html#assign", "p/one.py"),
            "p.one.Fit.fit": ("one.html#fit.fit", "p/one.py")},
        "p.other": {
            "p.other.assign": ("other.html#assign", "p/other.py"),
            "p.other._own": ("other.html#_own", "p/other.py"),
            "p.other.all_alone": ("other.html#all_alone", "p/other.py"),
            "p.other.noise": ("other.html#noise", "p/other.py")}}
    cfg = {"doc_host": "https://a.github.io", "doc_baseurl": "/tiny", "git_url": "https://github.com/a/tiny",
        "branch": "main"}
    link = lambda name, page="other": f"[`{name}`](https://a.github.io/tiny/{page}.html#{name.lower()})"
    def mended(text, page="one.html"):
        nb = {"cells": [{"cell_type": "markdown", "source": text},
            {"cell_type": "code", "source": "", "outputs": [{"data": {"text/markdown": text}}]}]}
        cells = json.loads(docs.mend(json.dumps(nb), page, index, cfg))["cells"]
        source = cells[0]["source"]
        assert source == cells[1]["outputs"][0]["data"]["text/markdown"]
        assert source == "".join(source).splitlines(True)  # lists of lines, with their ends
        return "".join(source)
    assert mended(f"So {link('assign')} it.") == f"So {link('assign', 'one')} it."
    assert mended(f"So {link('assign')} it.", "third.html") == "So `assign` it."
    assert mended(link('all_alone')) == link('all_alone')
    assert mended(link("Fit.fit", "one")) == link("Fit.fit", "one")
    assert mended(link("_own")) == "`_own`" and mended(link("noise")) == "`noise`"
    assert mended(f"[{link('all_alone')}](31_other.ipynb)") == "[`all_alone`](31_other.ipynb)"
    in_code = f"```python\nx, # Of {link('all_alone')}\n```\n{link('all_alone')}"
    assert mended(in_code) == f"```python\nx, # Of `all_alone`\n```\n{link('all_alone')}"
    assert mended("[changes](../CHANGELOG.md)") == "[changes](https://github.com/a/tiny/blob/main/CHANGELOG.md)"


def test_a_figure_is_described_for_who_cannot_see_it():
    from mend import described
    code = ('#| label: fig-a\n#| fig-cap: "Two *curves* of 30 clips [@a2000]: the loss. Bars are ± one."\n'
        '#| code-fold: true\nplot()')
    once = described(code)
    assert once == code.replace("\n#| code-fold", '\n#| fig-alt: "Two curves of 30 clips"\n#| code-fold')
    assert described(once) == once
    assert described("plot()") == "plot()"


@pytest.fixture
def quarto(top, monkeypatch):
    "Render two pages by a stand-in for Quarto: faults and the folder of the site."
    if sys.platform == "win32": pytest.skip("needs a shell")
    def rendered(says="", status=0, html="fine", markdown="fine", css="", search=()):
        (top/"made").mkdir()
        for name in "one", "other":
            (top/f"made/{name}.html").write_text(html)
            (top/f"made/{name}.html.md").write_text(markdown)
        (top/"made/theme.css").write_text(css)
        (top/"made/search.json").write_text(json.dumps(search))
        (top/"bin").mkdir()
        (top/"bin/quarto").write_text(f"#!/bin/sh\ncp -r '{top}/made' _docs\nprintf '%b\\n' '{says}' >&2\nexit {status}\n")
        (top/"bin/quarto").chmod(0o755)
        monkeypatch.setenv("PATH", f"{top/'bin'}:/usr/bin:/bin")
        s = site(top)
        return docs.quarto(s.folder, top/"_docs", s.pages), top/"_docs"
    return rendered


@pytest.mark.parametrize("made, fault", [(dict(says="Output created: _docs/index.html"), None),
    (dict(says="\033[33mWARNING (crossref.lua:9) Unable to resolve crossref @fig-x\033[39m"),
        "Unable to resolve crossref @fig-x"),
    (dict(says="ERROR: no such file", status=1), "ended with status 1"),
    (dict(html="quarto-unresolved-ref"), "other.html holds a reference to nothing"),
    (dict(css=".quarto-unresolved-ref{font-weight:600}"), None),
    (dict(html='<p>—crossref: {"fig-labels": "1"}description: x—</p>'), "other.html prints crossref:"),
    (dict(html="<p>title: The verdict</p>"), "other.html prints title:"),
    (dict(html="<p>::: {.cell}</p>"), "other.html prints :::"),
    (dict(html="<p>Its title: none.</p>"), None)])
def test_quarto_is_taken_at_its_word(quarto, made, fault):
    faults, out = quarto(**made)
    assert faults == [] if fault is None else any(fault in f for f in faults)
    assert (out/"one.html").is_file() and (out/"llms.txt").is_file()


def test_the_search_shows_the_first_pages_first(quarto):
    hrefs = ["04_kmeans/lloyd.html#a", "start/recipes.html", "report/problem.html", "tutorials/field.html#b"]
    faults, out = quarto(search=[{"href": href, "text": "é"} for href in hrefs])
    assert faults == []
    assert [p["href"] for p in json.loads((out/"search.json").read_text(encoding="utf-8"))] == [hrefs[i] for i in (1, 3, 0, 2)]


def test_the_front_of_a_page_is_yaml_when_its_lines_are_joined():
    front = "---\ndescription: 'Which method\n  for what.'\ntitle: The verdict\n\n---\n\n"
    nb = {"cells": [{"cell_type": kind, "source": source} for kind,source in (("raw", front), ("markdown", "a\nb"), ("code", "a\n\nb"))]}
    cells = json.loads(docs.mend(json.dumps(nb), "one.html", {}, {"doc_host": "", "doc_baseurl": "", "git_url": "", "branch": ""}))["cells"]
    assert all(isinstance(c["source"], list) for c in cells)  # Quarto joins the lines of a text without their ends
    assert yaml.safe_load("".join(cells[0]["source"]).strip().strip("-")) == {"description": "Which method for what.", "title": "The verdict"}


def test_pages_of_quarto_load_nothing_from_elsewhere_and_lead_to_each_other(quarto):
    widgets = '<script src="https://cdn.example/npm/requirejs@2.3.6/require.min.js" integrity="a"></script>\n'
    own = '<script src="site_libs/a.js"></script><a href="https://example.org/">x</a>'
    faults, out = quarto(html=f'{widgets}{own}<img src="https://example.org/a.png">',
        css='@import"https://fonts.example/css2?family=A";.quarto-unresolved-ref {}',
        markdown='See [the\nother](31_other.ipynb#a), <a href="30_one.ipynb">one</a>, [none](99_none.ipynb).')
    assert [re.search(r"(\S+) loads (\S+),", f).groups() for f in faults] == [("one.html", "https://example.org/a.png"),
        ("other.html", "https://example.org/a.png"), ("theme.css", "https://fonts.example/css2?family=A")]
    assert (out/"one.html").read_text().startswith(own)
    assert (out/"one.html.md").read_text() == (
        'See [the\nother](other.html.md#a), <a href="one.html.md">one</a>, [none](99_none.ipynb).')


def test_faults_end_in_status_1(top, monkeypatch, capsys):
    monkeypatch.setattr(docs, "root", top)
    written(top, ["@fig-a is not there."])
    monkeypatch.setattr(docs.Site.__init__, "__defaults__", (top,))
    assert docs.main(["--check"]) == 1 and "30_one.ipynb: @fig-a" in capsys.readouterr().err
    written(top, [])
    assert docs.main(["--check"]) == 0
