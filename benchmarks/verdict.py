"""All methods of the verdict on the published sets that lie in a folder: AudioMNIST, Speech Commands, NSynth, MIMII and others (`known_sets.py`).

    python benchmarks/verdict.py DATA [--seeds 5] [--dry]        rows that are there already are not made again

Runs the scripts below one after another, on the sets that it finds in DATA. The rows are added to the tables in benchmarks/results,
from which the pages of results are made. The methods that train take minutes to hours for each set and seed.
"""
import argparse, shlex, subprocess, sys
from pathlib import Path

from known_sets import find, KNOWN

HERE = Path(__file__).parent
SCRIPTS = ("quality.py", "quality.py --points auto --methods kmeans;consensus;spectral --out quality-vote.csv", "alternative.py", "supervised.py", # without training
           "published.py", "published.py --methods deepcluster --out ours.csv", "steps.py --how skipping") # that train: the last is NF-SPICE


def command(script, names, data, seeds): # One of SCRIPTS; names of sets; folder; how many
    "The command as a list of words."
    name, *options = (str(HERE/"results"/word) if word.endswith(".csv") else word for word in script.split())
    return [sys.executable, str(HERE/name), *options, "--only", ";".join(names), "--seeds", str(seeds), "--data", data]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", help="folder above the sets")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--dry", action="store_true", help="only say the commands")
    args = p.parse_args()
    names = [name for name in KNOWN if find(name, args.data)]
    if not names: p.error(f"none of {', '.join(KNOWN)} is in {args.data} or below")
    failed = []
    for script in SCRIPTS:
        words = command(script, names, args.data, args.seeds)
        print(shlex.join(words), flush=True)
        if not args.dry and subprocess.run(words).returncode: failed.append(shlex.join(words))
    if failed: sys.exit("\n".join(["these failed, and their rows are missing:", *failed]))


if __name__ == "__main__": main()
