"A dozen runs that are killed at random moments, other ones each day; benchmarks/killed.py does it hundreds of times."
import csv
import datetime
import os
import subprocess
import sys
from pathlib import Path

import pytest

root = Path(__file__).parents[2]

@pytest.mark.skipif(not (root/"benchmarks/killed.py").is_file() or sys.platform != "linux",
    reason="needs the checkout, and fork")
def test_a_dozen_kills(tmp_path):
    first = int(os.environ.get("AUDIOCLUST_FUZZ_SEED", datetime.date.today().toordinal()))*3
    print(f"AUDIOCLUST_FUZZ_SEED={first//3} repeats this")
    p = subprocess.run([sys.executable, str(root/"benchmarks/killed.py"), "--only",
        "spectral;events;deepcluster;spice", "--kills", "3", "--first", str(first), "--out",
        str(tmp_path/"k.csv")], capture_output=True, text=True)
    assert p.returncode == 0, p.stdout + p.stderr
    rows = list(csv.DictReader(open(tmp_path/"k.csv", newline="")))
    assert len(rows) == 12 and all(r["same"] == "1" for r in rows)
