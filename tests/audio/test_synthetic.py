from pathlib import Path
import numpy as np
import pytest
import soundfile as sf

from audioclust.audio import synthetic_sounds, synthetic_words
from audioclust.audio.synthetic import FAMILIES


def test_sounds_are_finite_distinct_and_within_range():
    s = synthetic_sounds(12, 4, n_voices=3)
    assert len(s.waves) == 48 and set(s.label) == set(FAMILIES) and set(s.voice) <= {0, 1, 2}
    for w in s.waves: assert w.dtype == np.float32 and np.isfinite(w).all() and 0 < np.abs(w).max() <= 1
    assert len({w.tobytes() for w in s.waves}) == 48


def test_seed_decides_and_does_not_touch_the_global_state():
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    first, again, other = synthetic_sounds(2, 2), synthetic_sounds(2, 2), synthetic_sounds(2, 2, random_state=1)
    for x, y in zip(first.waves, again.waves, strict=True): np.testing.assert_array_equal(x, y)
    assert [x.tobytes() for x in first.waves] != [x.tobytes() for x in other.waves]
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("make", [synthetic_sounds, synthetic_words])
def test_saved_sounds_read_back(tmp_path, make):
    s = make(2, 2)
    table = s.save(tmp_path)
    assert list(table.columns) == ["path", "start", "end", "label", "voice"] and len(table) == len(s.waves)
    for p, w, label in zip(table.path, s.waves, s.label):
        x, sr = sf.read(p)
        assert sr == s.sample_rate and Path(p).parent.name == label and np.abs(x - w).max() < 1e-4


def test_wrong_numbers():
    for name, value in ("n_classes", 0), ("n_classes", 13), ("n_per_class", 0), ("n_voices", 0):
        with pytest.raises(ValueError, match=f"{name}={value}"): synthetic_sounds(**{name: value})
