"What the README and the first pages tell people to type exists, and what they link to is there."
import ast
import json
import re
import shlex
from pathlib import Path

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


def test_the_index_begins_with_the_main_names_and_their_parameters():
    shown = shown_in("start/04_api.ipynb")
    main = shown.split("## audioclust.")[0]
    assert re.findall(r"(?m)^### (.*)", main)[:2] == ["AudioClusterer", "AudioClusterer.fit"]
    assert "| `n_clusters` | int or str | `'auto'` |" in main and "\nReturns: dict. " in main
    assert [line for line in main.splitlines() if line.startswith("|") and len(re.findall(r"(?<!\\)\|", line)) != 5] == []
    assert "### KMeans" in main and re.search(r"## audioclust.kmeans\n\n.*\n\n- \[`KMeans`\]", shown)
    cells = ["".join(c["source"]) for name in ("start/04_api.ipynb", "start/05_commands.ipynb") for c in cells_of(name) if c.get("outputs")]
    assert all("#| output: asis\n" in cell for cell in cells)  # so that the contents of the page list the headings


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


def test_the_page_of_commands_has_every_option(monkeypatch):
    monkeypatch.setenv("COLUMNS", "76")  # lines end where those of the page do
    sections = re.split(r"(?m)^## (\w+)$", shown_in("start/05_commands.ipynb"))
    assert sections[1] == "cluster" and set(sections[1::2]) == set(COMMANDS)
    for name,text in zip(sections[1::2], sections[2::2]):
        assert max(map(len, text.split("```")[1].splitlines())) <= 76, f"{name}: a line is cut where the column ends"
        options = re.findall(r"(?<![\w-])--?[a-z][\w-]*", parser_of(name, shows_all=True).format_help())
        assert set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", text)) == set(options), f"{name}: run the page again"
        assert f"/{name}.html): {COMMANDS[name]}." in text


def test_the_cards_of_the_first_page_lead_to_a_run_and_a_tutorial(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT/".ci"))
    from readme import readme
    text = "".join(cells_of("index.ipynb")[1]["source"])
    cards = re.findall(r"(?ms)^::: \{\.one\}\n(.*?)^:::$", text)
    assert len(cards) == 3 and text.startswith("[![")
    for card in cards:
        assert len(re.findall(r"\]\(https://[^)]*/play/\w+\.html\)", card)) == 2
        assert re.search(r"\(tutorials/\w+\.ipynb\)", card)
        assert (NOTEBOOKS/re.search(r"images/[\w-]+\.png", card)[0]).is_file()
    plain = readme(NOTEBOOKS/"index.ipynb")  # GitHub knows no cards
    assert ":::" not in plain and "card-" not in plain and "*The page of a run of 3,000 spoken digits.*" in plain


def test_the_scores_of_the_readme_are_those_of_the_results(monkeypatch):
    codes = ["".join(cell["source"]) for cell in cells_of("index.ipynb") if cell["cell_type"] == "code"]
    (code,) = [code for code in codes if "GROUPINGS" in code]
    monkeypatch.chdir(NOTEBOOKS)
    said = {}
    exec(code, said)
    assert "\n".join(said["lines"]) in (ROOT/"README.md").read_text(encoding="utf-8")


SEARCHED = ["drum samples", "export to raven", "install windows", "wrong labels", "gpu", "cuda", "windows", "privacy", "compare methods",
    "name groups", "slurm", "birdnet", "number of groups", "speaker", "duplicates", "raven", "spectral", "embeddings"]

def text_of(page):
    "The text of a page as the search has it: links without their targets."
    cells = ["".join(c["source"]) for c in cells_of(page) if c["cell_type"] == "markdown"]
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", "\n".join(cells)).replace("*", "").lower()


@pytest.mark.parametrize("phrase", SEARCHED)
def test_the_search_leads_to_a_first_page(phrase):
    pages = [p.relative_to(NOTEBOOKS).as_posix() for name in ("start", "tutorials") for p in (NOTEBOOKS/name).glob("*.ipynb")]
    assert [page for page in pages if phrase in text_of(page)], "the search takes all words as one phrase"


def test_each_recipe_links_to_the_page_that_explains_it():
    text = "".join("".join(c["source"]) for c in cells_of("start/02_recipes.ipynb"))
    recipes = [p for p,block in zip(text.split("\n\n"), text.split("\n\n")[1:]) if block.startswith("```bash")]
    assert len(recipes) > 45 and [r for r in recipes if "](" not in r] == []
