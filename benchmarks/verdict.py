"""All methods of the verdict, with one command: on real sets, or on other published sets that lie in a folder (`known_sets.py`).

    python benchmarks/verdict.py DATA --real choosing [--dry]     the sets that `real_sets.py` laid out in DATA, and the spoken digits
    python benchmarks/verdict.py DATA --real reporting            the sets that are opened once, when rules are frozen
    python benchmarks/verdict.py DATA [--seeds 5] [--dry]         AudioMNIST, Speech Commands, NSynth, MIMII and others

Runs the scripts below one after another; rows that are there already are not made again. On real sets what trains nothing takes all
clips and five seeds (results/real-quality.csv, real-supervised.csv: hours of a core), and what trains takes 400 clips at most, drawn
anew with each of three seeds, of the sets in TRAINED (results/real-trainings.csv: more hours; real-draws.csv has what trains nothing on the same clips). On other sets the rows are added to
the tables from which the pages of results are made. DATA needs the folder fsdd for the digits, and the vote the wheels of the encoders.
"""
import argparse, shlex, subprocess, sys
from pathlib import Path

from known_sets import CHOOSING, find, KNOWN, REPORTING
from quality import DIGITS, DRAW, EARS, WITHOUT

HERE = Path(__file__).parent
MAIN = "kmeans;consensus;spectral"
SCRIPTS = (["quality.py"], ["quality.py", "--points", "auto", "--methods", MAIN, "--out", "quality-vote.csv"], ["alternative.py"], ["supervised.py"], # without training
           ["published.py"], ["published.py", "--methods", "deepcluster", "--out", "ours.csv"], ["steps.py", "--how", "skipping"]) # that train: the last is NF-SPICE
POINTS = "fixed", "mfcc", "auto", WITHOUT, *EARS
REAL = (["quality.py", "--timed", "--points", ";".join(POINTS), "--methods", f"{MAIN};auto;sklearn kmeans", "--out", "real-quality.csv"],
        ["supervised.py", "--by-source", "--points", f"fixed;mfcc;auto;{WITHOUT}", "--out", "real-supervised.csv"])
TRAINED, LIMIT = ("arabic", "ravdess", "drummachines", "esc10", *REPORTING), ["--limit", "400"]
TRAININGS = ["published.py", *LIMIT, "--methods", "deepcluster;nf-spice;nf-spice, from the vote;spice;scan;deepcluster-published", "--out", "real-trainings.csv"]
BESIDE = ["quality.py", *LIMIT, "--points", "fixed;mfcc;auto", "--methods", "kmeans;spectral", "--out", "real-draws.csv"] # on the clips of the trainings


def command(script, names, data, seeds): # One of the above; names of sets; folder; how many
    "The command as a list of words."
    name, *options = (str(HERE/"results"/word) if word.endswith(".csv") else word for word in script)
    return [sys.executable, str(HERE/name), *options, "--only", ";".join(names), "--seeds", str(seeds), "--data", data]

def commands(args):
    "What is run, in order."
    real = {*CHOOSING, *REPORTING}
    if not args.real: return [command(script, [name for name in KNOWN if name not in real and find(name, args.data)], args.data, args.seeds or 5) for script in SCRIPTS]
    names = [name for name in (CHOOSING if args.real == "choosing" else REPORTING) if find(name, args.data)]
    if not names: sys.exit(f"none of the sets is laid out in {args.data}: python benchmarks/real_sets.py CLONES {args.data}")
    digits, trained, draws = [DIGITS]*(args.real == "choosing"), [name for name in names if name in TRAINED], args.seeds or 3
    return [*(command(script, [*names, *digits], args.data, args.seeds or 5) for script in REAL), command(TRAININGS, trained, args.data, draws),
            command(BESIDE, [f"{name}: {DRAW}{i}" for name in trained for i in range(draws)], args.data, 1)]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", help="folder above the sets")
    p.add_argument("--real", choices=("choosing", "reporting"), help="real sets")
    p.add_argument("--seeds", type=int, help="of all methods; as above if left out")
    p.add_argument("--dry", action="store_true", help="only say the commands")
    args = p.parse_args()
    if not args.real and not any(find(name, args.data) for name in KNOWN): p.error(f"none of {', '.join(KNOWN)} is in {args.data} or below")
    failed = []
    for words in commands(args):
        print(shlex.join(words), flush=True)
        if not args.dry and subprocess.run(words).returncode: failed.append(shlex.join(words))
    if failed: sys.exit("\n".join(["these failed, and their rows are missing:", *failed]))


if __name__ == "__main__": main()
