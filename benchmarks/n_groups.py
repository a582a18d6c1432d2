"""How many groups? Criteria without labels for each number of groups, and methods that count by themselves, on tasks whose truth is known.

    python benchmarks/n_groups_tasks.py FOLDER                 makes the points of all tasks
    python benchmarks/n_groups.py FOLDER [--only WORD ...]    two tables of results from them

`results/n-groups-curves.csv` has a row for each task, encoder and candidate k: criteria of K-means with k clusters, and what that
grouping is worth (ARI, AMI; only for scoring). `results/n-groups-counts.csv` has a row for each task, encoder and method that finds
a number by itself, with the AMI of its own grouping. Rules are functions of these tables; the chapter on the number of clusters
compares them. At most 1,000 clips of a task are looked at. PLSCAN (`pip install fast-plscan`) is left out where it is not installed.
Goal: which rule comes near, on sets it was not chosen on? Not a goal: speed.
"""
import argparse, csv, time, warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import laplacian
from sklearn.cluster import HDBSCAN
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, calinski_harabasz_score, davies_bouldin_score, pairwise_distances, silhouette_samples
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.neighbors import NearestNeighbors

from appended import commit
from audioclust.ensembles.resampling import cluster_subsamples, mean_ari
from audioclust.kmeans import KMeans
from n_groups_tasks import points

MOST = 1000 # clips
CANDIDATES = (1, *range(2, 13), 14, 16, 18, 20, 24, 28, 32, 36, 40, 45, 50, 60, 70, 80, 100, 120)


def kmeans(k, seed, n_init=2): return KMeans(k, n_init=n_init, random_state=seed)

def null_like(X, rng):
    "Points of one Gaussian with the same covariance: no groups at all."
    centred = X - X.mean(0)
    U, s, Vt = np.linalg.svd(centred, full_matrices=False)
    return (rng.normal(size=(len(X), len(s)))*s/np.sqrt(len(X))) @ Vt

def pac(partitions):
    "Share of pairs of clips that are neither together nor apart in nearly all runs (Senbabaoglu 2014)."
    together = sum((p[:, None] == p[None]).astype(np.float32) for p in partitions)/len(partitions)
    pairs = together[np.triu_indices(len(together), 1)]
    return float(((pairs > .1) & (pairs < .9)).mean())

def prediction_strength(X, k, rng, splits=2):
    "Tibshirani and Walther 2005: in the worst cluster of one half, the share of pairs that the other half's clusters keep together."
    values = []
    for _ in range(splits):
        order = rng.permutation(len(X))
        for a,b in ((order[::2], order[1::2]), (order[1::2], order[::2])):
            own, other = kmeans(k, int(rng.integers(2**31)), 1).fit(X[a]).labels_, kmeans(k, int(rng.integers(2**31)), 1).fit(X[b]).predict(X[a])
            table = np.zeros((k, k))
            np.add.at(table, (np.asarray(own), np.asarray(other)), 1)
            n = table.sum(1)
            kept = (table*(table - 1)).sum(1)[n > 1]/(n*(n - 1))[n > 1]
            values.append([kept.min() if len(kept) else 0, np.average(kept, weights=n[n > 1]) if len(kept) else 0])
    return np.mean(values, 0)

def coding_length(X, labels, distortion):
    "Bits to code each cluster as a Gaussian up to a distortion (Ma et al. 2007), per clip."
    n, d = X.shape
    bits = 0.
    for c in np.unique(labels):
        Z = X[labels == c]
        m, Z = len(Z), Z - Z.mean(0)
        small = Z @ Z.T if m < d else Z.T @ Z
        bits += (m + d)/2*np.linalg.slogdet(np.eye(len(small)) + d/(distortion*m)*small)[1]/np.log(2) + d/2*np.log2(1 + (X[labels == c].mean(0)**2).sum()/distortion) - m*np.log2(m/n)
    return bits/n

def shared_neighbour_graph(X, m=15):
    near = NearestNeighbors(n_neighbors=min(m + 1, len(X))).fit(X).kneighbors(X)[1]
    A = csr_array((np.ones(near.size), (np.repeat(np.arange(len(X)), near.shape[1]), near.ravel())), shape=(len(X), len(X)))
    W = (A @ A.T).tocsr()
    W.setdiag(0)
    mutual = A.maximum(A.T)
    return (W*mutual)/near.shape[1]

def modularity(W, labels):
    total, degree = W.sum(), np.asarray(W.sum(1)).ravel()
    n = labels.max() + 1
    coo = W.tocoo()
    inside = coo.data[labels[coo.row] == labels[coo.col]].sum()
    return float(inside/total - (np.bincount(labels, degree, n)**2).sum()/total**2)

def curve(X, truth, seed=0):
    "A row of criteria for each candidate."
    rng = np.random.default_rng(seed)
    D, W = pairwise_distances(X), shared_neighbour_graph(X)
    P = PCA(min(15, X.shape[1], len(X) - 1), random_state=0).fit_transform(X)
    N = null_like(X, rng)
    distortion = float((np.sort(pairwise_distances(P), 1)[:, 3]**2).mean()) # of the 15 leading axes
    eigenvalues = np.linalg.eigvalsh(laplacian(W, normed=True).toarray())
    rows, scored = [], truth != "-1"
    for k in [k for k in CANDIDATES if k <= max(2, len(X)//5)]:
        labels = np.zeros(len(X), int) if k == 1 else np.asarray(kmeans(k, seed, 4).fit(X).labels_)
        row = dict(k=k, ari=adjusted_rand_score(truth[scored], labels[scored]), ami=adjusted_mutual_info_score(truth[scored], labels[scored]))
        inertia = sum(((X[labels == c] - X[labels == c].mean(0))**2).sum() for c in range(k))
        model = None if k == 1 else kmeans(k, seed, 2).fit(N)
        null_labels = np.zeros(len(X), int) if k == 1 else np.asarray(model.labels_)
        null_inertia = sum(((N[null_labels == c] - N[null_labels == c].mean(0))**2).sum() for c in range(k))
        row |= dict(inertia=inertia, null_inertia=null_inertia, coding=coding_length(P, labels, distortion), modularity=modularity(W, labels))
        row |= dict(eigengap=(eigenvalues[k] if k < len(eigenvalues) else 1.) - eigenvalues[k - 1])
        if k > 1:
            s = silhouette_samples(D, labels, metric="precomputed")
            _, parts = cluster_subsamples(lambda seed: kmeans(k, seed), X, 6, random_state=seed)
            _, null_parts = cluster_subsamples(lambda seed: kmeans(k, seed, 1), N, 4, random_state=seed)
            worst, mean = prediction_strength(X, k, np.random.default_rng([seed, k]))
            row |= dict(silhouette=s.mean(), null_silhouette=silhouette_samples(N, null_labels).mean(), calinski_harabasz=calinski_harabasz_score(X, labels), davies_bouldin=davies_bouldin_score(X, labels),
                        stability=mean_ari(parts), null_stability=mean_ari(null_parts), pac=pac(parts), null_pac=pac(null_parts), strength=worst, mean_strength=mean)
        rows.append({name: round(float(v), 4) if name != "k" else v for name,v in row.items()})
    return rows


def gmm_bic(P):
    models = [GaussianMixture(n_components=k, covariance_type="diag", random_state=0).fit(P) for k in CANDIDATES if k <= min(60, len(P)//8)]
    return min(models, key=lambda m: m.bic(P)).predict(P)

def plscan(P, min_samples):
    from fast_plscan import PLSCAN
    return PLSCAN(min_samples=min_samples).fit(P.astype(np.float32)).labels_

def filled(P, labels):
    "Noise goes to the nearest clip that is in a cluster."
    known = labels >= 0
    if not known.any() or known.all(): return np.where(known, labels, 0)
    near = NearestNeighbors(n_neighbors=1).fit(P[known]).kneighbors(P[~known])[1][:, 0]
    out = labels.copy()
    out[~known] = labels[known][near]
    return out

def axes(X, d): return PCA(min(d, X.shape[1], len(X) - 1), random_state=0).fit_transform(X)

COUNTERS = {"Gaussian mixture, BIC": lambda X: gmm_bic(axes(X, 10)),
            "Dirichlet process mixture": lambda X: BayesianGaussianMixture(n_components=min(60, len(X)//5), covariance_type="diag", weight_concentration_prior=.1, max_iter=300, random_state=0).fit_predict(axes(X, 10)),
            **{f"HDBSCAN, {d} axes": lambda X, d=d: HDBSCAN(max(5, len(X)//100), min_samples=5, copy=True).fit_predict(axes(X, d)) for d in (5, 10, 15, 30)},
            **{f"PLSCAN, {d} axes, {m} neighbours": lambda X, d=d, m=m: plscan(axes(X, d), m) for d,m in ((5, 5), (8, 5), (8, 10), (15, 5), (15, 10))}}
NEEDS = {"PLSCAN": "fast_plscan"}


def add(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.is_file()
    with open(path, "a", newline="") as f:
        w = csv.DictWriter(f, list(rows[-1]))
        if new: w.writeheader()
        w.writerows(rows)

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--only", nargs="*")
    p.add_argument("--share", default="0/1", help="i/n: this process does each n-th task")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results")
    args = p.parse_args()
    (turn, of), at = map(int, args.share.split("/")), commit()
    curves, counts = args.out/"n-groups-curves.csv", args.out/"n-groups-counts.csv"
    done = {(r["task"], r["by"], r["encoder"]) for r in csv.DictReader(open(counts, newline=""))} if counts.is_file() else set()
    warnings.simplefilter("ignore")
    for i,t in enumerate(points(args.folder)):
        if i % of != turn or (t["task"], t["by"], t["encoder"]) in done or args.only and not any(o in t["task"] for o in args.only): continue
        rows = np.sort(np.random.default_rng(0).permutation(len(t["X"]))[:MOST])
        X, truth = t["X"][rows].astype(np.float64), t["truth"][rows]
        coarse = len(set(t["coarse"][rows])) if len(t["coarse"]) else ""
        about = dict(task=t["task"], by=t["by"], encoder=t["encoder"], half=t["half"], clips=len(t["X"]), looked_at=len(rows), truth=len(set(truth) - {"-1"}), coarse=coarse)
        found = curve(X, truth)
        add(curves, [{**about, **{name: "" for name in found[-1]}, **row, "commit": at} for row in found])
        counted = []
        for name,count in COUNTERS.items():
            if any(word in name and not find_spec(module) for word,module in NEEDS.items()): continue
            start = time.perf_counter()
            try: labels = np.asarray(count(X))
            except ValueError as e: print(name, e); continue
            seconds, scored = time.perf_counter() - start, truth != "-1"
            full = filled(axes(X, 15), labels)
            counted.append(dict(**about, method=name, k=len(set(labels[labels >= 0].tolist())), coverage=round(float((labels >= 0).mean()), 3), ami=round(adjusted_mutual_info_score(truth[scored], full[scored]), 4), ari=round(adjusted_rand_score(truth[scored], full[scored]), 4), seconds=round(seconds, 2), commit=at))
        add(counts, counted)
        print(about["task"], about["encoder"], about["truth"], {c["method"]: c["k"] for c in counted}, flush=True)


if __name__ == "__main__": main()
