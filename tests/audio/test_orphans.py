"Worker processes end when their parent is killed."
import os, signal, subprocess, sys

import psutil
import pytest

CODE = """
import sys, time
import numpy as np, pandas as pd, soundfile as sf
from audioclust.audio.streaming import stream
sf.write(sys.argv[1], np.random.default_rng(0).normal(0, .1, 16000*100), 16000)
clips = pd.DataFrame(dict(path=[sys.argv[1]]*2000, start=0., end=100.))
for batch in stream(clips, 16000, batch_seconds=200, num_workers=2):
    print("one", flush=True)
    time.sleep(1000)
"""

@pytest.mark.skipif(sys.platform != "linux", reason="looks for children as Linux has them")
def test_no_orphans(tmp_path):
    parent = subprocess.Popen([sys.executable, "-c", CODE, str(tmp_path/"a.wav")], stdout=subprocess.PIPE)
    assert parent.stdout.readline() == b"one\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert len(children) >= 2
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    gone, alive = psutil.wait_procs(children, timeout=20)
    for child in alive: child.kill()
    assert not alive
