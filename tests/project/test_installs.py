"What people have installed: a torchaudio that cannot be imported beside their torch."
import os, subprocess, sys

import pytest

from audioclust.audio import synthetic_words


@pytest.fixture
def environment(tmp_path):
    "As where torch is the build for processors, and torchaudio the one for another build."
    (tmp_path/"broken"/"torchaudio").mkdir(parents=True)
    (tmp_path/"broken"/"torchaudio"/"__init__.py").write_text(
        "raise OSError('libcudart.so.13: cannot open shared object file: No such file or directory')\n")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(
        [str(tmp_path/"broken"), *filter(None, [os.environ.get("PYTHONPATH")])])}

def python(environment, code):
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)

def test_the_command_needs_no_torchaudio(environment, tmp_path):
    assert "libcudart" in python(environment, "import torchaudio").stderr
    synthetic_words(3, 2, 4).save(tmp_path/"sounds")
    ways = ([], ["--by", "source", "--encoder", "untrained"],
            ["--method", "deepcluster", "--epochs", "1", "--set", "passes=1", "--set", "views=1"])
    typed = [["cluster", str(tmp_path/"sounds"), "--out", str(tmp_path/f"run{i}"), "--n-clusters", "3",
              "--stability", "0", "--no-cache", *way] for i, way in enumerate(ways)]
    p = python(environment, f"""
import importlib, pkgutil, audioclust
from audioclust.cli import main
for typed in {typed}: assert main(typed) == 0, typed
for module in pkgutil.walk_packages(audioclust.__path__, "audioclust."):
    if not module.name.endswith("__main__"): importlib.import_module(module.name)
""")
    assert p.returncode == 0 and "torchaudio" not in p.stdout + p.stderr, p.stderr
