"The project as a whole: what is imported when, what the wheel holds, that notebooks, README and requirements agree."
import configparser, json, re, shutil, subprocess, sys, zipfile
from pathlib import Path

import pytest

root = Path(__file__).parents[2]
notebooks = sorted((root/"nbs").glob("[0-9]*.ipynb"))
checkout = pytest.mark.skipif(not (root/"audioclust").is_dir(), reason="needs the checkout")


def imported(code):
    r = subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", f"import sys; {code}; print(*sorted(m for m in sys.modules if '.' not in m))"], capture_output=True, text=True)
    assert r.returncode == 0 and r.stderr == "", r.stderr
    return set(r.stdout.split())


def test_import_is_quick_and_quiet():
    assert not imported("import audioclust") & {"torch", "numpy", "pandas", "fastai", "sklearn", "matplotlib"}
    assert not imported("import audioclust.metrics, audioclust.kmeans") & {"fastai", "torchaudio", "matplotlib"}
    assert not imported("import audioclust.classical, audioclust.ensembles.voting, audioclust.pipeline, audioclust.pipeline.resuming, audioclust.listen.figures, audioclust.listen") & {"fastai"}


def test_submodules_come_when_used():
    assert "torch" in imported("import audioclust; audioclust.kmeans.KMeans")
    r = subprocess.run([sys.executable, "-c", "import audioclust; audioclust.nothing"], capture_output=True, text=True)
    assert "has no attribute 'nothing'" in r.stderr


FACE = {"counts": "contingency accuracy match_clusters relabel purity rand_index ari per_cluster", "metrics": "contingency nmi ari accuracy match_clusters score", "em": "e_step m_step reseed kmeans minibatch", "whiten": "Whiten", "kmeans": "KMeans e_step m_step reseed kmeans minibatch", "classical": "DBSCAN HDBSCAN MeanShift AgglomerativeClustering estimate_eps estimate_bandwidth",
        "audio": "find_audio probe load_audio clips LogMel", "frontend": "LogMel frame_mask sounding", "datasets": "synthetic_sounds fsdd from_folder from_csv", "methods": "METHODS method_class make_clusterer restarts", "sources": "common_rate check_source", "bounds": "room claim clips_take training_takes", "moved": "moved", "kept": "load_clusterer load_whitening save_figure", "terminal": "shown say plain_warnings table_text report", "pipeline": "AudioClusterer", "encoders": "Encoder FixedEncoder Whiten", "loaders": "AudioDataLoaders",
        "consensus": "Consensus consensus", "spectral": "SpectralClustering shared_neighbours bridged spectral_axes", "logmels": "LogMels", "augment": "Views Dice", "networks": "NetworkEncoder", "neighbours": "NeighbourHeads scan_loss temi_loss", "even": "Even", "within": "WithinWhiten", "deepcluster": "DeepCluster deepcluster_learner", "crossed": "Crossed", "contrastive": "contrastive_learner SimCLR MoCo", "heads": "SelfHeads heads_learner double_softmax", "semi": "reliable semi_learner", "spice": "SPICE", "members": "confidence strangeness typicality", "stability": "resampled stability_of successors", "choose": "choose_k plot_choice", "names": "read_names write_names apply_edits", "stopped": "at_work state check_same", "evidence": "prediction_strength", "effects": "effects_available EffectsMel EffectsEncoder", "coarse": "tree_over coarse tree_data", "listen": "listen_page", "guidance": "advice explained", "pretrained": "PretrainedEncoder named_encoder", "compare": "compare save_comparison", "figures": "plot_silhouette plot_groups plot_dendrogram plot_again plot_curves write_figures", "both": "BothWays", "refined": "refine without", "auto": "pick_encoder", "exports": "to_audacity to_raven to_table sort_files similarity_order", "duplicates": "duplicates fingerprints"}

@pytest.mark.parametrize("module", FACE)
def test_the_public_face_is_there(module):
    import importlib
    m = importlib.import_module(f"audioclust.{module}")
    for name in FACE[module].split(): assert name in m.__all__ and getattr(m, name).__doc__


TAKES = {"kmeans.KMeans": "n_clusters * init n_init max_iter tol reseed metric device random_state", "pipeline.AudioClusterer": "method n_clusters by ignore encoder random_state", "pipeline.AudioClusterer.fit": "self source",
         "pipeline.AudioClusterer.predict": "self source", "pipeline.AudioClusterer.save": "self path", "pipeline.AudioClusterer.load": "path", "deepcluster.deepcluster_learner": "dls encoder n_clusters", "encoders.Encoder.embed": "self clips",
         **{f"{c}.{m}": "self" for c in ("deepcluster.DeepCluster", "spice.SPICE", "kmeans.KMeans", "classical.DBSCAN", "classical.HDBSCAN", "classical.MeanShift", "classical.AgglomerativeClustering", "spectral.SpectralClustering") for m in ("fit", "predict", "fit_predict", "save")}}

@pytest.mark.parametrize("name", TAKES)
def test_the_public_face_takes_what_it_promises(name):
    import functools, importlib, inspect
    module, *rest = name.split(".")
    taken, (before, _, after) = inspect.signature(functools.reduce(getattr, rest, importlib.import_module(f"audioclust.{module}"))).parameters, TAKES[name].partition("*")
    assert set(TAKES[name].split()) - {"*"} <= set(taken) and list(taken)[:len(before.split()[:2])] == before.split()[:2]
    for n in after.split(): assert taken[n].kind == inspect.Parameter.KEYWORD_ONLY


def test_every_module_is_listed_for_lazy_import():
    import audioclust
    made = {p.stem for p in Path(audioclust.__file__).parent.glob("*.py") if not p.stem.startswith("_")}
    assert made == set(audioclust._modules)


LATER = {"audio": {"frontend"}, "training": {"runs"}, "refined": {"kept"}}  # names had from where they were, files that are read and written safely, a run that is loaded

@checkout
def test_no_module_imports_a_later_one():
    order = {}
    for nb in notebooks:
        if exp := re.search(r'#\| default_exp (\w+)', nb.read_text()): order[exp.group(1)] = nb.name  # a page of results exports nothing
    for module, nb in order.items():
        others = re.findall(r"^from \.(\w+) import", (root/"audioclust"/f"{module}.py").read_text(), re.M)
        late = {o for o in others if order[o] >= nb}
        assert late <= {"moved", *LATER.get(module, ())}, f"{module} ({nb}) imports {late}"
    assert sum("from .rows import" in (root/"audioclust"/f"{m}.py").read_text() for m in order) > 1  # that is how exported modules say it


@checkout
@pytest.mark.parametrize("nb", notebooks, ids=lambda p: p.stem)
def test_notebook_form(nb):
    cells = json.loads(nb.read_text(encoding="utf-8"))["cells"]
    first = "".join(cells[0]["source"])
    assert cells[0]["cell_type"] == "markdown" and re.match(r"# \S.*\n\n> \S.*", first), "title and one sentence"
    assert "".join(cells[-1]["source"]) == "#| hide\n#| eval: false\nimport nbdev; nbdev.nbdev_export()"  # two processes that test notebooks must not both write the package
    assert nb.stat().st_size < 450_000
    text = "\n".join("".join(c["source"]) for c in cells)
    labels = re.findall(r"#\| label: ((?:fig|tbl)-\S+)", text) + re.findall(r"\{#((?:fig|tbl|eq)-[\w-]+)\}", text)
    assert len(labels) == len(set(labels))
    for l in labels:
        if l.startswith(("fig", "tbl")): assert re.search(rf"@{l}(?![\w-])", text), f"{l} is not referred to"
    for l in re.findall(r"@((?:fig|tbl|eq)-[\w-]+)", text): assert l in labels, f"@{l} points nowhere"


@checkout
def test_citations_are_in_the_bibliography():
    keys = re.findall(r"@\w+\{([\w-]+),", (root/"nbs/references.bib").read_text(encoding="utf-8"))
    assert len(keys) == len(set(keys)) and keys == sorted(keys)
    for nb in notebooks:
        for c in json.loads(nb.read_text(encoding="utf-8"))["cells"]:
            if c["cell_type"] != "markdown": continue
            for group in re.findall(r"\[([^\]]*@[^\]]*)\]", "".join(c["source"])):
                for key in re.findall(r"@([\w-]+)", group): assert key in keys or key.split("-")[0] in ("fig", "tbl", "eq"), f"{nb.name}: {key}"


@checkout
def test_links_between_chapters_lead_somewhere():
    for nb in [*notebooks, root/"nbs/index.ipynb"]:
        for link in re.findall(r"\]\(([\w.]+\.ipynb)", nb.read_text(encoding="utf-8")): assert (root/"nbs"/link).is_file(), f"{nb.name}: {link}"


@checkout
def test_sidebar_lists_every_chapter():
    listed = re.findall(r"- (\S+\.ipynb)", (root/"_quarto.yml").read_text())
    assert sorted(listed) == sorted(p.name for p in (root/"nbs").glob("*.ipynb"))
    assert (root/"nbs/_quarto.yml").resolve() == root/"_quarto.yml"


@checkout
def test_wheel_holds_the_package_and_the_command(tmp_path):
    pytest.importorskip("build")
    shutil.rmtree(root/"build", ignore_errors=True)  # setuptools would put in what an earlier version had there
    r = subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, root], capture_output=True, text=True)
    assert r.returncode == 0, r.stdout + r.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as z:
        names = z.namelist()
        meta = z.read(next(n for n in names if n.endswith("METADATA"))).decode()
        entry = z.read(next(n for n in names if n.endswith("entry_points.txt"))).decode()
    cfg = configparser.ConfigParser(delimiters=["="]); cfg.read(root/"settings.ini"); cfg = cfg["DEFAULT"]
    code = {n for n in names if n.startswith("audioclust/")}
    assert code == {p.relative_to(root).as_posix() for end in ("py", "pyi", "typed", "html", "css", "js") for p in (root/"audioclust").rglob(f"*.{end}")}
    assert not any(n.startswith(("tests", "nbs", "benchmarks")) for n in names)
    assert "audioclust=audioclust.cli:main" in entry.replace(" ", "") and f"Version: {cfg['version']}" in meta and "Requires-Python: >=3.10" in meta
    required = {re.split(r"[<>=; ]", l.split(": ")[1])[0].lower() for l in meta.splitlines() if l.startswith("Requires-Dist") and "extra" not in l}
    assert required == {re.split(r"[<>=]", r)[0].lower() for r in cfg["requirements"].split()}
    assert "nbdev" not in required


@checkout
def test_setup_does_not_need_pkg_resources():
    assert "pkg_resources" not in (root/"setup.py").read_text()
