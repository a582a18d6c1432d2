"What `help()` says of each public class and function: all that a user must know."
import ast
import functools
import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import audioclust
from audioclust import classical, encoders, ensembles, kmeans, pipeline, runs

PACKAGE = Path(audioclust.__file__).parent
SECTION = re.compile(r"^(Parameters|Attributes|Returns|Examples)\n-+\n", re.M)
ARRAY = re.compile(r"ndarray|Tensor|ArrayLike")
SHAPE = re.compile(r"\[.+\]|\(\w+[\w ,-]*\)")
UNIT = re.compile(r"\(s\)|[Ss]econds?\b|Hz|dB")
MEASURED = re.compile(r"seconds|sample_rate|window|duration|(start|end|min|max)_s$|.*_(hz|db)$")


def public():
    "The classes and functions of the packages' faces: (name, object)."
    for stub in [PACKAGE/"__init__.pyi", *sorted(PACKAGE.glob("*/__init__.pyi"))]:
        package = ".".join(stub.parent.relative_to(PACKAGE.parent).parts)
        for name in importlib.import_module(package).__all__:
            found = getattr(importlib.import_module(package), name)
            if inspect.isclass(found) or inspect.isroutine(found): yield f"{package}.{name}", found


def members(name, found):
    "A public object and, of a class, the public methods that are defined in this project."
    yield name, found
    if not inspect.isclass(found): return
    for base in found.__mro__:
        if not base.__module__.startswith("audioclust"): continue
        for key, method in vars(base).items():
            method = getattr(method, "__func__", method)
            if key.startswith("_") or key in getattr(base, "__dataclass_fields__", {}): continue
            if inspect.isfunction(inspect.unwrap(method)): yield f"{name}.{key}", method


def entries(text, title):
    "The entries of a section: name or type → (type, description); None without the section."
    parts = SECTION.split(text)
    if title not in parts: return None
    found = {}
    for block in re.split(r"\n(?=\S)", parts[parts.index(title) + 1].strip("\n")):
        head, _, about = block.partition("\n")
        name, _, kind = head.partition(" : ")
        found[name] = kind or name, " ".join(about.split())
    return found


def vague(name, kind, text):
    "What a description does not say: shapes of arrays, columns of tables, units of what is measured."
    if ARRAY.search(kind) and not SHAPE.search(text) and "random_state" not in name: yield "shape"
    if "DataFrame" in kind and not re.search("column|`|table|path, start", text, re.I): yield "columns"
    if MEASURED.match(name) and not UNIT.search(text): yield "unit"


def stored(tree):
    "The attributes that code sets: (of what, name)."
    return {(ast.unparse(node.value), node.attr) for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}


@functools.cache
def stored_in(module):
    "The attributes that each class of a module sets, and those that its functions set on a `model`."
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    classes = {node.name: stored(node) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    return classes, {name for owner, name in stored(tree) if owner == "model"}


def fitted(found):
    "The attributes that `fit` sets, in the class and its bases or in the functions beside them."
    for base in found.__mro__:
        if not base.__module__.startswith("audioclust"): continue
        classes, of_model = stored_in(base.__module__)
        names = {name for owner, name in classes[base.__name__] if owner == "self"} | of_model
        yield from (name for name in names if re.fullmatch(r"[a-z]\w*_", name))


def faults(name, found):
    "What the text of a public object lacks."
    text = inspect.getdoc(found) or ""
    given = entries(text, "Parameters") or {}
    is_class = inspect.isclass(found)
    for parameter in inspect.signature(found).parameters.values():
        key = parameter.name if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) else None
        if key is None or key in ("self", "cls"): continue
        kind, about = given.get(key, ("", ""))
        if not about: yield f"{name}: what is {key}?"
        yield from (f"{name}: the {fault} of {key}: {about}" for fault in vague(key, kind, about))
    if not is_class:
        returned, summary = inspect.signature(found).return_annotation, text.partition("\n")[0]
        if returned in (None, inspect.Signature.empty): return
        results = entries(text, "Returns")
        if not results: yield f"{name}: what does it return?"
        for kind, about in (results or {}).values():
            yield from (f"{name}: the {fault} of what it returns" for fault in vague("", kind, f"{about} {summary}"))
        return
    if "Examples" not in text: yield f"{name}: no example"
    known = entries(text, "Attributes") or {}
    for key, (kind, about) in known.items():
        if not about: yield f"{name}: what is its attribute {key}?"
        yield from (f"{name}: the {fault} of its attribute {key}: {about}" for fault in vague(key, kind, about))
    for key in sorted(set(fitted(found))):
        if key not in known: yield f"{name}: what is its attribute {key}?"


def test_help_says_all_of_each_public_name():
    names = [pair for name, found in public() for pair in members(name, found)]
    assert len(names) > 250
    assert sorted({fault for name, found in names for fault in faults(name, found)}) == []


def test_most_functions_have_an_example():
    lacking = {name for name, found in public() if "Examples" not in (inspect.getdoc(found) or "")}
    assert lacking <= {"audioclust.audio.embeddings_file",
        "audioclust.runs.check_file", "audioclust.runs.check_outside"}


@pytest.mark.parametrize("lacks, fault", [
    (r"(n_clusters : int, default 8)\n.*", "what is n_clusters?"),
    (r"(inertia_ : float)\n.*", "what is its attribute inertia_?"),
    (r"(?s)()\n\nExamples\n.*", "no example")])
def test_what_is_not_said_is_found(monkeypatch, lacks, fault):
    text = re.sub(lacks, r"\1", kmeans.KMeans.__doc__)
    assert text != kmeans.KMeans.__doc__
    monkeypatch.setattr(kmeans.KMeans, "__doc__", text)
    assert list(faults("KMeans", kmeans.KMeans)) == [f"KMeans: {fault}"]


def test_shapes_columns_and_units_are_asked_for():
    assert list(vague("X", "np.ndarray", "Rows")) == ["shape"] and not list(vague("X", "np.ndarray", "Rows [n, d]"))
    assert list(vague("clips", "pd.DataFrame", "What is heard")) == ["columns"]
    assert list(vague("window", "float", "Length")) == ["unit"] and not list(vague("window", "float", "Length (s)"))


def test_signatures_are_what_they_were():
    assert list(inspect.signature(kmeans.KMeans).parameters)[:2] == ["n_clusters", "init"]
    assert inspect.signature(pipeline.make_run).return_annotation is runs.Run


def test_methods_and_results_are_told_too():
    assert "shape (n, d)" in kmeans.KMeans.fit.__doc__ and "A run folder" in runs.Run.open.__doc__
    assert "numbers that users see" in runs.Clustering.__doc__


@pytest.mark.parametrize("model", [kmeans.KMeans(3, random_state=0), classical.DBSCAN(), classical.HDBSCAN(4, n_axes=2),
    classical.MeanShift(), classical.AgglomerativeClustering(3), ensembles.Consensus(3, n_members=3, random_state=0),
    ensembles.SpectralClustering(3, n_members=3, random_state=0), encoders.Whiten(2)], ids=lambda model: type(model).__name__)
def test_help_and_dir_know_what_a_fitted_estimator_has(model):
    found = vars(model.fit(np.random.default_rng(0).normal(size=(40, 3)) + np.arange(40)[:, None] % 3*9))
    attributes = {name for name in found if name.endswith("_")}
    assert set(entries(inspect.getdoc(type(model)), "Attributes")) - {"n_jobs"} == attributes
    assert attributes | {"fit"} <= set(dir(model))


def test_dir_shows_the_public_names():
    for package in ("kmeans", "pipeline", "core", "cli"):
        module = importlib.import_module(f"audioclust.{package}")
        assert dir(module) == sorted(module.__all__)
    assert {"AudioClusterer", "kmeans"} <= set(dir(audioclust))
