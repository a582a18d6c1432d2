import pytest
import torch

from audioclust.audio import AudioDataLoaders
from audioclust.audio.loaders import TensorLogMel, TensorWave


@pytest.fixture(scope="module")
def dls(words):
    folder, _ = words
    return AudioDataLoaders.from_folder(folder, labels="parent", sample_rate=8000, seconds=.5, bs=32, num_workers=0, device="cpu")


def test_batches_are_log_mels_with_labels(dls):
    x, y = dls.one_batch()
    assert type(x) is TensorLogMel and x.shape == (32, 1, 64, 51) and len(dls.vocab) == 6
    assert len(dls.train_ds) + len(dls.valid_ds) == 192


def test_workers_give_the_same_validation_batches(words, dls):
    folder, _ = words
    more = AudioDataLoaders.from_folder(folder, labels="parent", sample_rate=8000, seconds=.5, bs=32, num_workers=2, device="cpu")
    for a, b in zip(dls.valid, more.valid):
        torch.testing.assert_close(torch.as_tensor(a[0]), torch.as_tensor(b[0])); assert (a[1] == b[1]).all()


def test_show_batch_has_axes_in_seconds_and_hertz(dls):
    import matplotlib; matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    plt.close("all"); dls.show_batch(max_n=4, ncols=2)
    axes = plt.gcf().axes
    assert len(axes) == 4 and axes[2].get_xlabel() == "time (s)" and axes[0].get_ylabel() == "frequency (Hz)"
    assert axes[0].images[0].get_extent()[1] == pytest.approx(.51)
    assert axes[0].get_title() in dls.vocab


def test_a_wave_draws_and_plays(dls):
    wave = dls.train_ds[0][0]
    assert type(wave) is TensorWave and wave.sample_rate == 8000 and wave.shape == (4000,)
    assert "audio" in wave.listen()._repr_html_()


def test_learner_trains_on_them(dls):
    "One epoch of a linear model over the mean spectrum moves the loss."
    import fastai.callback.progress
    from fastai.basics import Learner, CrossEntropyLossFlat, Module, nn
    class Net(Module):
        def __init__(self): self.lin = nn.Linear(64, 6)
        def forward(self, x): return self.lin(torch.as_tensor(x).mean(-1).flatten(1))
    learn = Learner(dls, Net(), loss_func=CrossEntropyLossFlat())
    with learn.no_bar(), learn.no_logging():
        before = float(learn.validate()[0]); learn.fit(2, 1e-2); after = float(learn.validate()[0])
    assert after < before
