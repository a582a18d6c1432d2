"Sounds for the tests of SPICE: 72 words, three by three voices, and their log-mels."
import pytest

from audioclust.audio import synthetic_words
from audioclust.encoders import NetworkEncoder
from audioclust.encoders.logmel_store import LogMelStore


@pytest.fixture(scope="package")
def words(tmp_path_factory): return synthetic_words(3, 3, 8).save(tmp_path_factory.mktemp("words"))


@pytest.fixture(scope="package")
def store(words): return LogMelStore.from_clips(words, NetworkEncoder(sample_rate=8000).front)


@pytest.fixture(scope="package")
def numbers(words): return words.label.astype("category").cat.codes.to_numpy().astype("int64")  # of the words


@pytest.fixture(scope="session")
def same():
    "Do two networks have the same weights and buffers?"
    def compare(a, b):
        a, b = a.state_dict(), b.state_dict()
        return len(a) == len(b) > 0 and all(p.equal(q) for p, q in zip(a.values(), b.values()))
    return compare
