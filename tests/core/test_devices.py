"Devices: what is refused, and what takes the place of an MPS device where float64 is needed."
import numpy as np
import pytest
import torch

from audioclust.core.distributed import check_device, is_there, with_float64
from audioclust.encoders import FixedEncoder
from audioclust.kmeans import KMeans
from audioclust.runs.request import clusterer_of, Options, Request

@pytest.fixture
def apple(monkeypatch): monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)

def test_mps_is_refused_where_there_is_none():
    with pytest.raises(ValueError, match="no MPS device"): check_device("mps")
    with pytest.raises(ValueError, match="say cpu, cuda or mps"): check_device("tpu")
    assert not is_there("mps") and is_there(None) and is_there("cpu")

def test_where_mps_lacks_float64_the_cpu_takes_its_place(apple, tmp_path):
    check_device("mps")
    assert clusterer_of(Request(options=Options(device="mps")))
    assert with_float64("mps") == "cpu" and with_float64("cuda:1") == "cuda:1" and with_float64(None) is None
    X = np.random.default_rng(0).normal(size=(50, 3))
    assert (KMeans(3, device="mps", random_state=0).fit_predict(X) == KMeans(3, random_state=0,
            device="cpu").fit_predict(X)).all()
    from audioclust.audio import synthetic_sounds
    clips = synthetic_sounds(2, 3, sample_rate=8000).save(tmp_path)
    assert (FixedEncoder(sample_rate=8000).embed(clips, device="mps") == FixedEncoder(sample_rate=8000).embed(clips,
            device="cpu")).all()
