"""Record what the code computes at fixed seeds, and compare two such records.

    python benchmarks/golden.py record FOLDER          # about two minutes on two cores
    python benchmarks/golden.py compare FOLDER FOLDER  # exit status 1 where something differs

A record is a flat table of named values: labels, embeddings, centres and scores of every method, the files of run folders,
the data of the listening page, exports. Names of modules do not occur in it, so that code can be moved between two records.
"""
import argparse
import contextlib
import hashlib
import importlib
import io
import json
import os
import pkgutil
import re
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed

import numpy as np
import pandas as pd
import torch

ROOT = Path(tempfile.gettempdir())/"audioclust-golden"  # the same for each record: paths are part of the results
BRIEF = {"deepcluster": ["--epochs", "2", "--set", "passes=1", "--set", "views=2"],
         "nf-spice": ["--epochs", "2", "--set", "views=2", "--set", "match_epochs=2", "--set", "head_epochs=1", "--set", "heads=2"]}
VOLATILE = {"schema", "made"}  # differ from run to run
TRAINED = r"deepcluster|nf-spice|untrained"


def find(name):
    "A public function or class, wherever it lives."
    import audioclust
    for module in pkgutil.walk_packages(audioclust.__path__, "audioclust."):
        if re.search(r"__main__|\.cli\b|errands|commands", module.name): continue  # commands share names with what they call
        found = getattr(importlib.import_module(module.name), name, None)
        if found is not None and getattr(found, "__module__", module.name) == module.name: return found
    raise LookupError(f"nothing in audioclust is called {name}")


class Record:
    "Named arrays and texts."
    def __init__(self): self.arrays, self.texts = {}, {}

    def add(self, name, value):
        "Keep a value; of a dict, each entry by itself."
        if isinstance(value, dict):
            for key, v in value.items(): self.add(f"{name}/{key}", v)
        elif isinstance(value, (np.ndarray, torch.Tensor)): self.array(name, np.asarray(value))
        elif isinstance(value, pd.DataFrame): self.add(name, {c: value[c].to_numpy() for c in value})
        elif isinstance(value, (bool, int, float, np.generic)): self.arrays[name] = np.asarray(value)
        elif isinstance(value, (list, tuple)) and value and all(isinstance(v, (int, float)) for v in value): self.array(name, np.asarray(value))
        else: self.texts[name] = str(value).replace(str(ROOT), "ROOT")

    def array(self, name, value):
        if value.dtype.kind in "OUS": self.texts[name] = "\n".join(map(str, value.ravel().tolist())).replace(str(ROOT), "ROOT")
        else: self.arrays[name] = value

    def save(self, folder):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(folder/"arrays.npz", **self.arrays)
        (folder/"texts.json").write_text(json.dumps(self.texts, indent=0, sort_keys=True))

    @classmethod
    def load(cls, folder):
        self = cls()
        with np.load(Path(folder)/"arrays.npz") as arrays: self.arrays = {k.removesuffix(".npy"): arrays[k] for k in arrays}
        self.texts = json.loads((Path(folder)/"texts.json").read_text())
        return self


def blobs(n=240, k=5, d=12):
    "Points in overlapping groups, and the truth."
    rng = np.random.default_rng(3)
    truth = rng.integers(0, k, n)
    return (rng.normal(size=(k, d))[truth]*1.4 + rng.normal(size=(n, d))).astype(np.float32), truth


def estimators(record):
    "Every clusterer that trains nothing, on fixed points."
    X, _ = blobs()
    new = X[:20] + .05
    for name, arguments in dict(KMeans=dict(n_clusters=5), DBSCAN=dict(eps=3.2), HDBSCAN=dict(min_cluster_size=8), MeanShift=dict(), AgglomerativeClustering=dict(n_clusters=5),
                                Consensus=dict(n_clusters=5, n_members=8), SpectralClustering=dict(n_clusters=5)).items():
        kind = find(name)
        if "random_state" in kind().get_params(): arguments = dict(arguments, random_state=0)
        model = kind(**arguments).fit(X)
        record.add(f"estimators/{name}", {k: v for k, v in vars(model).items() if k.endswith("_") and isinstance(v, (np.ndarray, int, float, torch.Tensor))})
        record.add(f"estimators/{name}/predict", np.asarray(model.predict(new)))
    model = find("KMeans")(7, init="random", random_state=2).fit(X)
    record.add("estimators/KMeans random None", dict(labels=model.labels_, centers=model.cluster_centers_, inertia=model.inertia_))
    choice = find("choose_k")(X, random_state=0)
    record.add("estimators/choose_k", dict(k=choice.k, curve=choice.curve))
    record.add("estimators/eps", find("estimate_eps")(X)); record.add("estimators/bandwidth", find("estimate_bandwidth")(X))
    record.add("estimators/whiten", find("Whiten")().fit_transform(X))


def metrics(record):
    "Scores of random labels, with and without noise."
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 5, 300), rng.integers(-1, 6, 300)
    for name in ("nmi", "ami", "ari", "accuracy", "purity"): record.add(f"metrics/{name}", float(find(name)(a, b)))
    record.add("metrics/score", find("score")(a, b))


def sounds():
    "Words in several voices, and a longer tape of them."
    import soundfile as sf
    words = find("synthetic_words")(4, 3, 5)
    words.save(ROOT/"words")
    files = sorted((ROOT/"words").rglob("*.wav"))
    (ROOT/"tape").mkdir()
    for i in range(2):
        parts = [sf.read(p) for p in files[i::2]]
        sf.write(ROOT/"tape"/f"{i}.wav", np.concatenate([x for x, _ in parts]), parts[0][1])
    return files


def encoders(record, files):
    "What goes from a file to a point, a step at a time."
    table = find("clips")(ROOT/"words")
    record.add("encoders/clips", table)
    wave, rate = find("load_audio")(files[0], 16000)
    record.add("encoders/wave", wave); record.add("encoders/rate", rate)
    record.add("encoders/logmel", find("LogMel")(16000)(wave[None], torch.tensor([len(wave)])))
    for by in ("content", "source"):
        for ignore in (None, "order,level"): record.add(f"encoders/fixed {by} {ignore}", find("FixedEncoder")(by, ignore, 16000).embed(table, []))


def run(record, name, *arguments):
    "A command, what it printed, and what it left."
    main = importlib.import_module("audioclust.cli").main
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err): status = main([str(a) for a in arguments])
    record.add(f"{name}/status", status)
    record.add(f"{name}/printed", re.sub(r"\(\d+\.\d MB", "(… MB", out.getvalue()))
    record.add(f"{name}/warned", re.sub(r"\r?embedding.*?\r|.*it/s.*", "", err.getvalue()))
    print(f"{name}: {status}", flush=True)
    if status: print(err.getvalue())


def keep(record, name, folder):
    "The files of a folder, by what they hold."
    for path in sorted(Path(folder).rglob("*")):
        if not path.is_file(): continue
        key = f"{name}/{path.relative_to(folder)}"
        if path.suffix == ".csv": record.add(key, pd.read_csv(path))
        elif path.suffix == ".npy": record.add(key, np.load(path))
        elif path.suffix == ".safetensors":
            from safetensors.numpy import load_file
            record.add(key, load_file(path))
        elif path.name.endswith(".json"):
            about = json.loads(path.read_text())
            record.add(key, {k: v for k, v in about.items() if k not in VOLATILE} if isinstance(about, dict) else str(about))
        elif path.suffix == ".html": record.add(key, page_data(path))
        elif path.suffix == ".parquet": record.add(key, pd.read_parquet(path))
        elif path.suffix in (".txt",): record.add(key, path.read_text())
        else: record.texts[key] = hashlib.sha256(path.read_bytes()).hexdigest()


def page_data(path):
    "The data in a listening page, less the time at which it was made."
    text = path.read_text(encoding="utf-8")
    found = re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', text, re.S)
    if not found: return {"page": hashlib.sha256(text.encode()).hexdigest()}
    data = json.loads(found[1])
    thumbs = data.get("thumbs", {})
    thumbs["sheets"] = [hashlib.sha256(s.encode()).hexdigest() for s in thumbs.get("sheets", [])]
    return {k: json.dumps(v, sort_keys=True) for k, v in data.items() if k != "run"}


def commands(record, quick):
    "The command line, by every method and both groupings."
    words, tape, runs = ROOT/"words", ROOT/"tape", ROOT/"runs"
    def cluster(name, folder, *options):
        run(record, name, "cluster", folder, "--out", runs/name, "--no-cache", "--workers", "0", "-q", *options)
        keep(record, name, runs/name)
    for method in ("kmeans", "consensus", "spectral", "agglomerative", "hdbscan", "dbscan", "meanshift"):
        for by in ("content", "source"):
            page = [] if method == "kmeans" else ["--no-page"]
            cluster(f"{method} {by}", words, "--method", method, "--by", by, "--n-clusters", 4 if by == "content" else 3, *page)
    for method in ("kmeans", "spectral"): cluster(f"{method} both", words, "--method", method, "--by", "both", "--n-clusters", "4,3")
    cluster("kmeans auto", words, "--n-clusters", "auto", "--no-page")
    cluster("kmeans tape", tape, "--window", 0.5, "--hop", 0.25, "--ignore", "order,level", "--no-page")
    cluster("kmeans untrained", words, "--encoder", "untrained", "--n-clusters", 4, "--no-page")
    cluster("kmeans encoder auto", words, "--encoder", "auto", "--n-clusters", 4, "--no-page")
    first = runs/"kmeans content"
    run(record, "assign", "assign", first, tape, "--out", ROOT/"out"/"assigned.csv", "-q")
    run(record, "score", "compare", first, "--labels", "parent")
    edits = ROOT/"edits.json"
    edits.write_text(json.dumps({"schema": 1, "edits": {"content": {"names": {"0": "zero"}, "merged": {"2": 1}, "marks": {"1": "junk"}}}}))
    run(record, "listen", "listen", first, "--edits", edits, "--page", ROOT/"out"/"listen.html")
    for to, ending in dict(audacity="", raven="", parquet=".parquet", json=".json", csv=".csv").items(): run(record, f"export {to}", "export", first, "--to", to, "--out", ROOT/"out"/f"export-{to}{ending}")
    run(record, "sort", "export", first, "--to", "folders", "--out", ROOT/"out"/"sorted", "--flat")
    run(record, "duplicates", "duplicates", words, "--out", ROOT/"out"/"duplicates.csv")
    run(record, "compare", "compare", words, "--out", ROOT/"out"/"compare", "--methods", "kmeans,hdbscan", "--encoders", "fixed", "--n-clusters", 4)
    keep(record, "out", ROOT/"out"); keep(record, "kmeans content afterwards", first)
    if quick: return
    for method, options in BRIEF.items():
        for by in ("content", "source"): cluster(f"{method} {by}", words, "--method", method, "--by", by, "--n-clusters", 4 if by == "content" else 3, "--stability", 3, "--no-page", *options)


def record(folder, quick):
    "Compute everything and write it to a folder."
    warnings.simplefilter("ignore")
    shutil.rmtree(ROOT, ignore_errors=True)
    (ROOT/"out").mkdir(parents=True)
    os.environ["AUDIOCLUST_CACHE"] = str(ROOT/"cache")
    torch.set_num_threads(1)
    made = Record()
    estimators(made); metrics(made)
    files = sounds()
    encoders(made, files); commands(made, quick)
    made.save(folder)
    print(f"{len(made.arrays):,} arrays and {len(made.texts):,} texts in {folder}")


def compare(before, after):
    "Print what differs; how many values do."
    a, b = Record.load(before), Record.load(after)
    differing = []
    for old, new in ((a.arrays, b.arrays), (a.texts, b.texts)):
        for name in sorted(set(old) & set(new)):
            x, y = old[name], new[name]
            if isinstance(x, str): same, how = x == y, f"{x[:300]!r}\n     is now {y[:300]!r}"
            else:
                same = x.shape == y.shape and x.dtype == y.dtype and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
                how = f"{x.dtype}{x.shape} {y.dtype}{y.shape}" + (f", at most by {np.nanmax(np.abs(x.astype(float) - y.astype(float)), initial=0):.3g}" if x.shape == y.shape and x.dtype.kind in "fiub" else "")
            if not same: differing.append(name); print(f"differs: {name}: {how}")
        for name in sorted(set(old) ^ set(new)): print(f"only {'before' if name in old else 'after'}: {name}")
    n = len(set(a.arrays) & set(b.arrays)) + len(set(a.texts) & set(b.texts))
    print(f"{n - len(differing):,} of {n:,} values are the same")
    return len(differing)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = parser.add_subparsers(dest="what", required=True)
    one = sub.add_parser("record"); one.add_argument("folder"); one.add_argument("--quick", action="store_true", help="leave out what trains")
    two = sub.add_parser("compare"); two.add_argument("before"); two.add_argument("after")
    args = parser.parse_args()
    if args.what == "record": record(args.folder, args.quick)
    else: sys.exit(min(1, compare(args.before, args.after)))
