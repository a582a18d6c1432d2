"""Tables in the pages are what benchmarks/results holds now.

Cells that need nothing else are run again, and their output is compared with the one that is kept."""
import ast, builtins, json, re
from pathlib import Path

import pandas as pd
import pytest

nbs = Path(__file__).parents[2]/"nbs"
RESULTS = "benchmarks/results"
OF_RESULTS = RESULTS, "reported.", "results("
PAGES = sorted(p for p in nbs.rglob("[0-9]*.ipynb") if "#| label: tbl-" in (text := p.read_text(encoding="utf-8"))
    and any(word in text for word in (RESULTS, "import reported")))
# their tables come from examples, their figures from results
OF_EXAMPLES = {"03_dbscan", "01_lloyd", "02_kmeans_ensemble", "08_n_clusters", "02_fixed", "11_joint",
    "01_contrastive", "07_fair", "05_seeds", "05_scan"}


def names(tree):
    "Names that are bound anywhere in it, and names that are read."
    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    bound |= {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    bound |= {a.arg for n in ast.walk(tree) if isinstance(n, ast.arguments)
        for a in (*n.args, *n.kwonlyargs, n.vararg, n.kwarg) if a}
    bound |= {(a.asname or a.name).split(".")[0]
        for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names}
    return bound, {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}

_NOT_RUN = "nbdev_export()", "eval: false", "| slow", "real_set(name)" # the last needs published sets

def tables(page):
    """Label of each table that is made of results and imports alone.

    With it come the value that its cell has now, and the output that is kept."""
    space, known, made = {"__name__": "page"}, set(dir(builtins)), set()
    for cell in json.loads(page.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or any(w in source for w in _NOT_RUN):
            continue
        tree = ast.parse(source)
        for node in tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                exec(compile(ast.Module([node], []), page.name, "exec"), space)
                known |= names(node)[0]
        bound, read = names(tree)
        of_results = any(word in source for word in OF_RESULTS) or (read - bound) & made
        if "| export" in source or not read - bound <= known or not of_results: continue
        value, body = None, tree.body
        if body and isinstance(body[-1], ast.Expr): *body, last = body
        else: last = None
        exec(compile(ast.Module(body, []), page.name, "exec"), space)
        if last is not None: value = eval(compile(ast.Expression(last.value), page.name, "eval"), space)
        known |= bound
        made |= bound
        if isinstance(value, (pd.DataFrame, pd.Series)) or hasattr(value, "_repr_html_"):
            yield source.split("tbl-")[1].split()[0] if "tbl-" in source else cell["id"], value, cell["outputs"]

@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_tables_are_those_of_the_results(page, monkeypatch):
    monkeypatch.chdir(page.parent)
    monkeypatch.syspath_prepend(nbs.parent/"benchmarks")
    monkeypatch.setenv("MPLBACKEND", "agg")
    found = 0
    try:
        for label,value,outputs in tables(page):
            kept = next(o["data"] for o in reversed(outputs) if "data" in o)
            now = value._repr_html_() if "text/html" in kept and hasattr(value, "_repr_html_") else repr(value)
            shown = "".join(kept["text/html" if "text/html" in kept else "text/plain"])
            assert shown.strip() == now.strip(), (
                f"{page.name}, {label}: the table was made of other results; run the page again")
            found += 1
    finally: pd.reset_option("display")  # a page may set them
    assert found or page.stem in OF_EXAMPLES
    assert len(PAGES) > 30

CARDS = { # page of a method card: points, method and score of its two numbers, or of its four
    "03_classical/03_dbscan": [("fixed", "dbscan", "nmi")], "03_classical/04_hdbscan": [("fixed", "hdbscan", "nmi")],
    "03_classical/05_mean_shift": [("fixed", "meanshift", "nmi")],
    "03_classical/06_agglomerative": [("fixed", "agglomerative", "nmi")],
    "04_kmeans/01_lloyd": [("fixed", "kmeans", "nmi")], "06_encoders/02_fixed": [("fixed", "kmeans", "nmi")],
    "05_ensembles/02_kmeans_ensemble": [("fixed", "consensus", "nmi")],
    "05_ensembles/04_spectral": [("fixed", "spectral", "nmi")],
    "05_ensembles/08_n_clusters": [("fixed", "kmeans, number chosen", "clusters"), ("fixed", "kmeans", "k")],
    "06_encoders/11_joint": [("auto", "kmeans", "nmi")],
    "06_encoders/06_networks": [("untrained", "consensus", "nmi")],
    "08_deepcluster/05_estimator": [("trained", "deepcluster", "nmi")],
    "09_nf_spice/01_contrastive": [("steps", "nf-spice", "nmi_consensus")],
    "09_nf_spice/02_heads": [("trained", "spice", "nmi_heads")],
    "09_nf_spice/04_fixmatch": [("trained", "spice", "nmi_heads"), ("trained", "spice", "nmi")],
    "09_nf_spice/06_nonredundant": [("steps", "nf-spice", "nmi_consensus"), ("steps", "nf-spice", "nmi_nonredundant")],
    "09_nf_spice/07_fair": [("steps", "nf-spice", "nmi_nonredundant"), ("steps", "nf-spice", "nmi_fair")],
    "09_nf_spice/10_estimator": [("trained", "nf-spice", "nmi")],
    "10_published/04_spice": [("trained", "spice", "nmi"), ("trained", "scan", "nmi")]}

def text_of(page):
    return ["".join(c["source"]) for c in json.loads((nbs/f"{page}.ipynb").read_text(encoding="utf-8"))["cells"]]

def test_method_cards_say_what_the_results_say(monkeypatch):
    monkeypatch.chdir(nbs/"results")
    monkeypatch.syspath_prepend(nbs.parent/"benchmarks")
    import reported
    steps = reported.steps_of_today().assign(points="steps", method="nf-spice")
    runs = pd.concat([reported.all_runs(), steps])
    with_card = {p.relative_to(nbs).with_suffix("").as_posix() for p in nbs.glob("*/[0-9]*.ipynb")
        if "**Fails when**" in p.read_text(encoding="utf-8")}
    assert with_card == set(CARDS)
    for page,columns in CARDS.items():
        card = next(t for t in text_of(page) if "**Fails when**" in t)
        values = "".join(re.findall(r"\*\*(?:NMI|Number)[.*].*", card))
        number = r"([0-9]+(?:[.][0-9]+)?)"
        said = {name: re.findall(f"{name} {number}(?: and {number})?", values, re.I) for name in ("digits", "machines")}
        for name,word in (("spoken digits", "digits"), ("machines", "machines")):
            told = [float(v) for pair in said[word] for v in pair if v]
            mean = [reported.pick(runs, name, "content", p, m)[score].mean() for p,m,score in columns]
            assert len(told) == len(mean), (page, name, told, mean)
            for t,m in zip(told, mean): assert abs(t - m) < (.06 if m > 2 else .0051), (page, name, told, mean)
