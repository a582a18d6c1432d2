"A run to show, with a long recording, an odd name and a format that browsers do not play."
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

sys.path.insert(0, str(Path(__file__).parent))  # for `browser`, which the tests of the page share
from browser import of_rows

from audioclust.audio import synthetic_sounds
from audioclust.kmeans import KMeans
from audioclust.listen import listen_page
from audioclust.pipeline import make_run
from audioclust.runs import Request, Run


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    at = tmp_path_factory.mktemp("listen")
    synthetic_sounds(5, 12, sample_rate=8000).save(at/"sounds")
    x, rate = np.concatenate([sf.read(p)[0] for p in sorted((at/"sounds").rglob("*.wav"))[:8]]), 8000
    (at/"sounds/long").mkdir()
    sf.write(at/"sounds/long/<img src=x onerror=alert(1)>.wav", x, rate)
    sf.write(at/"sounds/long/apple.aiff", x[:rate], rate)
    listen_page(make_run(at/"sounds", Request("kmeans", 5, window=1.)).save(at/"run"))
    return at


@pytest.fixture(scope="session")
def many(run):
    "A run of 18 clusters and some noise."
    one = Run.open(run/"run")
    X = one.embeddings.X
    labels = KMeans(18, random_state=0).fit(X).labels_
    labels[:3] = -1
    saved = of_rows(one, np.arange(len(one)), X, labels).save(run/"many")
    listen_page(saved)
    return saved
