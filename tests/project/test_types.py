"Types: public functions say them. (mypy checks the package itself, in `make types`.)"
import ast
import importlib
import inspect
import pkgutil
import textwrap
from pathlib import Path

import audioclust


def public(module):
    "The public functions and methods of a module by name; without what a library's base class has named already."
    for name in module.__all__:
        o = getattr(module, name)
        if not inspect.isclass(o):
            if inspect.isfunction(f := inspect.unwrap(o)): yield name, f
            continue
        theirs = {k for base in o.__mro__ if not base.__module__.startswith("audioclust")
            for k in vars(base)} - {"__init__", "__call__", "fit", "transform", "predict", "score"}
        for k,f in vars(o).items():
            f = inspect.unwrap(getattr(f, "fget", None) or getattr(f, "__func__", f))
            is_ours = inspect.isfunction(f) and f.__module__.startswith("audioclust") and k not in theirs
            is_public = not k.startswith("_") or k in ("__init__", "__call__")
            if is_ours and is_public: yield f"{name}.{k}", f


def gives(node):
    "Does a function return or yield something?"
    for n in ast.iter_child_nodes(node):
        if isinstance(n, (ast.FunctionDef, ast.Lambda, ast.ClassDef)): continue
        if isinstance(n, (ast.Yield, ast.YieldFrom)): return True
        if isinstance(n, ast.Return) and n.value is not None and ast.unparse(n.value) != "None": return True
        if gives(n): return True
    return False


OF_COMMANDS = "Namespace", "argparse.Namespace", "Parser" # what was typed, and the parser of a command: the type says it


def untold(name, f):
    """What a function does not say.

    The type of a parameter; what a parameter is for, in a comment on its line; the type of what comes back."""
    if f.__qualname__.startswith("__create_fn__") or f.__code__.co_filename == "<string>":
        return  # dataclasses write it
    source = textwrap.dedent(inspect.getsource(f))
    lines = source.splitlines()
    node = ast.parse(source).body[0]
    if not isinstance(node, ast.FunctionDef) or f.__name__ == "encodes":
        return  # which fastcore calls by its annotations
    args = [a for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs) if a.arg not in ("self", "cls")]
    for a in args:
        if a.arg == "y" and f.__defaults__: continue  # scikit-learn's place for labels, ignored
        if a.annotation is None: yield f"{name}: what type has {a.arg}?"
        if a.annotation is not None and ast.unparse(a.annotation) in OF_COMMANDS: continue
        if "#" not in lines[a.end_lineno-1]: yield f"{name}: what is {a.arg} for?"
    if node.returns is None and gives(node): yield f"{name}: what type comes back?"


def test_public_functions_say_their_types():
    modules = [m.name for m in pkgutil.walk_packages(audioclust.__path__, "audioclust.") if not m.ispkg
        and "._" not in m.name]
    untyped = {m: found for m in modules if (found := [u for name,f in public(importlib.import_module(m))
        for u in untold(name, f)])}
    assert len(modules) > 60 and untyped == {}


def test_type_checkers_see_the_face_of_the_package():
    "A stub beside the package says its names, and an editable install is a path that type checkers follow."
    folder = Path(audioclust.__file__).parent
    stub = ast.parse((folder/"__init__.pyi").read_text(encoding="utf-8"))
    names = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert names == set(audioclust.__all__) >= {"AudioClusterer", "kmeans"} and (folder/"py.typed").is_file()
    setup = folder.parent/"setup.py"
    assert not setup.is_file() or 'package_dir={"": "."}' in setup.read_text(encoding="utf-8")
