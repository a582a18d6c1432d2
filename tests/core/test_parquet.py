"Parquet is an extra: without pyarrow everything else works, and one line names what to install."
import os
import subprocess
import sys

BLOCKER = """
import sys

class NoArrow:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "pyarrow": raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoArrow())
"""

RUN = BLOCKER + """
from pathlib import Path
from audioclust.audio import synthetic_words
from audioclust.cli import main
folder = Path(sys.argv[1])
table = synthetic_words(2, 2, 4).save(folder/"sounds")
assert main(["cluster", str(folder/"sounds"), "--n-clusters", "2", "--encoder", "fixed", "--out", str(folder/"run"),
             "--stability", "0", "--no-cache", "-q"]) == 0
assert main(["export", str(folder/"run"), "--to", "csv", "--out", str(folder/"clips.csv")]) == 0
(folder/"clips.parquet").write_bytes(b"PAR1")
for arguments in (["export", str(folder/"run"), "--to", "parquet", "--out", str(folder/"new.parquet")],
                  ["cluster", str(folder/"sounds"), "--clips", str(folder/"clips.parquet"), "--out", str(folder/"b")]):
    print("----", file=sys.stderr)
    assert main(arguments) == 2
assert not (folder/"new.parquet").exists() and "pyarrow" not in sys.modules
"""


def test_without_pyarrow(tmp_path):
    done = subprocess.run([sys.executable, "-c", RUN, str(tmp_path)], env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for said in done.stderr.split("----\n")[1:]:
        assert "Parquet needs pyarrow: pip install pyarrow" in said and said.count("\n") == 1, said
