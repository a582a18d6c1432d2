"""The constants of the methods are those that were frozen before the unopened recordings were opened."""
import json
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2]/"benchmarks"


def test_constants_are_those_that_were_frozen(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.delitem(sys.modules, "constants", raising=False)
    import constants
    now = constants.constants()
    frozen = json.loads(constants.FILE.read_text(encoding="utf-8"))
    assert not constants.differences(frozen, now), (
        "write benchmarks/constants.json anew (--freeze), "
        "and say in the changelog that results of before are of other constants")
    assert now["nf_spice.fixmatch.FixMatchOptions"]["threshold"] == .95
    assert now["nf_spice.nonredundant.NonRedundantClustering"]["limit"] == .08
    assert len(now) > 300
    changed = {**now, "nf_spice.fixmatch.FixMatchOptions": {**now["nf_spice.fixmatch.FixMatchOptions"], "threshold": .9}}
    assert [line.split(":")[0] for line in constants.differences(now, changed)] == ["nf_spice.fixmatch.FixMatchOptions"]
    # a message is no constant, neither in an older file nor in the package
    assert constants.plain("take fewer clusters, or more memory") is None
    said = {**now, "kmeans.lloyd._ADVICE": "take fewer clusters, or more memory"}
    assert constants.moved(said, now) == [] and len(constants.moved({**now, "kmeans.lloyd.LIMIT": 3}, now)) == 1
