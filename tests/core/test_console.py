"Progress as users ask for it: none, a bar, a class of tqdm's kind, or a function of batches."
import types

from audioclust.core.console import as_progress, progress_bar, progress_of


class Bar:
    "What tqdm does, written down."
    made: list = []
    def __init__(self, total, unit, desc):
        self.seen = [desc, unit, total]
        Bar.made.append(self.seen)
    def __enter__(self): return self
    def __exit__(self, *error): pass
    def update(self, n): self.seen.append(n)


def test_a_bar_counts_clips_of_batches_and_other_things_one_by_one():
    Bar.made.clear()
    batches = [types.SimpleNamespace(rows=[0, 1], errors=[]), types.SimpleNamespace(rows=[2], errors=["broken"])]
    progress = as_progress(Bar)
    assert list(progress(batches, 4)) == batches
    assert list(progress_of(progress, "looking for events", " recordings")("ab", 2)) == ["a", "b"]
    assert Bar.made == [["embedding", " clips", 4, 2, 2], ["looking for events", " recordings", 2, 1, 1]]


def test_no_bar_outside_of_a_notebook_and_where_none_is_wanted(capsys):
    for progress in as_progress(None), as_progress(False), progress_bar(-1), progress_bar(0):
        assert list(progress([1, 2], 2)) == [1, 2]
        assert list(progress_of(progress, "working", " things")([3], 1)) == [3]
    assert capsys.readouterr() == ("", ""), "standard error is no terminal here"


def test_a_log_says_the_share_after_two_seconds_and_each_minute(monkeypatch, capsys):
    clock = iter([0., 1., 3., 30., 70., 71.])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    assert list(progress_of(progress_bar(0), "reading", " files")(range(5), 5)) == [*range(5)]
    assert capsys.readouterr().err == "reading: 40% of 5 files, about 4 s left\nreading: 80% of 5 files, about 18 s left\n"
