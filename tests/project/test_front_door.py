"What the README and the first pages tell people to type exists, and what they link to is there."
import ast
import json
import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

from audioclust.cli.parser import COMMANDS, parser_of

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT/"nbs"
CONSTANTS = {"CATALOGUE", "NOT_OF_INTEREST", "THRESHOLDS"} # which no page can link to
pytestmark = pytest.mark.skipif(not NOTEBOOKS.is_dir(), reason="needs a checkout")


def cells_of(notebook): return json.loads((NOTEBOOKS/notebook).read_text(encoding="utf-8"))["cells"]

def shown_in(notebook):
    "The Markdown that the cells of a notebook show."
    outputs = [o for c in cells_of(notebook) for o in c.get("outputs", [])]
    return "".join("".join(o.get("data", {}).get("text/markdown", [])) for o in outputs)


def typed():
    "The commands of audioclust in the shell blocks of all pages: (page, arguments)."
    for path in sorted(NOTEBOOKS.rglob("*.ipynb")):
        for cell in cells_of(path):
            if cell["cell_type"] != "markdown": continue
            for block in re.findall(r"(?ms)^```bash\n(.*?)^```", "".join(cell["source"])):
                for line in block.replace("\\\n", " ").splitlines():
                    words = shlex.split(line.replace("\\", "/"), comments=True)
                    arguments = words[words.index("audioclust") + 1:] if "audioclust" in words else []
                    if arguments and not arguments[0].startswith(("git+", ".")): yield path.name, arguments


def test_every_command_of_the_pages_can_be_typed():
    for page, (name, *arguments) in typed():
        try: parser_of(name).parse_args(arguments)
        except SystemExit: pytest.fail(f"{page}: audioclust {name} {shlex.join(arguments)}")


def test_the_advice_of_the_verdict_can_be_typed(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT/"benchmarks"))
    from report_figures import text_of_tree
    options = re.findall(r"`(.+?)`", text_of_tree().data)
    assert len(options) > 5
    for option in options: parser_of("cluster").parse_args(["FOLDER", "--out", "RUN", *option.split()])


def test_the_recipes_use_every_command():
    used = {words[0] for page,words in typed() if page == "02_recipes.ipynb"}
    assert used == set(COMMANDS) - {"demo"}


def test_no_recipe_writes_where_another_wrote():
    recipes = [words for page,words in typed() if page == "02_recipes.ipynb" and "--resume" not in words]
    outs = [words[words.index("--out") + 1] for words in recipes if "--out" in words]
    assert [out for out in outs if outs.count(out) > 1] == []


def test_the_readme_is_short():
    text = re.sub(r"!\[[^\]]*\]|\]\([^)]*\)", "]", (ROOT/"README.md").read_text(encoding="utf-8"))
    assert 450 <= len(text.split()) <= 560
    first = text[:text.index("## ")]
    assert "pip install" in first and "audioclust cluster" in first and "listen.html" in first


def test_the_readme_links_to_pages_of_the_site_and_says_what_pictures_show():
    text, site = (ROOT/"README.md").read_text(encoding="utf-8"), "https://audioclust.github.io/audioclust/"
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^)]+)\)", text)
    notebooks = [p.relative_to(NOTEBOOKS).as_posix() for p in NOTEBOOKS.rglob("*.ipynb")]
    pages = {site, f"{site}audioclust.pdf", *(site + re.sub(r"\d+_(\w+)\.ipynb", r"\1.html", nb) for nb in notebooks)}
    assert {site, f"{site}audioclust.pdf", "LICENSE"} <= set(links) and not [at for at in links if ".ipynb" in at]
    assert {at.partition("#")[0] for at in links if at.startswith(site) and "/play/" not in at} <= pages
    for at in links: assert at.startswith("https://") or (ROOT/at).is_file(), at
    pictures = re.findall(r"(?m)^!\[(.*?)\]\((.*?)\)\n\n\*(.*)\.\*$", text)
    assert len(pictures) == 3
    for alt,at,below in pictures: assert alt.startswith(below) and (ROOT/at).is_file()


def test_all_places_say_the_same_version():
    version = re.search(r"(?m)^version = (\S+)", (ROOT/"settings.ini").read_text(encoding="utf-8"))[1]
    questions = "".join("".join(c["source"]) for c in cells_of("start/03_questions.ipynb"))
    assert f'left: "audioclust {version}"' in (ROOT/"_quarto.yml").read_text(encoding="utf-8")
    assert f"\nversion: {version}\n" in (ROOT/"CITATION.cff").read_text(encoding="utf-8")
    assert f"version = {{{version}}}" in questions
    assert f"\n## {version} " in (ROOT/"CHANGELOG.md").read_text(encoding="utf-8")


def test_the_index_has_every_public_name():
    shown = shown_in("start/04_api.ipynb")
    for face in sorted((ROOT/"audioclust").glob("*/__init__.pyi")):
        if face.parent.name == "cli": continue
        names = [a.name for node in ast.parse(face.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom) for a in node.names]
        part = shown.split(f"## audioclust.{face.parent.name}\n")[1].split("\n## ")[0]
        assert sorted(re.findall(r"- \[`(\w+)`\]", part)) == sorted(set(names) - CONSTANTS), face.parent.name


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    from audioclust.audio import synthetic_words
    for folder,seed in (("MY_RECORDINGS", 0), ("NEW_RECORDINGS", 1)): synthetic_words(2, 2, 4, random_state=seed).save(tmp_path/folder)
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"(?s)```python\n(.*?)```", (ROOT/"README.md").read_text(encoding="utf-8"))
    page = cells_of("12_pipeline/01_clusterer.ipynb")
    assert code in "".join("".join(c["source"]) for c in page[:6])  # its own page begins with the same lines
    said = {}
    exec(code, said)
    assert len(said["table"]) == len(said["assigned"]) == 16
    assert (tmp_path/"RUN/clusters.csv").is_file()


@pytest.fixture(scope="module")
def search():
    "What the site's search knows: title → places, in the order of the index."
    import sys
    pytest.importorskip("pypandoc")
    sys.path.insert(0, str(ROOT/".ci"))
    try: import docs
    finally: sys.path.pop(0)
    read = "start", "tutorials", "04_kmeans/04", "14_cli/commands"
    listed = [nb for *_,notebooks in docs.contents(NOTEBOOKS) for nb in notebooks if nb.startswith(read)]
    pages = [docs.Page(NOTEBOOKS/nb, NOTEBOOKS) for nb in listed]
    for page in pages:
        page.tree = {"blocks": []}
        if page.rel == "start/05_commands.ipynb": docs.read(page)
    there = {docs.page_of(nb.relative_to(NOTEBOOKS).as_posix()) for nb in NOTEBOOKS.rglob("*.ipynb")} | {*docs.MADE}
    assert {href.partition("#")[0] for href in docs.SIGNPOSTS} <= there
    for out in there - {page.out for page in pages} - {*docs.MADE}:
        pages.append(SimpleNamespace(out=out, part="", section="", title="", tree={"blocks": []}))
    found = {}
    for entry in docs.searched(pages): found.setdefault(entry["title"], []).append(entry["href"])
    return found


def test_the_search_knows_names_commands_and_what_people_look_for(search):
    assert search["KMeans"] == ["04_kmeans/estimator.html#kmeans"]
    assert search["AudioClusterer"] == ["12_pipeline/clusterer.html#audioclusterer"]
    for command in COMMANDS:
        assert f"start/commands.html#{command}" in search["Commands"]
        assert f"14_cli/commands/{command}.html" in search[command]
    first = {"install": "start/install.html", "birds": "tutorials/field.html", "bird": "tutorials/field.html",
        "field recordings": "tutorials/field.html", "samples": "tutorials/samples.html",
        "sample library": "tutorials/samples.html", "speakers": "tutorials/speech.html",
        "which method": "results/verdict.html#what-to-use", "how many clusters": "05_ensembles/n_clusters.html",
        "k-means": "04_kmeans/lloyd.html", "license": "start/questions.html#how-do-i-cite-it", "pdf": "audioclust.pdf",
        "API": "start/api.html"}
    for word,place in first.items(): assert search[word][0] == place, word


def test_the_page_of_commands_has_every_option(monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")  # lines end where those of the page do
    sections = re.split(r"(?m)^## (\w+)$", shown_in("start/05_commands.ipynb"))
    assert sections[1::2] == list(COMMANDS)
    for name,text in zip(COMMANDS, sections[2::2]):
        options = re.findall(r"(?<![\w-])--?[a-z][\w-]*", parser_of(name, shows_all=True).format_help())
        assert set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", text)) == set(options), f"{name}: run the page again"
        assert f"/{name}.html): {COMMANDS[name]}." in text


def test_extras_that_are_named_exist():
    settings = (ROOT/"settings.ini").read_text(encoding="utf-8")
    setup = (ROOT/"setup.py").read_text(encoding="utf-8")
    texts = [p.read_text(encoding="utf-8") for p in (*(ROOT/"audioclust").rglob("*.py"), *NOTEBOOKS.rglob("*.ipynb"))]
    named = {extra for text in texts for extra in re.findall(r"audioclust\[(\w+)\]", text)}
    assert {"media", "parquet", "annotations", "onnx"} <= named
    for extra in named: assert f'"{extra}"' in setup and f"\n{extra}_requirements = " in settings, extra


def test_files_of_a_run_that_the_questions_name_are_written(tmp_path):
    from audioclust.audio import synthetic_words
    from audioclust.pipeline import AudioClusterer
    questions = "".join("".join(c["source"]) for c in cells_of("start/03_questions.ipynb"))
    named = set(re.findall(r"`([\w.]+\.(?:csv|json|html))`", questions.split("## Which formats")[0])) - {"between.csv"}
    AudioClusterer(n_clusters=2).fit(synthetic_words(2, 2, 4).save(tmp_path/"words").path.tolist()).save(tmp_path/"run", page=True)
    assert named == {"listen.html", "clusters.csv", "errors.csv", "run.json"}
    assert all((tmp_path/"run"/name).is_file() for name in named)


def test_the_scores_of_the_readme_are_those_of_the_results(monkeypatch):
    (cell,) = (c for c in json.loads((NOTEBOOKS/"index.ipynb").read_text(encoding="utf-8"))["cells"] if "published.csv" in "".join(c["source"]) or "SPICE as published" in "".join(c["source"]) and c["cell_type"] == "code")
    monkeypatch.chdir(NOTEBOOKS)
    said = {}
    exec("".join(cell["source"]), said)
    assert "\n".join(said["lines"]) in (ROOT/"README.md").read_text(encoding="utf-8")
