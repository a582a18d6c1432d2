"""The protocol of the results.

Published sets found by their folders, and rows as they should be."""
import json, shlex, sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

root = Path(__file__).resolve().parents[2]
if not (root/"benchmarks").is_dir(): pytest.skip("needs a checkout", allow_module_level=True)


@pytest.fixture(autouse=True)
def beside(monkeypatch): monkeypatch.syspath_prepend(str(root/"benchmarks"))

def wav(*paths, rate=8000):
    for i,p in enumerate(map(Path, paths)):
        p.parent.mkdir(parents=True, exist_ok=True)
        sf.write(p, .1*np.sin(2*np.pi*(200 + 100*i)*np.arange(rate//2)/rate), rate)

def lines(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n")


def made(name, root):
    "A few files in the layout of a published set."
    if name == "ESC-50":
        here = root/"ESC-50-master"
        wav(here/"audio/1-100032-A-0.wav", here/"audio/5-9032-A-36.wav")
        lines(here/"meta/esc50.csv", "filename,fold,target,category,esc10,src_file,take",
            "1-100032-A-0.wav,1,0,dog,True,100032,A", "5-9032-A-36.wav,5,36,vacuum_cleaner,False,9032,A")
        return {("dog", "100032"), ("vacuum_cleaner", "9032")}
    if name == "UrbanSound8K":
        here = root/"UrbanSound8K"
        wav(here/"audio/fold5/100032-3-0-0.wav", here/"audio/fold10/100648-1-0-0.wav")
        lines(here/"metadata/UrbanSound8K.csv", "slice_file_name,fsID,start,end,salience,fold,classID,class",
            "100032-3-0-0.wav,100032,0.0,0.317551,1,5,3,dog_bark", "100648-1-0-0.wav,100648,4.8,5.1,2,10,1,car_horn")
        return {("dog_bark", "100032"), ("car_horn", "100648")}
    if name == "AudioMNIST":
        wav(*(root/"AudioMNIST/data"/s/f"{d}_{s}_0.wav" for s in ("01", "60") for d in (0, 9)))
        lines(root/"AudioMNIST/data/audioMNIST_meta.txt", "{}")
        return {("0", "01"), ("9", "01"), ("0", "60"), ("9", "60")}
    if name == "Speech Commands":
        here = root/"speech_commands_v0.02"
        wav(here/"bed/00176480_nohash_0.wav", here/"yes/00176480_nohash_3.wav",
            here/"yes/0a2b400e_nohash_0.wav", here/"_background_noise_/pink_noise.wav")
        return {("bed", "00176480"), ("yes", "00176480"), ("yes", "0a2b400e")}
    if name == "MIMII":
        here = root/"0_dB"
        wav(here/"fan/id_00/normal/00000000.wav", here/"fan/id_00/abnormal/00000000.wav",
            here/"pump/id_02/normal/00000000.wav")
        return {("normal", "fan id_00"), ("abnormal", "fan id_00"), ("normal", "pump id_02")}
    here, notes = root/"nsynth-test", {}
    for note,family,source in (("bass_synthetic_068-049-025", "bass", "synthetic"),
        ("organ_electronic_001-060-127", "organ", "electronic")):
        wav(here/"audio"/f"{note}.wav")
        notes[note] = dict(note_str=note, instrument_family_str=family, instrument_source_str=source,
            instrument_str=note[:-8], pitch=49)
    lines(here/"examples.json", json.dumps(notes))
    return {("bass", "synthetic"), ("organ", "electronic")}


@pytest.mark.parametrize("name", ["ESC-50", "UrbanSound8K", "AudioMNIST", "Speech Commands", "NSynth", "MIMII"])
def test_a_published_set_is_found_and_read(name, tmp_path):
    from known_sets import KNOWN, find, load
    want = made(name, tmp_path/"some")
    table = load(name, tmp_path)
    assert set(zip(table.label, table.source)) == want and len(table) == len(want)
    assert all(Path(p).is_file() for p in table.path) and (table.end - table.start > .4).all()
    assert not any(find(other, tmp_path) for other in KNOWN if other != name)  # none is taken for another
    assert len(load(name, tmp_path, limit=1)) == 1


def test_sets_that_are_not_there(tmp_path):
    from known_sets import load
    with pytest.raises(FileNotFoundError, match="ESC-50 is not there"): load("ESC-50", tmp_path)
    with pytest.raises(ValueError, match="no set 'ESC-5'"): load("ESC-5", tmp_path)
    lines(tmp_path/"meta/esc50.csv", "filename,fold,target,category,esc10,src_file,take", "a.wav,1,0,dog,True,1,A")
    with pytest.raises(FileNotFoundError, match="none of its recordings"): load("ESC-50", tmp_path)


def test_one_command_runs_the_whole_verdict_on_what_is_there(tmp_path, monkeypatch, capsys):
    import verdict
    made("AudioMNIST", tmp_path), made("ESC-50", tmp_path)
    monkeypatch.setattr(sys, "argv", ["verdict.py", str(tmp_path), "--seeds", "2", "--dry"])
    verdict.main()
    said = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert len(said) == len(verdict.SCRIPTS)
    for words in said:
        text = Path(words[1]).read_text(encoding="utf-8")
        assert words[words.index("--only") + 1] == "ESC-50;AudioMNIST" and words[words.index("--seeds") + 1] == "2"
        assert all(f'"{option}"' in text for option in words if option.startswith("--")), words
    monkeypatch.setattr(sys, "argv", ["verdict.py", str(tmp_path/"empty")])
    with pytest.raises(SystemExit): verdict.main()
    assert "none of ESC-50" in capsys.readouterr().err


def test_one_command_fills_the_rows_of_a_set_and_does_nothing_twice(tmp_path, monkeypatch, capsys):
    import quality
    here, rng = tmp_path/"AudioMNIST/data", np.random.default_rng(0)
    for s in range(2):
        (here/f"0{s}").mkdir(parents=True)
        for d in range(2):
            for take in range(5):
                t = np.arange(6000)/8000
                sf.write(here/f"0{s}"/f"{d}_0{s}_{take}.wav",
                    .3*np.sin(2*np.pi*(300 + 900*d)*t*(1 + .01*take)) + .02*(1 + 3*s)*rng.standard_normal(6000), 8000)
    out = tmp_path/"rows.csv"
    argv = ["quality.py", "--data", str(tmp_path), "--only", "AudioMNIST", "--points", "fixed;mfcc",
        "--methods", "kmeans;agglomerative;sklearn kmeans", "--seeds", "2", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", argv)
    quality.main()
    rows = pd.read_csv(out)
    assert len(rows) == 2*(2 + 1 + 2 + 2)  # agglomerative runs once
    assert not rows.duplicated(["variant", "seed"]).any()
    assert set(rows.by) == {"content", "source"}
    assert (rows.k == 2).all() and (rows.clips == 20).all() and (rows.coverage == 1).all()
    assert rows.versions.str.contains("audioclust").all()
    best = rows[(rows.points == "mfcc") & (rows.by == "content")]
    assert len(best) == 4 and (best.acc == 1).all() and (best.nmi == 1).all() and (best.nmi_other < .1).all()
    before = out.read_bytes()
    quality.main()
    assert out.read_bytes() == before


def test_rows_are_scored_against_what_was_wanted():
    from quality import scored
    table = pd.DataFrame(dict(label=[*"aabb"]*2, source=[*"xyxy"]*2))
    by_label, by_source = np.array([0, 0, 1, 1]*2), np.array([0, 1, 0, 1]*2)
    s = scored(table, "content", 2, by_label)
    assert s["acc"] == s["nmi"] == 1 and s["nmi_other"] == 0 and s["clusters"] == 2
    s = scored(table, "source", 2, by_label)
    assert s["nmi"] == 0 and s["nmi_other"] == 1
    assert scored(table, "source", 2, np.where(by_source, -1, 0))["coverage"] == .5
    # each source has one label: there is no other grouping
    nested = pd.DataFrame(dict(label=[*"aabb"], source=[*"wxyz"]))
    assert scored(nested, "content", 1, np.array([0, 0, 1, 1]))["nmi_other"] == ""


def test_a_source_of_few_clips_is_not_scored():
    from quality import groups_of, scored
    table = pd.DataFrame(dict(label=[*"ab"]*6, source=["x"]*5 + ["y"]*5 + ["z"]*2))
    assert groups_of(table, "source") == groups_of(table, "content") == 2
    assert scored(table, "source", 2, np.array([0]*5 + [1]*5 + [0, 1]))["acc"] == 1


def test_one_command_makes_the_rows_of_real_sets_but_opens_none_by_itself(tmp_path, monkeypatch, capsys):
    import verdict
    from quality import downloaded
    for name in ("esc10", "emodb"): wav(tmp_path/name/"dog"/"1__a.wav")
    assert downloaded(tmp_path) == ["esc10"]
    for real,named in (("choosing", "esc10;spoken digits"), ("reporting", "emodb;emodb_emotion")):
        monkeypatch.setattr(sys, "argv", ["verdict.py", str(tmp_path), "--real", real, "--dry"])
        verdict.main()
        first = shlex.split(capsys.readouterr().out.splitlines()[0])
        assert first[first.index("--only") + 1] == named


def test_what_makes_the_digits_harder(tmp_path):
    from quality import HARDER, harder
    here = [tmp_path/f"{i}.wav" for i in range(200)]
    wav(*here)
    table = pd.DataFrame(dict(path=here, start=0., end=.5, label=[*"abcd"]*50, source=["x"]*100 + ["y"]*100))
    few = [harder(table, "content", s, tmp_path/"n", **HARDER["a quarter of the clips"]) for s in (0, 0, 1)]
    assert [len(f) for f in few] == [50]*3 and few[0].equals(few[1]) and not few[0].equals(few[2])
    unequal = [harder(table, "content", s, tmp_path/"n", **HARDER["unequal groups"]).label.value_counts()
        for s in range(5)]
    assert all(sorted(u) == [5, 11, 23, 50] for u in unequal) and len({u.idxmax() for u in unequal}) > 1
    assert sorted(harder(table, "source", 0, tmp_path/"n",
        **HARDER["unequal groups"]).source.value_counts()) == [10, 100]
    (tmp_path/"n").mkdir()
    for name,snr in (("noise at 20 dB", 20), ("noise at 0 dB", 0)):
        loud = harder(table.head(5), "content", 0, tmp_path/"n", **HARDER[name])
        assert list(loud.label) == [*"abcda"]
        for p,q in zip(table.path, loud.path):
            x, y = sf.read(p)[0], sf.read(q)[0]
            noise = y - x*(x @ y)/(x @ x)  # what is not the sound
            assert abs(10*np.log10(((y - noise)**2).sum()/(noise**2).sum()) - snr) < .5


def rows(): return pd.read_csv(root/"benchmarks/results/quality.csv")

def test_rows_have_seeds_commit_and_versions():
    r = rows()
    assert not r.duplicated(["variant", "seed"]).any()
    assert r[["commit", "versions", "machine", "device"]].notna().all().all()
    assert r[["acc", "nmi", "coverage"]].stack().between(0, 1).all() and r.ari.between(-.5, 1).all()
    from quality import ONCE
    n = r[~r.method.isin(ONCE)].groupby("variant").seed.nunique()
    assert (n >= 5).all(), n[n < 5]


def test_the_head_that_would_be_chosen_is_as_likely_as_counting_says():
    from itertools import combinations
    from heads import NUMBERS, chosen
    for n,m in ((6, 1), (6, 3), (5, 5)):
        assert np.allclose(chosen(n, m),
            np.bincount([min(c) for c in combinations(range(n), m)], minlength=n)/len(list(combinations(range(n), m))))
    r = pd.read_csv(root/"benchmarks/results/heads-number.csv")
    assert set(r.heads) == set(NUMBERS)
    assert (r.groupby("variant").seed.nunique() == 5).all()
    assert (r.acc_best >= r.acc - 1e-9).all()
    assert (r[r.heads == max(NUMBERS)].acc_sd == 0).all()
    # the best of more is no worse
    assert (np.diff(r.set_index(["kind", "embedding", "seed", "heads"]).acc_best.unstack(), axis=1) >= 0).all()
