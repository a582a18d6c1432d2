"Constraints: what follows from them, what contradicts, and a K-means that keeps to them whatever they are."
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from audioclust.ensembles import Consensus, SpectralClustering
from audioclust.kmeans import Constraints, KMeans
from audioclust.kmeans.constraints import choose_groups, constrained_kmeans, seeded_centers

N = 24
pairs = st.lists(st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)), max_size=12)
known = st.builds(lambda seeds, must, cannot: Constraints(np.array(seeds), must, cannot),
                  st.lists(st.sampled_from([-1, -1, -1, 0, 1, 2]), min_size=N, max_size=N), pairs, pairs)
X = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)

@given(known)
@settings(max_examples=60, deadline=None)
def test_what_is_known_holds(constraints):
    conflicts = {tuple(c) for c in constraints.conflicts}
    spectral = SpectralClustering(4, n_members=2, n_neighbors=(3, 5), random_state=0)
    for model in KMeans(4, random_state=0), Consensus(4, n_members=3, random_state=0), spectral:
        labels = model.fit(X, constraints=constraints).labels_
        seeded = constraints.seeds >= 0
        assert (labels[seeded] == constraints.seeds[seeded]).all()
        for i,j in constraints.must_link.tolist():
            assert labels[i] == labels[j] or ("must", i, j) in conflicts
        assert ((labels >= 0) & (labels < 4)).all()

@given(known, st.lists(st.integers(0, N - 1), unique=True, min_size=1))
@settings(max_examples=60, deadline=None)
def test_a_part_of_what_is_known_says_the_same(constraints, rows):
    part = constraints.of(np.array(rows))
    assert (part.seeds == constraints.seeds[rows]).all()
    pairs = {tuple(p) for p in constraints.must_link.tolist() if set(p) <= set(rows)}
    assert {(rows[i], rows[j]) for i,j in part.must_link.tolist()} == pairs

def test_cannot_links_are_kept_where_they_can_be():
    clique = Constraints(np.full(3, -1), cannot_link=[(0, 1), (1, 2), (0, 2)])
    rows = np.array([[0., 0], [0, .1], [0, .2]])
    assert len(set(KMeans(3, random_state=0).fit(rows, constraints=clique).labels_)) == 3
    two = KMeans(2, random_state=0).fit(rows, constraints=clique).labels_
    assert len(clique.violated(two)) == 1 # three that must differ do not fit in two groups

@given(st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_no_round_violates_more_than_the_last(seed):
    rng = np.random.default_rng(seed)
    constraints = Constraints(np.full(10, -1), cannot_link=rng.integers(0, 10, (15, 2)))
    groups, violated = None, np.inf
    for _ in range(4):
        groups = choose_groups(constraints, rng.random((len(constraints.blocks), 3)), groups)
        labels = np.zeros(10, int)
        for rows,g in zip(constraints.blocks, groups): labels[rows] = g
        of_blocks = [p for p in constraints.cannot_link.tolist() if any(p[0] in b for b in constraints.blocks)]
        violated_now = {tuple(sorted(p)) for p in constraints.violated(labels).tolist()}
        now = len(violated_now & {tuple(sorted(p)) for p in of_blocks})
        assert now <= violated
        violated = now

def test_seeds_decide_the_numbers_and_others_are_found():
    rows = np.repeat(np.arange(4.)[:, None]*10, 20, 0) + np.random.default_rng(1).normal(0, .1, (80, 1))
    seeds = np.full(80, -1)
    seeds[[0, 20]] = 3, 1
    on_cpu = KMeans(4, random_state=0, device="cpu")
    for model in KMeans(4, random_state=0), SpectralClustering(4, random_state=0), on_cpu:
        labels = model.fit(rows, constraints=Constraints(seeds)).labels_
        assert labels[0] == 3 and labels[20] == 1 and len(set(labels)) == 4
        assert all(len(set(labels[i:i + 20])) == 1 for i in range(0, 80, 20))
        assert (model.predict(rows) == labels).all()

def test_clusters_that_nothing_can_fill_are_left_empty():
    x, generator = torch.randn(40, 3), torch.Generator().manual_seed(0)
    all_known = Constraints(np.arange(40) % 4)
    fit = constrained_kmeans(x, seeded_centers(x, all_known, 7, generator), all_known, generator)
    assert (fit.n_reseeds, fit.n_iter) == (0, 1) and set(fit.labels.tolist()) == {0, 1, 2, 3}
    one_free = Constraints(np.r_[-1, np.arange(39) % 4])
    fit = constrained_kmeans(x, seeded_centers(x, one_free, 7, generator), one_free, generator)
    assert len(set(fit.labels.tolist())) == 5  # four known groups, and the free row


def test_tensors_and_files_work_too(tmp_path):
    rows = torch.from_numpy(X)
    seeds = np.full(N, -1)
    seeds[:2] = 0, 1
    expected = KMeans(3, random_state=0).fit(X, constraints=Constraints(seeds)).labels_
    assert (KMeans(3, random_state=0).fit(rows, constraints=Constraints(seeds)).labels_.numpy() == expected).all()
    np.save(tmp_path/"x.npy", X)
    mapped = np.load(tmp_path/"x.npy", mmap_mode="r")
    assert (KMeans(3, random_state=0).fit(mapped, constraints=Constraints(seeds)).labels_ == expected).all()

@pytest.mark.parametrize("wrong,message", [
    (lambda: Constraints(np.array([0, -2])), "one whole number per row"),
    (lambda: Constraints(np.array([0, 1]), must_link=[(0, 5)]), "rows from 0 to 1"),
    (lambda: Constraints(np.array([0, 1]), must_link=[(0, 1, 1)]), "pairs of row numbers"),
    (lambda: KMeans(3, init=X[:3]).fit(X, constraints=Constraints(np.full(N, -1))), "leave out sharded"),
    (lambda: SpectralClustering(2).fit(X, constraints=Constraints(np.full(N - 1, -1))), "of 23 rows"),
    (lambda: SpectralClustering(2).fit(X, constraints=Constraints(np.r_[5, np.full(N - 1, -1)])), "seeds of 6 groups"),
])
def test_what_is_wrong_is_said(wrong, message):
    with pytest.raises(ValueError, match=message): wrong()
