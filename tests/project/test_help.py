"What `help()` says of each public class and function."
import importlib
import inspect
import subprocess
import sys

import numpy as np
import pytest

import audioclust
from audioclust import classical, encoders, ensembles, kmeans, pipeline, runs


def said(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def described(text, section):
    "The names in a section, each with a text below it."
    lines = text.partition(f"{section}\n{'-'*len(section)}\n")[2].partition("\n\n")[0].split("\n")
    assert all(about.startswith("    ") and about.strip() for about in lines[1::2])
    return set(lines[::2])


def test_help_says_what_each_parameter_is_for():
    of_method = described(inspect.getdoc(pipeline.AudioClusterer.fit), "Parameters")
    assert of_method == set(inspect.signature(pipeline.AudioClusterer.fit).parameters) - {"self"}
    for found in kmeans.KMeans, pipeline.AudioClusterer, runs.Request, audioclust.listen.to_sfz:
        assert described(inspect.getdoc(found), "Parameters") == set(inspect.signature(found).parameters)
    assert "shape (n, d)" in kmeans.KMeans.fit.__doc__ and "A run folder" in runs.Run.open.__doc__
    assert list(inspect.signature(kmeans.KMeans).parameters)[:2] == ["n_clusters", "init"]


def test_modules_of_the_package_need_no_docstrings_and_a_user_has_them_later(few, tmp_path):
    typed = ["cluster", str(few), "--out", str(tmp_path/"run"), "--n-clusters", "3", "--no-page", "-q"]
    assert said(f"""
import sys
from audioclust.cli.parser import main
assert main({typed}) == 0 and "fastcore.docments" not in sys.modules
from audioclust.runs import Options
print(Options.__doc__)""").count("Parameters\n---") == 1


@pytest.mark.parametrize("model", [kmeans.KMeans(3, random_state=0), classical.DBSCAN(), classical.HDBSCAN(4, n_axes=2),
    classical.MeanShift(), classical.AgglomerativeClustering(3), ensembles.Consensus(3, n_members=3, random_state=0),
    ensembles.SpectralClustering(3, n_members=3, random_state=0), encoders.Whiten(2)], ids=lambda model: type(model).__name__)
def test_help_and_dir_know_what_a_fitted_estimator_has(model):
    held = vars(model.fit(np.random.default_rng(0).normal(size=(40, 3)) + np.arange(40)[:, None] % 3*9))
    attributes = {name for name in held if name.endswith("_")}
    assert described(inspect.getdoc(type(model)), "Attributes") == attributes
    assert attributes | {"fit"} <= set(dir(model))


def test_dir_shows_the_public_names():
    for package in ("kmeans", "pipeline", "core", "cli"):
        module = importlib.import_module(f"audioclust.{package}")
        assert dir(module) == sorted(module.__all__)
    assert {"AudioClusterer", "kmeans"} <= set(dir(audioclust))
