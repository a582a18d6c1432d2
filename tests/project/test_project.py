"The project as a whole: what is imported when, what the wheel holds, that notebooks, README and requirements agree."
import configparser
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import audioclust

root = Path(__file__).parents[2]
notebooks = sorted(p for p in (root/"nbs").rglob("*.ipynb") if p.parent.name != "nbs"
    and ".ipynb_checkpoints" not in p.parts)
checkout = pytest.mark.skipif(not (root/"audioclust").is_dir(), reason="needs the checkout")


def imported(code):
    r = subprocess.run([sys.executable, "-W", "error::UserWarning", "-c",
        f"import sys; {code}; print(*sorted(m for m in sys.modules if '.' not in m))"], capture_output=True, text=True)
    assert r.returncode == 0 and r.stderr == "", r.stderr
    return set(r.stdout.split())


def test_import_is_quick_and_quiet():
    assert not imported("import audioclust") & {"torch", "numpy", "pandas", "fastai", "sklearn", "matplotlib"}
    assert not imported("import audioclust.kmeans, audioclust.metrics.plots, audioclust.classical.toy_data; "
        "from audioclust.metrics import score, plot_confusion; "
        "from audioclust.classical import DBSCAN, HDBSCAN, MeanShift, AgglomerativeClustering"
        ) & {"fastai", "torchaudio", "matplotlib"}
    assert not imported(
        "import audioclust.classical, audioclust.ensembles.consensus, audioclust.pipeline, "
        "audioclust.runs.resuming, audioclust.listen.figures, audioclust.listen") & {"fastai"}


def test_submodules_come_when_used():
    assert audioclust.kmeans.KMeans.__name__ == "KMeans"
    with pytest.raises(AttributeError, match="audioclust attribute nothing"): audioclust.nothing


TAKES = {"kmeans.KMeans": "n_clusters * init n_init max_iter tol reseed metric device random_state",
    "pipeline.AudioClusterer": "method n_clusters by ignore encoder random_state",
    "pipeline.AudioClusterer.fit": "self recordings",
    "pipeline.AudioClusterer.predict": "self recordings",
    "pipeline.AudioClusterer.save": "self folder",
    "pipeline.AudioClusterer.load": "path",
    "deepcluster.deepcluster_learner": "dls encoder n_clusters",
    "encoders.Encoder.embed": "self clips",
    **{f"{c}.{m}": "self" for c in ("deepcluster.DeepCluster", "nf_spice.NFSPICE", "kmeans.KMeans",
        "classical.DBSCAN", "classical.HDBSCAN", "classical.MeanShift", "classical.AgglomerativeClustering",
        "ensembles.SpectralClustering") for m in ("fit", "predict", "fit_predict", "save")}}

@pytest.mark.parametrize("name", TAKES)
def test_the_public_face_takes_what_it_promises(name):
    import functools, importlib, inspect
    module, *rest = name.split(".")
    named = functools.reduce(getattr, rest, importlib.import_module(f"audioclust.{module}"))
    taken = inspect.signature(named).parameters
    before, _, after = TAKES[name].partition("*")
    assert set(TAKES[name].split()) - {"*"} <= set(taken)
    assert list(taken)[:len(before.split()[:2])] == before.split()[:2]
    for n in after.split(): assert taken[n].kind == inspect.Parameter.KEYWORD_ONLY


def faults_of_form(nb):
    "What is wrong with the form of a notebook."
    cells = json.loads(nb.read_text(encoding="utf-8"))["cells"]
    first = "".join(cells[0]["source"])
    if not (cells[0]["cell_type"] == "markdown" and re.match(r"# \S.*\n\n> \S.*", first)):
        yield "has no title and one sentence"
    if "".join(cells[-1]["source"]) != "#| hide\n#| eval: false\nimport nbdev; nbdev.nbdev_export()":
        yield "does not end with the export"  # two processes that test notebooks must not both write the package
    if nb.stat().st_size >= 300_000: yield "is larger than 300 kB"
    said = "".join("".join(o.get("text", [])) for c in cells for o in c.get("outputs", []) if o.get("name") == "stderr")
    if re.search(r"^/.*\.py:\d+: ", said, re.M): yield "shows a warning with a path of the machine that ran it"


@checkout
def test_the_form_of_notebooks():
    assert len(notebooks) > 60
    assert {nb.name: found for nb in notebooks if (found := list(faults_of_form(nb)))} == {}


@checkout
def test_wheel_holds_the_package_and_the_command(tmp_path):
    pytest.importorskip("build")
    shutil.rmtree(root/"build", ignore_errors=True)  # setuptools would put in what an earlier version had there
    r = subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, root],
        capture_output=True, text=True)
    assert r.returncode == 0, r.stdout + r.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as z:
        names = z.namelist()
        meta = z.read(next(n for n in names if n.endswith("METADATA"))).decode()
        entry = z.read(next(n for n in names if n.endswith("entry_points.txt"))).decode()
    cfg = configparser.ConfigParser(delimiters=["="])
    cfg.read(root/"settings.ini")
    cfg = cfg["DEFAULT"]
    code = {n for n in names if n.startswith("audioclust/")}
    assert code == {p.relative_to(root).as_posix() for end in ("py", "pyi", "typed", "html", "css", "js")
        for p in (root/"audioclust").rglob(f"*.{end}")}
    assert not any(n.startswith(("tests", "nbs", "benchmarks")) for n in names)
    assert "audioclust=audioclust.cli.parser:main" in entry.replace(" ", "")
    assert f"Version: {cfg['version']}" in meta
    assert "Requires-Python: >=3.10" in meta
    required = {re.split(r"[<>=; ]", l.split(": ")[1])[0].lower() for l in meta.splitlines()
        if l.startswith("Requires-Dist") and "extra" not in l}
    assert required == {re.split(r"[<>=]", r)[0].lower() for r in cfg["requirements"].split()}
    assert "nbdev" not in required
    description = meta.split("\n\n", 1)[1]
    links = re.findall(r"\]\(([^)\s]+)\)", description)
    # a package index shows the README alone
    assert len(links) > 20
    assert [link for link in links if not re.match(r"https?:|#", link)] == []
    assert any(re.match(r"https://raw\..*\.png", link) for link in links)


@checkout
@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
@pytest.mark.parametrize("subject, status", [("a"*72, 0), ("a"*73, 1), ("", 1), ("Merge branch " + "a"*73, 0)])
def test_the_subject_of_a_commit_is_short(tmp_path, subject, status):
    (tmp_path/"message").write_text(f"{subject}\n\nWhy: {'b'*80}\n")
    assert subprocess.run(["sh", root/".ci/commit-msg", tmp_path/"message"], capture_output=True).returncode == status
