"What a fitted SPICE writes, and how it is read again."
import warnings

import numpy as np

from audioclust.core.registry import load_saved, make_clusterer
from audioclust.encoders import load_encoder
from audioclust.encoders.residual import IdentityWhitening
from audioclust.nf_spice.trained_encoder import ArgmaxClusterer, TrainedEncoder

QUICK = dict(sample_rate=8000, epochs=2, n_other=(2, 3), head_epochs=2, match_epochs=0, bs=36, views=2)


def test_each_part_is_read_again_by_the_name_of_its_class(words, brief, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so short a training may find little
        m = make_clusterer("nf-spice", 3, heads=2, **QUICK).fit(words)
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
