"""Check the types of the package with mypy; with --stubs, write the stubs in which the checkers of users see patched methods.

A class that grows from cell to cell with fastcore's `@patch` is a riddle to every type checker. So a copy of the package is checked,
in which each patched function stands in its class; what another module adds is declared there. Faults are told by notebook and cell."""
import ast, os, re, subprocess, sys, tempfile
from importlib.metadata import metadata
from pathlib import Path

root = Path(__file__).resolve().parent.parent


def patched(tree):
    "The functions of a module that `@patch` adds to a class, each with the class and with the decorator of a method that does the same."
    for f in tree.body:
        for d in getattr(f, "decorator_list", []):
            if ast.unparse(d).split("(")[0] != "patch": continue
            told = {k.arg for k in getattr(d, "keywords", [])}
            yield f, f.args.args[0].annotation.id, d, "@classmethod" if "cls_method" in told else "@property" if "as_prop" in told else ""


def method(lines, f, d, instead):
    "The lines of a patched function as those of a method."
    first, lines = (d.lineno, lines[d.lineno-1:f.end_lineno])
    assert f.decorator_list[0] is d, f"{f.name}: let @patch be the first decorator"
    lines[0], a = instead, f.args.args[0]
    at = a.lineno - first
    lines[at] = lines[at][:a.col_offset + len(a.arg)] + lines[at][a.end_col_offset:]
    return ["    " + l if l else l for l in lines]


def declared(f, instead):
    "A method without its body."
    f = ast.parse(ast.unparse(f)).body[0]
    f.decorator_list = [d for d in f.decorator_list if not ast.unparse(d).startswith("patch")]
    f.args.args[0].annotation, f.body = None, ast.parse("raise NotImplementedError").body
    f.args.defaults, f.args.kw_defaults = [ast.Constant(...) for _ in f.args.defaults], [d and ast.Constant(...) for d in f.args.kw_defaults]
    names = {n.id for part in (f.args, f.returns, *f.decorator_list) if part for n in ast.walk(part) if isinstance(n, ast.Name)}
    return ["    " + l for l in [instead, *ast.unparse(f).splitlines()] if l], names


def bindings(tree, module):
    "How another module imports each name that this module has."
    found = {}
    for s in tree.body:
        if isinstance(s, (ast.Import, ast.ImportFrom)):
            for a in s.names: found[a.asname or a.name.split(".")[0]] = ast.unparse(ast.Import([a]) if isinstance(s, ast.Import) else ast.ImportFrom(s.module, [a], s.level))
        elif isinstance(s, (ast.ClassDef, ast.FunctionDef)): found[s.name] = f"from .{module} import {s.name}"
        elif isinstance(s, ast.Assign): found |= {n.id: f"from .{module} import {n.id}" for t in s.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return found


def merged(sources):
    "Modules (name → text) with their patched functions in their classes: name → lines, each with the module and line that it comes from; and the modules that hold such classes."
    trees = {m: ast.parse(t) for m,t in sources.items()}
    home = {c.name: m for m,t in trees.items() for c in t.body if isinstance(c, ast.ClassDef)}
    made, more, ahead = {}, {}, {}
    for m,t in trees.items():
        lines = sources[m].splitlines()
        made[m] = [(l, m, i) for i,l in enumerate(lines, 1)]
        for f,cls,d,instead in patched(t):
            where = more.setdefault(cls, [])
            if home[cls] == m:
                where += [(l, m, i) for i,l in enumerate(method(lines, f, d, instead), d.lineno)]
                for i in range(d.lineno-1, f.end_lineno): made[m][i] = ("", m, i + 1)
                continue
            stub, names = declared(f, instead)
            where += [(l, m, d.lineno) for l in stub]
            here = bindings(trees[home[cls]], home[cls])
            ahead.setdefault(home[cls], {}).update({how: (m, d.lineno) for n,how in bindings(t, m).items() if n in names and n not in here})
            if instead == "@classmethod":  # in its own module the function stays as it is, but for its first argument
                a = f.args.args[0].annotation; l = lines[a.lineno-1]
                made[m][a.lineno-1] = (l[:a.col_offset] + f"type[{cls}]" + l[a.end_col_offset:], m, a.lineno)
    for m,t in trees.items():
        for c in reversed(t.body):
            if isinstance(c, ast.ClassDef) and c.name in more and home[c.name] == m: made[m][c.end_lineno:c.end_lineno] = more[c.name]
        first = next((s.lineno - 1 for s in t.body if isinstance(s, (ast.Import, ast.ImportFrom))), 0)
        made[m][first:first] = [(how, *at) for how,at in ahead.get(m, {}).items()]
    return made, sorted({home[c] for c in more})


def place(sources, module, line):
    "Where a line of a module comes from: notebook, cell, and line there; the file itself where no notebook makes it."
    above = sources[module].splitlines()[:line]
    at = next((i for i in range(len(above), 0, -1) if above[i-1].startswith("# %% ../nbs/")), 0)
    if not at: return f"audioclust/{module}.py:{line}"
    notebook, cell = above[at-1][8:].split(" #")
    return f"{notebook} cell {cell} line {line - at} (audioclust/{module}.py:{line})"


def write(modules, folder):
    "A package of these modules (name → lines)."
    (folder/"audioclust").mkdir()
    for m,lines in {"__init__": [], **modules}.items(): (folder/"audioclust"/f"{m}.py").write_text("\n".join(lines) + "\n", encoding="utf-8")


def oldest(numpy=None):
    "The oldest Python that is ours to support and that the installed numpy knows: its types are riddles to a checker that takes them for those of an older one."
    asked = re.search(r">=\s*3\.(\d+)", numpy or metadata("numpy")["Requires-Python"] or "")
    return f"3.{max(10, int(asked[1]) if asked else 10)}"


def check(sources, folder, config=root/"pyproject.toml", cache=root/".mypy_cache"):
    "The faults that mypy finds in a copy of the package, which is written into a folder."
    made, _ = merged(sources)
    write({m: [l for l,_,_ in lines] for m,lines in made.items()}, folder)
    r = subprocess.run([sys.executable, "-m", "mypy", "--config-file", config, "--python-version", oldest(), "--cache-dir", cache, "--no-error-summary", "--no-pretty", "-p", "audioclust"], cwd=folder, capture_output=True, text=True, env={**os.environ, "MYPYPATH": str(folder)})
    if r.returncode > 1 or r.stderr.strip(): raise SystemExit(r.stderr + r.stdout)
    found = []
    for l in r.stdout.splitlines():
        m, n, text = re.match(r"audioclust/(\w+)\.py:(\d+): (.*)", l).groups()
        _, m, n = made[m][int(n) - 1]
        found.append(f"{place(sources, m, n)}: {text}")
    return found


def attributes(lines):
    "The lines of a module, in which each class names the public attributes that its methods set, which stubgen would leave out."
    for c in reversed(ast.parse("\n".join(lines)).body):
        if not isinstance(c, ast.ClassDef): continue
        known = {s.name for s in c.body if isinstance(s, ast.FunctionDef)} | {ast.unparse(s.target) for s in c.body if isinstance(s, ast.AnnAssign)}
        names = dict.fromkeys(n.attr for f in c.body if isinstance(f, ast.FunctionDef) for n in ast.walk(f) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and ast.unparse(n.value) == "self")
        lines[c.end_lineno:c.end_lineno] = [f"    {n}: Any" for n in names if n not in known and not n.startswith("_")]
    first = next(s.lineno - 1 for s in ast.parse("\n".join(lines)).body if isinstance(s, (ast.Import, ast.ImportFrom)))
    return [*lines[:first], "from typing import Any", *lines[first:]]


def stubs(sources, folder):
    "The stubs of the modules that hold patched classes, name → text."
    made, hosts = merged(sources)
    write({m: attributes([l for l,_,_ in made[m]]) for m in hosts}, folder)
    subprocess.run([sys.executable, "-c", "from mypy.stubgen import main; main()", "-q", "-o", "stubs", "audioclust"], cwd=folder, check=True)
    return {m: "# Made by make readme, for type checkers: the module with patched methods in their classes.\n" + (folder/"stubs"/"audioclust"/f"{m}.pyi").read_text(encoding="utf-8") for m in hosts}


def modules(package=root/"audioclust"): return {p.stem: p.read_text(encoding="utf-8") for p in sorted(package.glob("*.py"))}


if __name__ == "__main__":
    sources = modules()
    with tempfile.TemporaryDirectory() as tmp:
        if "--stubs" in sys.argv:
            made = stubs(sources, Path(tmp))
            for old in (root/"audioclust").glob("*.pyi"): old.unlink()
            for m,t in made.items(): (root/"audioclust"/f"{m}.pyi").write_text(t, encoding="utf-8")
            sys.exit()
        found = check(sources, Path(tmp))
    print("\n".join([*found, f"types: {len(sources)} modules, {sum(': error: ' in l for l in found)} faults"]))
    sys.exit(bool(found))
