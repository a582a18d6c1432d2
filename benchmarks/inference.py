"""What a few sets say of other sets: exact paired tests, Holm's correction, and intervals. For `reported.py` and the pages of results.

    python benchmarks/inference.py        how often intervals of 95 % hold the truth, by the number of blocks, simulated

The unit is a *block* of sets: the three families of sounds come from one generator and count as one block, the mean of the three; every other set is a
block of its own. A *gain* is the mean score of a method over its seeds less that of another on the same set.
`sign_flip` asks how often a mean as far from zero comes about if each block could as well have had the other sign; all sign
patterns are counted, so with n blocks no p is below 2/2^n. `holm` corrects for the number of comparisons.
`t_interval` takes the blocks as a sample of a normal population; a bootstrap of so few blocks would be too narrow (`coverage`).
Goal: claims that a handful of sets can carry. Not a goal: the sampling error of one score (clips are not drawn anew).
"""
from itertools import product

import numpy as np
from scipy import stats

FAMILY = "sounds, " # what the names of the three families begin with


def block_of(name): return "families" if name.startswith(FAMILY) else name

def blocks_of(sets):
    "The sets of each block."
    found = {}
    for name in sets: found.setdefault(block_of(name), []).append(name)
    return found

def block_means(gains): # Set → gain
    "The mean gain of each block."
    return np.array([np.mean([gains[name] for name in names]) for names in blocks_of(gains).values()])

def smallest_p(n): # Blocks
    "The smallest p that `sign_flip` can find."
    return min(1., 2/2**n)

def sign_flip(gains): # Of the blocks
    "Two-sided p of the mean, by all patterns of signs."
    gains = np.asarray(gains, float)
    if not np.isfinite(gains).all(): raise ValueError(f"gains={gains.tolist()}: a block has no score")
    means = np.array(list(product((1, -1), repeat=len(gains)))) @ gains
    return float(np.mean(np.abs(means) >= abs(gains.sum()) - 1e-9))

def holm(p): # Of a family of comparisons
    "Each p corrected, so that a family holds one wrong claim with a probability of at most the level."
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order]*(len(p) - np.arange(len(p)))))
    return corrected

def t_interval(gains, level=.95): # Of the blocks
    "Low and high end of the interval of the mean."
    gains = np.asarray(gains, float)
    half = stats.t.ppf((1 + level)/2, len(gains) - 1)*gains.std(ddof=1)/np.sqrt(len(gains)) if len(gains) > 1 else np.nan
    return gains.mean() - half, gains.mean() + half

def coverage(n_blocks, simulations=2000, n=500, level=.95, seed=0):
    "How often the two kinds of intervals hold the truth where gains are normal: of t, of the bootstrap over blocks."
    rng = np.random.default_rng(seed)
    gains = rng.standard_normal((simulations, n_blocks)) # the truth is 0
    half = stats.t.ppf((1 + level)/2, n_blocks - 1)*gains.std(1, ddof=1)/np.sqrt(n_blocks)
    rows = rng.integers(n_blocks, size=(n, n_blocks))
    low, high = np.quantile(gains[:, rows].mean(-1), [(1 - level)/2, (1 + level)/2], axis=1)
    return float(np.mean(np.abs(gains.mean(1)) <= half)), float(np.mean((low <= 0) & (high >= 0)))


if __name__ == "__main__":
    for n in range(4, 9):
        of_t, of_bootstrap = coverage(n)
        print(f"{n} blocks: t {of_t:.2f}, bootstrap {of_bootstrap:.2f}, smallest p {smallest_p(n):.4f}")
