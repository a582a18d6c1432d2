"The rooms of the house: what a package may import, and what its face shows."
import ast
import importlib
import pkgutil
import re
from pathlib import Path

import audioclust

LAYERS = ["core", "audio", "metrics", "classical", "kmeans", "ensembles", "encoders", "training", "deepcluster",
    "nf_spice", "published", "runs", "pipeline", "listen", "cli"]
package = Path(audioclust.__file__).parent
files = {p.relative_to(package).with_suffix("").as_posix().replace("/", "."): p for p in package.rglob("*.py")
    if p.name != "_modidx.py"}


def imported(name, path):
    """The modules of ours that a file imports, in functions as well.

    Strings count, since `import_module` takes them; those of the registry are groups of entry points."""
    parents = name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = parents[:len(parents) - node.level + 1] if node.level else []
            if not node.level and (node.module or "").split(".")[0] != "audioclust": continue
            start = base + (node.module or "").removeprefix("audioclust").strip(".").split(".") if node.module else base
            start = [part for part in start if part]
            for alias in node.names:
                whole = ".".join([*start, alias.name])
                if whole in files: yield whole
                elif f"{whole}.__init__" in files: yield f"{whole}.__init__"
                else: yield ".".join(start)
        elif isinstance(node, ast.Import):
            yield from (a.name.removeprefix("audioclust.") for a in node.names if a.name.startswith("audioclust."))
        elif name != "core.registry" and isinstance(node, ast.Constant) and isinstance(node.value, str) and (
            found := re.fullmatch(r"audioclust\.([\w.]+?)(?::\w+)?", node.value)):
            yield found[1]


GRAPH = {name: {m for m in imported(name, path) if m and m != name} for name, path in files.items()}


def test_no_package_imports_a_later_one():
    def layer(module): return LAYERS.index(module.split(".")[0])
    known = {m: others for m, others in GRAPH.items() if m.split(".")[0] in LAYERS}
    assert len(known) > 60
    backwards = [f"{m} imports {o}" for m, others in known.items() for o in others if o.split(".")[0] in LAYERS
        and layer(o) > layer(m)]
    assert backwards == []


def test_no_circle_of_files():
    done, path, circles = set(), [], []
    def visit(module):
        if module in path:
            circles.append(" → ".join([*path[path.index(module):], module]))
            return
        if module in done or module not in GRAPH: return
        path.append(module)
        for other in sorted(GRAPH[module]): visit(other)
        path.pop()
        done.add(module)
    for module in sorted(GRAPH): visit(module)
    assert circles == []


def test_only_the_registry_imports_by_a_computed_name():
    computing = [name for name, path in files.items() if "import_module" in path.read_text(encoding="utf-8")]
    assert set(computing) <= {"core.registry"}


def test_each_face_shows_what_it_promises():
    faults = []
    for name in LAYERS:
        face = importlib.import_module(f"audioclust.{name}")
        if not face.__all__: faults.append(f"{name} shows nothing")
        for public in face.__all__:
            if not getattr(face, public).__doc__: faults.append(f"{name}.{public} has no docstring")
        modules = {m.name for m in pkgutil.iter_modules(face.__path__)}
        faults += [f"{name}.{m} is a module and a public name" for m in modules & set(face.__all__)]
    assert faults == []
