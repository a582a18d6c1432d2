"""Tables in the pages are what benchmarks/results holds now.

Cells that need nothing else are run again, and their output is compared with the one that is kept."""
import ast, builtins, json
from pathlib import Path

import pandas as pd
import pytest

nbs = Path(__file__).parents[2]/"nbs"
RESULTS = "benchmarks/results"
# which has a figure of them, and no table
PAGES = sorted(p for p in nbs.glob("[0-9]*.ipynb") if RESULTS in p.read_text(encoding="utf-8")
    and p.stem != "02_stream")


def names(tree):
    "Names that are bound anywhere in it, and names that are read."
    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    bound |= {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    bound |= {a.arg for n in ast.walk(tree) if isinstance(n, ast.arguments)
        for a in (*n.args, *n.kwonlyargs, n.vararg, n.kwarg) if a}
    bound |= {(a.asname or a.name).split(".")[0]
        for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names}
    return bound, {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}

def tables(page):
    """Label of each table that is made of results and imports alone.

    With it come the value that its cell has now, and the output that is kept."""
    space, known, made = {"__name__": "page"}, set(dir(builtins)), set()
    for cell in json.loads(page.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or any(w in source for w in ("nbdev_export()", "eval: false", "| slow")):
            continue
        tree = ast.parse(source)
        for node in tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                exec(compile(ast.Module([node], []), page.name, "exec"), space)
                known |= names(node)[0]
        bound, read = names(tree)
        if "| export" in source or not read - bound <= known or not (RESULTS in source or (read - bound) & made):
            continue
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
    monkeypatch.chdir(nbs)
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
    assert found


def test_a_table_of_other_results_is_noticed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path/RESULTS).mkdir(parents=True)
    (tmp_path/RESULTS/"a.csv").write_text("x,y\n1,2\n")
    def cell(source, value=None):
        outputs = [] if value is None else [dict(data={"text/html": [value._repr_html_()]})]
        return dict(cell_type="code", id="a", source=[source], outputs=outputs)
    cells = [cell("import pandas as pd"), cell("slow = train()"),
        cell(f"t = pd.read_csv('{RESULTS}/a.csv')\nt", pd.DataFrame(dict(x=[1], y=[2]))),
        cell("#| label: tbl-sum\nt.sum().to_frame()", pd.DataFrame([3, 4])), cell("slow, t")]
    (tmp_path/"a.ipynb").write_text(json.dumps(dict(cells=cells)))
    (one, a, kept), (two, b, old) = tables(tmp_path/"a.ipynb")
    assert (one, two) == ("a", "sum")
    assert a._repr_html_() == kept[0]["data"]["text/html"][0]
    assert b._repr_html_() != old[0]["data"]["text/html"][0]
