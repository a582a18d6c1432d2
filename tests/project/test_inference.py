"""Tests and intervals over a handful of sets, and the rows that the report shows."""
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import permutation_test

root = Path(__file__).resolve().parents[2]
if not (root/"benchmarks").is_dir(): pytest.skip("needs a checkout", allow_module_level=True)


@pytest.fixture(autouse=True)
def beside(monkeypatch): monkeypatch.syspath_prepend(str(root/"benchmarks"))


def test_families_are_one_block():
    from inference import block_means, blocks_of
    gains = {"words": .4, "sounds, easy": .1, "sounds, middle": .2, "sounds, hard": .3, "birds": -.1}
    assert list(blocks_of(gains)) == ["words", "families", "birds"]
    assert np.allclose(block_means(gains), [.4, .2, -.1])


@pytest.mark.parametrize("gains", [[.1, .2, .3, .1, .05], [.1, -.2, .3, .1, .05, .4], [-.1, .1, 0., .2]])
def test_sign_flip_is_scipys_exact_test(gains):
    from inference import sign_flip, smallest_p
    def mean(x, axis): return np.mean(x, axis=axis)
    expected = permutation_test((np.array(gains),), mean, permutation_type="samples", n_resamples=np.inf).pvalue
    assert sign_flip(gains) == pytest.approx(expected)
    assert sign_flip(gains) == pytest.approx(sign_flip([-g for g in gains]))
    assert sign_flip(gains) >= smallest_p(len(gains))


def test_p_values_and_intervals_by_hand():
    from inference import coverage, holm, sign_flip, smallest_p, t_interval
    assert [sign_flip([1.]*n) for n in (4, 5, 6)] == [smallest_p(n) for n in (4, 5, 6)] == [.125, .0625, .03125]
    assert np.allclose(holm([.01, .04, .03, .5]), [.04, .09, .09, .5])
    assert np.allclose(holm([.4, .9]), [.8, .9]) and np.allclose(holm([.03]), [.03])
    low, high = t_interval([.1, .2, .3])
    assert np.allclose([low, high], [.2 - 4.302653*.1/3**.5, .2 + 4.302653*.1/3**.5])
    assert np.isnan(t_interval([.1])).all()
    of_t, of_bootstrap = coverage(5, simulations=1000, n=200)
    assert .92 < of_t < .98 and of_bootstrap < .88  # the bootstrap of five blocks is too narrow


def test_rows_of_today_take_the_place_of_older_ones(monkeypatch):
    import reported
    older = pd.DataFrame({"set": ["words"]*3 + ["birds"], "by": "content", "method": ["nf-spice", "nf-spice", "deepcluster", "nf-spice"],
        "seed": [0, 1, 0, 0], "nmi": [.1, .2, .3, .4], "acc": .5, "ari": .5, "nmi_other": 0., "n_found": 2})
    newer = pd.DataFrame({"set": ["words"]*3, "by": "content", "points": ["networks", "fixed", "networks"], "skipping": True,
        "seed": [0, 0, 1], "nmi": [.9, .8, .7], "acc": .9, "ari": .9, "nmi_other": 0.})
    quality = pd.DataFrame({"set": ["words", "birds"], "by": "content", "k": [10, 8]})
    tables = {"ours": older, "steps": newer, "quality": quality}
    monkeypatch.setattr(reported, "results", tables.get)
    rows = reported.trained().groupby(["set", "method"]).nmi.apply(list)
    assert rows["words", "nf-spice"] == [.9, .7]
    assert rows["birds", "nf-spice"] == [.4] and rows["words", "deepcluster"] == [.3]
    tables["steps"] = newer[:2]  # one seed does not replace two
    assert reported.trained().groupby(["set", "method"]).nmi.apply(list)["words", "nf-spice"] == [.1, .2]


def test_every_method_of_the_report_has_a_name_and_a_kind():
    import reported
    runs = reported.all_runs()
    assert not runs.duplicated(["set", "by", "points", "method", "seed"]).any()
    ignoring = [f"{points}, {what}" for points in ("fixed", "auto") for what in ("order ignored", "noise kept")]
    assert runs.points.isin([*reported.POINTS, *ignoring]).all()
    assert set(runs.method) <= set(reported.METHODS)
    assert {reported.kind_of(p, m) for p,m in zip(runs.points, runs.method)} == set(reported.KINDS)
    assert set(reported.FIRST) <= set(reported.verdict_sets(runs, "content"))


def test_comparisons_say_what_they_rest_on():
    import reported
    rng = np.random.default_rng(0)
    runs = pd.DataFrame([dict(set=s, by="content", points="fixed", method=m, seed=seed, nmi=.5 + .1*(m == "spectral") + .001*rng.normal())
        for s in reported.FIRST for m in ("kmeans", "spectral", "consensus") for seed in range(3)])
    base = ("fixed", "kmeans")
    pairs = {m: (("fixed", m), base) for m in ("spectral", "consensus")}
    table = reported.comparisons(runs, "content", pairs, "nmi")
    assert (table.blocks == 5).all() and table.p["spectral"] == .0625 and table.holm["spectral"] == .125
    assert abs(table["mean"]["spectral"] - .1) < .005 and table.low["spectral"] > .09
    assert table.better["spectral"] == "5 of 5"
