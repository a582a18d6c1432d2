"""Encoders side by side: the same method on the points of each, at the defaults, by content and by source.

    AUDIOCLUST_DATA=… python benchmarks/encoders.py [--only "NAME;…"] [--encoders "fixed;aisfx"] [--seeds 5]

Each row of benchmarks/results/encoders.csv is one run of `AudioClusterer(method="consensus")` with the number of groups that
is wanted, scored afterwards against content and source; each set is embedded once an encoder and way. `made_sets.py` makes
the sounds, the spoken digits are FSDD. Rows are appended: a run that is there already is not made again. aisfx needs
`pip install --no-deps aisfx`. Goal: is an encoder that was trained on other sounds worth asking for? Not a goal: the best
settings for each, or how fast they are.
"""
import argparse, tempfile, warnings
from pathlib import Path

from appended import append
from audioclust.audio import fsdd
from audioclust.metrics import score
from audioclust.pipeline import AudioClusterer, Options
from made_sets import SETS, make

DIGITS = "spoken digits"


def table(name, folder): # One of SETS, or the digits
    return fsdd(download=False).rename(columns={"speaker": "source"}) if name == DIGITS else make(name, folder)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", help="names of sets, separated by semicolons")
    p.add_argument("--encoders", default="fixed;aisfx", help="whatever AudioClusterer takes, separated by semicolons")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"encoders.csv")
    args = p.parse_args()
    names = args.only.split(";") if args.only else (*SETS, DIGITS)
    with tempfile.TemporaryDirectory() as tmp:
        tables, fitted = {}, {}
        def run(variant, seed):
            name, by, encoder = variant.split(" / ")
            if name not in tables: tables[name] = table(name, tmp)
            clips, (wanted, other) = tables[name], ("label", "source") if by == "content" else ("source", "label")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if (first := fitted.get(variant)): model = first.regroup(random_state=seed)
                else: model = fitted[variant] = AudioClusterer("consensus", clips[wanted].nunique(), by, encoder=encoder, random_state=seed, options=Options(stability=0, cache=Path(tmp)/"cache")).fit(clips[["path", "start", "end"]])
            s = score(clips[wanted], model.labels_)
            return dict(set=name, by=by, encoder=encoder, clips=len(clips), groups=clips[wanted].nunique(), seed=seed, acc=round(s["acc"], 4), nmi=round(s["nmi"], 4), nmi_other=round(score(clips[other], model.labels_)["nmi"], 4))
        append(args.out, [(f"{n} / {by} / {e}", s) for n in names for by in ("content", "source") for e in args.encoders.split(";") for s in range(args.seeds)], run)


if __name__ == "__main__": main()
