"""How many axes of aisfx, and how far up the small ones: the whitening that its encoder has at its defaults, and others.

    python benchmarks/whitening.py [--seeds 5]

Each row of benchmarks/results/whitening.csv is one run of `AudioClusterer(method="consensus")` on words that are rendered
(`synthetic_words`, twelve clips of each word by each voice, others for each seed), with the number of groups that is wanted, scored afterwards
against words and voices. None of these sounds is in the sets that encoders are compared on. Rows are appended: a run that is
there already is not made again. It needs `pip install --no-deps aisfx`. Goal: is another whitening better, by content and
by source? Not a goal: the best one for each.
"""
import argparse, tempfile, warnings
from pathlib import Path

from appended import append
from audioclust.audio import synthetic_words
from audioclust.encoders.pretrained.sound_effects import EffectsEncoder
from audioclust.metrics import score
from audioclust.pipeline import AudioClusterer, Options
from audioclust.encoders import Whiten

SETS = {"6 words by 4": (6, 4), "10 words by 6": (10, 6)}
WAYS = {"30 axes, floor 0.05": (30, .05), "30 axes, floor 0.01": (30, .01), "15 axes, floor 0.05": (15, .05), "60 axes, floor 0.05": (60, .05)}


class Effects(EffectsEncoder):
    def whitening(self, n): return Whiten(self.axes, floor=self.floor)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"whitening.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as tmp:
        tables = {}
        def run(variant, seed):
            name, way, by = variant.split(" / ")
            if (name, seed) not in tables: tables[name, seed] = synthetic_words(*SETS[name], 12, random_state=seed).save(f"{tmp}/{name}-{seed}")
            clips, (wanted, other) = tables[name, seed], ("label", "voice") if by == "content" else ("voice", "label")
            encoder = Effects(); encoder.axes, encoder.floor = WAYS[way]
            labels = AudioClusterer("consensus", clips[wanted].nunique(), by, encoder=encoder, random_state=seed, options=Options(stability=0, cache=Path(tmp)/"cache")).fit(clips[["path", "start", "end"]]).labels_
            s = score(clips[wanted], labels)
            return dict(set=name, whitening=way, by=by, clips=len(clips), seed=seed, acc=round(s["acc"], 4), nmi=round(s["nmi"], 4), nmi_other=round(score(clips[other], labels)["nmi"], 4))
        append(args.out, [(f"{n} / {w} / {by}", s) for n in SETS for w in WAYS for by in ("content", "source") for s in range(args.seeds)], run)


if __name__ == "__main__": main()
