"""The load in small: benchmarks/load.py with hundreds of clips and minutes of recording.

Every clip is a row of clusters.csv or of errors.csv."""
import sys
from pathlib import Path

import pytest

root = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not (root/"benchmarks/load.py").is_file() or sys.platform != "linux",
    reason="needs the checkout, and /proc")


@pytest.fixture
def load(monkeypatch):
    pytest.importorskip("psutil")
    monkeypatch.syspath_prepend(str(root/"benchmarks"))
    import load, scale
    for module in load, scale: monkeypatch.setattr(module, "PART", 100)
    return load


@pytest.mark.slow
def test_nothing_is_lost(load, tmp_path):
    clips, day = load.load(tmp_path, 400, .05)
    assert (clips["listed"], day["listed"]) == (400, 60)
    for r in clips, day:
        assert r["missing"] == r["twice"] == r["wrong"] == 0 < r["errors"], r
        assert r["rows"] + r["errors"] == r["listed"], r

def test_what_is_lost_is_seen(load, tmp_path):
    from audioclust.core.files import write_table
    import pandas as pd
    write_table(pd.DataFrame(dict(path=["/a.wav", "/b.wav", "/b.wav"], start=[0., 0., 3.], end=1., cluster=0)),
        tmp_path/"clusters.csv")
    write_table(pd.DataFrame(dict(path=["/c.wav"], reason="bad")), tmp_path/"errors.csv")
    listed = [("/a.wav", 0.), ("/b.wav", 0.), ("/b.wav", 3.), ("/c.wav", 0.)]
    assert load.accounted(listed, tmp_path) == (dict(rows=3, errors=1, missing=0, twice=0), {"/c.wav"})
    assert load.accounted([*listed, ("/b.wav", 6.), ("/d.wav", 0.)], tmp_path)[0]["missing"] == 2
    write_table(pd.DataFrame(dict(path=["/c.wav", "/c.wav"], reason="bad")), tmp_path/"errors.csv")
    assert load.accounted(listed, tmp_path)[0]["twice"] == 1
