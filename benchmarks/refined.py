"""Does it help to take from one grouping what sets the groups of the other apart, and do indices without labels tell when?

    [AUDIOCLUST_DATA=/where/fsdd/lies] python benchmarks/refined.py [--seeds 5]

Each row of benchmarks/results/refined.csv is one grouping, by content or by source, of one set of sounds, as it is and with
the other's means taken away: scores, silhouette, stability, what the two groupings share, and what `refine` decides by these. Content
goes first, and where it is refined, source is judged beside the refined one, as `refine` does. A seed makes other words in the sets
that are named by their numbers, and other starts in all.
Without AUDIOCLUST_DATA the digits are left out.
Goal: how often is the decision right? Not a goal: the best limit for these sets.
"""
import argparse, tempfile, warnings
from pathlib import Path
import os

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed

from appended import append
from audioclust.audio import synthetic_words
from audioclust.metrics import ami, score
from audioclust.pipeline import Options, Request, make_run
from audioclust.pipeline.pair import LEAST_STABILITY, MOST_SHARED_AFTER, MOST_SHARED_BEFORE, cluster_residuals, silhouette
from candidates import sets


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"refined.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as tmp:
        every, tables = sets(tmp), {}
        for w,v in (10, 5), (6, 4), (4, 8), (8, 3): every[f"{w} words by {v}"] = lambda w=w, v=v, seed=0: synthetic_words(w, v, 12, random_state=seed).save(f"{tmp}/{w}by{v}-{seed}").rename(columns={"voice": "source"})
        todo = [(f"{name} / {m} / {by}", s) for s in range(args.seeds) for name in every for m in ("kmeans", "consensus") for by in ("content", "source")]
        pairs = {}
        def one(variant, seed):
            name, m, by = variant.split(" / ")
            made = (name, seed if "words by" in name else 0)
            if made not in tables: tables[made] = every[name](seed=seed) if "words by" in name else every[name]()
            t, of = tables[made], "source" if by == "content" else "content"
            if (name, m, seed) not in pairs:
                pairs.clear()
                options = Options(sample_rate=16000, cache=f"{tmp}/cache")
                pairs[name, m, seed] = {b: make_run(t[["path", "start", "end"]], Request(m, t[c].nunique(), b, random_state=seed, options=options))
                                        for b, c in (("content", "label"), ("source", "source"))}
            pair = pairs[name, m, seed]
            if by == "source" and pair["content"].embeddings.encoder is not None and f"{name} / {m} / content" not in seen: one(f"{name} / {m} / content", seed)
            old, new = pair[by], cluster_residuals(pair[by], pair[of])
            shared, still, before, after = ami(old.clustering.labels, pair[of].clustering.labels), ami(new.clustering.labels, pair[of].clustering.labels), silhouette(old), silhouette(new)
            took = bool(shared <= MOST_SHARED_BEFORE and still <= MOST_SHARED_AFTER and after > before and new.findings.stability.overall >= LEAST_STABILITY)
            if took: pair[by] = new
            seen.add(variant)
            truth = t["label" if by == "content" else "source"]
            a, b = score(truth, old.clustering.labels), score(truth, new.clustering.labels)
            return dict(set=name, method=m, by=by, seed=seed, shared=round(shared, 3), shared_without=round(still, 3), silhouette=round(before, 4), silhouette_without=round(after, 4), stability=round(old.findings.stability.overall, 3), stability_without=round(new.findings.stability.overall, 3), refined=took, acc=round(a["acc"], 4), acc_without=round(b["acc"], 4), nmi=round(a["nmi"], 4), nmi_without=round(b["nmi"], 4))
        seen = set()
        append(args.out, todo, one)


if __name__ == "__main__": main()
