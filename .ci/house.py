"""The rules of the house that can be counted, one line each; all faults are listed, and one fault fails `make check`.

    python .ci/house.py            every rule, on the whole repository
    python .ci/house.py 04_kmeans  the rules on notebooks, of one folder of nbs

Public names in a module and parameters of a function are printed and fail nothing.
"""
import ast
import json
import re
import statistics
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_NOTEBOOKS = 13  # in a folder
MOST_MODULE_LINES = 250
MOST_LINE = 120  # characters; one line in a hundred may have more
MOST_LONG_LINES = .01
MEDIAN_CELL, MOST_CELL, MOST_CLASS = 15, 40, 80  # lines of an exported cell; of one that is a whole class
MOST_BODY = 40  # lines of a function, without its signature and docstring
MOST_USED_ONCE = .45  # share of the private functions
LEAST_SHOWN = .8  # share of the public functions and classes that the next visible cell uses


def notebooks(folder=""):
    "Path and cells of each notebook."
    for path in sorted((ROOT/"nbs").glob(f"{folder or '*'}/**/*.ipynb")):
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


def folders_are_small(folder):
    "A folder has at most 13 notebooks."
    sizes = Counter(name.rsplit("/", 1)[0] for name, _ in notebooks(folder))
    return [f"{name}: {n} notebooks" for name, n in sizes.items() if n > MOST_NOTEBOOKS]


def modules_are_short(folder):
    "A module has at most 250 lines."
    return [f"{name}: {len(lines)} lines" for name, lines in modules() if len(lines) > MOST_MODULE_LINES]


def lines_are_short(folder):
    "A line has at most 120 characters, in the package and in the tests; one in a hundred may have more."
    tests = [(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8").splitlines())
             for path in sorted((ROOT/"tests").rglob("*.py"))]
    faults = []
    for files in list(modules()), tests:
        long = [f"{name}:{i}: {len(line)} characters" for name, lines in files for i, line in enumerate(lines, 1)
                if len(line) > MOST_LINE]
        if len(long) > MOST_LONG_LINES*sum(len(lines) for _, lines in files): faults += long
    return faults


def cells_are_short(folder):
    "An exported cell has 15 lines in the middle; none has more than 40, but a whole class, which has at most 80."
    lengths, faults = [], []
    for name, cells in notebooks(folder):
        for i in exported(cells):
            lines, body = code_lines(cells[i]), parsed(cells[i])
            lengths.append(len(lines))
            is_class = len(body) == 1 and isinstance(body[0], ast.ClassDef)
            if len(lines) > (MOST_CLASS if is_class else MOST_CELL): faults.append(f"{name}, cell {i}: {len(lines)} lines")
    if lengths and statistics.median(lengths) > MEDIAN_CELL:
        faults.insert(0, f"the exported cells have {statistics.median(lengths):g} lines in the middle")
    return faults


def cells_are_explained(folder):
    "Between two exported cells stands a sentence or an example; the code of a page of the report may begin with the sentence."
    return [f"{name}, cell {i} stands right below another exported cell" for name, cells in notebooks(folder)
            for i in exported(cells) if i - 1 in exported(cells) and not code_lines(cells[i])[0].startswith("# ")]


def functions_are_short(folder):
    "The body of a function has at most 40 lines."
    faults = []
    for name, lines in modules():
        for node in ast.walk(ast.parse("\n".join(lines))):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)): continue
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            n = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            if n > MOST_BODY: faults.append(f"{name}:{node.lineno}: {node.name} has {n} lines")
    return faults


def helpers_are_shared(folder):
    "At most 45 % of the private functions are used in one place."
    source = "\n".join("\n".join(lines) for _, lines in modules())
    defined = re.findall(r"^\s*def (_[a-z]\w*)", source, re.M)
    used = Counter(re.findall(r"\b_[a-zA-Z]\w*", source))
    once = sorted({name for name in defined if used[name] <= 2})
    if len(once) <= MOST_USED_ONCE*len(defined): return []
    return [f"{len(once)} of {len(defined)} private functions are used in one place: {', '.join(once)}"]


def names_are_shown(folder):
    "Four in five public functions and classes are used in the visible cell that follows, before the next exported cell."
    shown, missing = 0, []
    for name, cells in notebooks(folder):
        ours = exported(cells)
        for i, end in zip(ours, [*ours[1:], len(cells)]):
            following = [c for c in cells[i + 1:end] if c["cell_type"] == "code" and not has(c, "hide", "export", "exporti")]
            words = set(re.findall(r"\w+", " ".join("".join(c["source"]) for c in following)))
            for node in parsed(cells[i]):
                if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith("_"): continue
                if node.name in words: shown += 1
                else: missing.append(f"{name}, cell {i}: {node.name} is not used in the visible cell that follows")
    return missing if shown < LEAST_SHOWN*(shown + len(missing)) else []


RULES = (folders_are_small, modules_are_short, lines_are_short, cells_are_short, cells_are_explained,
         functions_are_short, helpers_are_shared, names_are_shown)
OF_NOTEBOOKS = folders_are_small, cells_are_short, cells_are_explained, names_are_shown


def sizes():
    "What is printed and fails nothing."
    public, parameters = Counter(), []
    for name, lines in modules():
        for node in ast.parse("\n".join(lines)).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"): public[name] += 1
            if isinstance(node, ast.FunctionDef): parameters.append(len(node.args.args) + len(node.args.kwonlyargs))
    many = ", ".join(f"{name} {n}" for name, n in public.most_common(3))
    return f"public names in a module: {statistics.median(public.values()):g} in the middle, at most {many}; " \
           f"parameters of a function: at most {max(parameters)}"


def main(folder=""):
    n_faults = 0
    for rule in OF_NOTEBOOKS if folder else RULES:
        faults = rule(folder)
        n_faults += len(faults)
        if faults: print(f"{rule.__doc__} {len(faults)} faults:", *faults, sep="\n  ")
    if not folder: print(sizes())
    return 1 if n_faults else 0


if __name__ == "__main__": sys.exit(main(*sys.argv[1:]))
