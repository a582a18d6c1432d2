"Runs that are killed at random moments; benchmarks/killed.py does it hundreds of times."
import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

root = Path(__file__).parents[2]

@pytest.mark.skipif(not (root/"benchmarks/killed.py").is_file() or sys.platform != "linux",
    reason="needs the checkout, and fork")
@pytest.mark.slow
def test_killed_and_resumed_is_the_same(tmp_path):
    kinds, kills = "spectral;events;deepcluster;nf-spice", 3
    first = int(os.environ.get("AUDIOCLUST_FUZZ_SEED", 0))*3 # that of the nightly job is the date
    print(f"AUDIOCLUST_FUZZ_SEED={first//3} repeats this")
    p = subprocess.run([sys.executable, str(root/"benchmarks/killed.py"), "--only",
        kinds, "--kills", str(kills), "--first", str(first), "--out",
        str(tmp_path/"k.csv")], capture_output=True, text=True)
    assert p.returncode == 0, p.stdout + p.stderr
    rows = list(csv.DictReader(open(tmp_path/"k.csv", newline="")))
    assert len(rows) == len(kinds.split(";"))*kills and all(r["same"] == "1" for r in rows)
