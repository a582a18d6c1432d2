"""The rules of the house that can be counted, one line each; all faults are listed, and one fault fails `make check`.

The totals of the project are printed; some of them have a limit.
"""
import ast
import json
import re
import statistics
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What the whole may have at most. A total that is undercut is lowered, and none is raised but by a feature that has to
# come and finds nothing dead to pay with. What has no limit is printed alone.
MOST = {
    "lines of the package": 26_219,
    "notebooks": 192,
    "notebooks in a folder with those below it": 20,
    "lines of tests": 19_360,
    "lines of benchmarks": 6_122,
    "lines of .ci": 1_100,
    "percent of functions used in one place": 35,
    "tuple assignments in a thousand lines": 16.8,
}
MOST_MODULE_LINES = 250
MOST_LINE = 120  # characters; one line in a hundred may have more
MOST_LONG_LINES = .01
MEDIAN_CELL, MOST_CELL, MOST_CLASS = 15, 40, 80  # lines of an exported cell; of one that is a whole class
MOST_BODY = 40  # lines of a function, without its signature and docstring
LEAST_SHOWN = .8  # share of the public functions and classes that the next visible cell uses


def notebooks():
    "Path and cells of each notebook."
    for path in sorted((ROOT/"nbs").glob("*/**/*.ipynb")):
        yield path.relative_to(ROOT).as_posix(), json.loads(path.read_text(encoding="utf-8"))["cells"]


def code_lines(cell):
    "The lines of a cell without its directives and the empty ones around them."
    return [line.rstrip("\n") for line in "".join(cell["source"]).strip().splitlines() if not line.startswith("#|")]


def has(cell, *directives):
    found = re.findall(r"^#\|\s*(\w+)", "".join(cell["source"]), re.M)
    return cell["cell_type"] == "code" and any(name in directives for name in found)


def parsed(cell):
    try: return ast.parse("\n".join(code_lines(cell))).body
    except SyntaxError: return []


def exported(cells):
    "Indices of the exported cells that hold more than imports."
    imports = ast.Import, ast.ImportFrom
    return [i for i, cell in enumerate(cells) if has(cell, "export", "exporti")
            and not all(isinstance(statement, imports) for statement in parsed(cell))]


def modules():
    "Path and lines of each exported module."
    for path in sorted((ROOT/"audioclust").rglob("*.py")):
        if path.name != "_modidx.py":
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8").splitlines()


def lines_below(folder):
    "How many lines of code the files below a folder have."
    files = [path for path in (ROOT/folder).rglob("*") if path.suffix in (".py", ".html") or path.name == "run"]
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)


def used_in_one_place():
    "Share of the top-level functions, public or private, that the package uses in one place, and that no face offers."
    source = "\n".join("\n".join(lines) for _, lines in modules())
    imports = r"^from [^\n]*import \([^)]*\)|^from [^\n]*import [^\n]*|^__all__ = \[.*?\]"
    uses = Counter(re.findall(r"\b[a-zA-Z_]\w*", re.sub(imports, "", source, flags=re.M | re.S)))
    faces = " ".join(path.read_text(encoding="utf-8") for path in (ROOT/"audioclust").rglob("*.pyi"))
    offered = set(re.findall(r"\w+", faces))
    functions = re.findall(r"^def ([a-zA-Z_]\w*)", source, re.M)
    return sum(uses[name] <= 2 and name not in offered for name in functions)/len(functions)


def is_tuple_assignment(node):
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple)


def totals():
    "What the whole has now, by name."
    folders = Counter(name.split("/")[1] for name, _ in notebooks())
    n_lines = sum(len(lines) for _, lines in modules())
    trees = [ast.parse("\n".join(lines)) for _, lines in modules()]
    tuples = sum(is_tuple_assignment(node) for tree in trees for node in ast.walk(tree))
    return {
        "lines of the package": n_lines,
        "notebooks": sum(folders.values()) + 1,  # with the first page
        "notebooks in a folder with those below it": max(folders.values()),
        "lines of tests": lines_below("tests"),
        "lines of benchmarks": lines_below("benchmarks"),
        "lines of .ci": lines_below(".ci"),
        "percent of functions used in one place": 100*used_in_one_place(),
        "tuple assignments in a thousand lines": 1000*tuples/n_lines,
    }


def totals_are_kept():
    "What comes pays with what goes: a total of the project is above its limit."
    return [f"{name}: {n:,.5g}, at most {MOST[name]:,.5g}" for name, n in totals().items()
            if n > MOST.get(name, float("inf"))]


def modules_are_short():
    "A module has at most 250 lines."
    return [f"{name}: {len(lines)} lines" for name, lines in modules() if len(lines) > MOST_MODULE_LINES]


def lines_are_short():
    "A line has at most 120 characters, in the package and in the tests; one in a hundred may have more."
    tests = [(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8").splitlines())
             for path in sorted((ROOT/"tests").rglob("*.py"))]
    faults = []
    for files in list(modules()), tests:
        long = [f"{name}:{i}: {len(line)} characters" for name, lines in files for i, line in enumerate(lines, 1)
                if len(line) > MOST_LINE]
        if len(long) > MOST_LONG_LINES*sum(len(lines) for _, lines in files): faults += long
    return faults


def cells_are_short():
    "An exported cell has 15 lines in the middle; none has more than 40, but a whole class, which has at most 80."
    lengths, faults = [], []
    for name, cells in notebooks():
        for i in exported(cells):
            lines, body = code_lines(cells[i]), parsed(cells[i])
            lengths.append(len(lines))
            is_class = len(body) == 1 and isinstance(body[0], ast.ClassDef)
            if len(lines) > (MOST_CLASS if is_class else MOST_CELL): faults.append(f"{name}, cell {i}: {len(lines)} lines")
    if lengths and statistics.median(lengths) > MEDIAN_CELL:
        faults.insert(0, f"the exported cells have {statistics.median(lengths):g} lines in the middle")
    return faults


def cells_are_explained():
    "Between two exported cells stands a sentence or an example; the code of a page of the report may begin with the sentence."
    return [f"{name}, cell {i} stands right below another exported cell" for name, cells in notebooks()
            for i in exported(cells) if i - 1 in exported(cells) and not code_lines(cells[i])[0].startswith("# ")]


def functions_are_short():
    "The body of a function has at most 40 lines."
    faults = []
    for name, lines in modules():
        for node in ast.walk(ast.parse("\n".join(lines))):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)): continue
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            n = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            if n > MOST_BODY: faults.append(f"{name}:{node.lineno}: {node.name} has {n} lines")
    return faults


def names_are_shown():
    "Four in five public functions and classes are used in the visible cell that follows, before the next exported cell."
    shown, missing = 0, []
    for name, cells in notebooks():
        ours = exported(cells)
        for i, end in zip(ours, [*ours[1:], len(cells)]):
            following = [c for c in cells[i + 1:end] if c["cell_type"] == "code" and not has(c, "hide", "export", "exporti")]
            words = set(re.findall(r"\w+", " ".join("".join(c["source"]) for c in following)))
            for node in parsed(cells[i]):
                if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith("_"): continue
                if node.name in words: shown += 1
                else: missing.append(f"{name}, cell {i}: {node.name} is not used in the visible cell that follows")
    return missing if shown < LEAST_SHOWN*(shown + len(missing)) else []


RULES = (totals_are_kept, modules_are_short, lines_are_short, functions_are_short, cells_are_short, cells_are_explained,
         names_are_shown)


def main():
    n_faults = 0
    for rule in RULES:
        faults = rule()
        n_faults += len(faults)
        if faults: print(f"{rule.__doc__} {len(faults)} faults:", *faults, sep="\n  ")
    print("; ".join(f"{name} {n:,.5g}" for name, n in totals().items()))
    return 1 if n_faults else 0


if __name__ == "__main__": sys.exit(main())
