"What a fitted SPICE writes, and how it is read again."
import warnings

import numpy as np
import pytest

from audioclust.core.registry import load_saved, make_clusterer
from audioclust.encoders import load_encoder
from audioclust.encoders.residual import IdentityWhitening
from audioclust.nf_spice import NFSPICE
from audioclust.nf_spice.trained_encoder import ArgmaxClusterer, TrainedEncoder

QUICK = dict(sample_rate=8000, epochs=2, n_other=(2, 3), head_epochs=2, match_epochs=0, bs=36, views=2)


@pytest.mark.parametrize("refined", [False, True])
def test_each_part_is_read_again_by_the_name_of_its_class(words, brief, refined, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so short a training may find little
        m = make_clusterer("nf-spice", 3, heads=2*refined, **QUICK).fit(words)
    X, p = m.encoder_.embed(words)
    for part in m.encoder_, m.encoder_.whitening(len(X)).fit(X), m.clusterer().fit(p): part.save(tmp_path)
    parts = load_encoder(tmp_path), load_saved(tmp_path, "whitening"), load_saved(tmp_path, "clusterer")
    assert [type(part) for part in parts] == [TrainedEncoder, IdentityWhitening, ArgmaxClusterer]
    encoder, whitening, clusterer = parts
    assert (encoder.refinements.heads is None) == (m.heads_ is None)
    again, p_again = encoder.embed(words)
    np.testing.assert_allclose(again, X, atol=1e-5)
    np.testing.assert_array_equal(whitening.transform(X), X)
    np.testing.assert_array_equal(clusterer.predict(p_again), m.labels_)


def test_the_files_of_a_fitted_method(words, brief, tmp_path):
    m = make_clusterer("nf-spice", 3, heads=0, **QUICK).fit(words)
    m.save(tmp_path)
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    folders = {"network0", "network1", "frozen0", "frozen1", "nonredundant"} | ({"fair"} if m.fair_ else set())
    assert {file.split("/")[0] for file in files if "/" in file} == folders
    assert {file for file in files if "/" not in file} == {"encoder.json", "nf-spice.json"}
    loaded = NFSPICE.load(tmp_path)
    assert loaded.contrast == m.contrast and loaded.refinement == m.refinement and loaded.runtime == m.runtime
    assert loaded.validity_ == m.validity_ and loaded.curves_ == m.curves_
