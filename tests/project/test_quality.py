"""The protocol of the results.

Published sets found by their folders, rows as they should be, and tables that are what the rows say."""
import json, re, shlex, sys
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
    assert load(name, tmp_path, limit=1).equals(load(name, tmp_path, limit=1))


def test_sets_that_are_not_there(tmp_path):
    from known_sets import load
    with pytest.raises(FileNotFoundError, match="ESC-50 is not there"): load("ESC-50", tmp_path)
    with pytest.raises(ValueError, match="no set 'ESC-5'"): load("ESC-5", tmp_path)
    lines(tmp_path/"meta/esc50.csv", "filename,fold,target,category,esc10,src_file,take", "a.wav,1,0,dog,True,1,A")
    with pytest.raises(FileNotFoundError, match="none of its recordings"): load("ESC-50", tmp_path)


def rows_of(script, arguments, tmp_path, monkeypatch):
    "What a script that trains would run on two published sets."
    made("AudioMNIST", tmp_path), made("ESC-50", tmp_path)
    out = tmp_path/"rows.csv"
    monkeypatch.setattr(sys, "argv", ["script", "--only", "AudioMNIST;ESC-50", "--seeds", "1", *arguments,
        "--data", str(tmp_path), "--out", str(out)])
    script.main()
    return {(row["set"], row["by"], row["clips"]) for _,row in pd.read_csv(out).iterrows()}

BOTH_WAYS = {("AudioMNIST", "content", 4), ("AudioMNIST", "source", 4), ("ESC-50", "content", 2)}  # every sound of ESC-50 has a source of its own

def test_methods_that_train_run_on_published_sets(tmp_path, monkeypatch):
    import published
    monkeypatch.setattr(published, "run", lambda table, method, by, seed: (np.zeros(len(table), int), dict(nmi=0.)))
    assert rows_of(published, ["--methods", "scan"], tmp_path, monkeypatch) == BOTH_WAYS

def test_single_steps_run_on_published_sets(tmp_path, monkeypatch):
    import steps
    monkeypatch.setattr(steps, "fitted", lambda *arguments: None)
    monkeypatch.setattr(steps, "scored", lambda *arguments: dict(nmi=0.))
    assert rows_of(steps, ["--how", "skipping"], tmp_path, monkeypatch) == BOTH_WAYS


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


def test_methods_for_two_groupings_run_where_there_are_two_answers(tmp_path, monkeypatch, capsys):
    import alternative
    monkeypatch.setattr(alternative, "find_spec", lambda name: True)
    monkeypatch.setattr(alternative, "labels_of", lambda method, X, k, seed: np.zeros(len(X), int))
    rows = rows_of(alternative, ["--methods", "orth", "--points", "fixed"], tmp_path, monkeypatch)
    assert rows == {row for row in BOTH_WAYS if row[0] == "AudioMNIST"}
    monkeypatch.setattr(alternative, "find_spec", lambda name: None)
    alternative.main()
    assert "pip install clustpy" in capsys.readouterr().out


def test_points_that_cannot_be_made_here_are_left_out(monkeypatch, capsys):
    import quality
    monkeypatch.setattr(quality, "available_encoders", lambda: ["fixed", "untrained"])
    monkeypatch.setattr(quality, "find_spec", lambda name: None)
    assert quality.with_encoders(["fixed", "auto", "mfcc"]) == ["fixed"]
    said = capsys.readouterr().out
    assert "audioclust encoders --install" in said and "pip install librosa" in said


def test_variants_that_there_are_not_and_constants_of_a_variant(monkeypatch):
    import divided
    assert divided.changes_of("none + start") == {"start"} and divided.changes_of("all - fair") == {*divided.CHANGES} - {"fair"}
    assert divided.changes_of("none") == set() and divided.changes_of("all") == {*divided.CHANGES}
    with pytest.raises(ValueError, match="no variant 'foo'"): divided.changes_of("foo")
    import published
    table = pd.DataFrame(dict(path=["a.wav"], start=0., end=1.))
    monkeypatch.setattr(published, "common_sample_rate", lambda paths: 8000)
    beside = published.model_of("spice-published, fixed encoder beside", table, 3, "content", 1)
    steps = published.model_of("spice-published, our threshold and steps", table, 3, "content", 1)
    assert isinstance(beside, published.BesideFixed) and (beside.n_clusters, beside.random_state) == (3, 1)
    assert steps.get_params()["published"].threshold == .8


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
    # agglomerative runs once
    assert len(rows) == 2*(2 + 1 + 2)
    assert not rows.duplicated(["variant", "seed"]).any()
    assert set(rows.by) == {"content", "source"}
    assert (rows.k == 2).all()
    assert (rows.clips == 20).all()
    assert (rows.coverage == 1).all()
    assert rows.seconds.isna().all()
    assert (rows.megabytes.isna() | (rows.megabytes > 50)).all()
    assert rows.versions.str.contains("audioclust").all()
    best = rows[(rows.points == "mfcc") & (rows.by == "content")]
    assert (best.acc == 1).all() and (best.nmi == 1).all() and (best.nmi_other < .1).all()
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


def test_todo_runs_once_what_no_seed_changes():
    from quality import todo_of
    todo = todo_of(["s"], ["fixed", "untrained"], None, 3, lambda n: ("content",))
    assert todo.count(("s / content / fixed / agglomerative", 0)) == 1
    assert ("s / content / fixed / agglomerative", 1) not in todo
    assert ("s / content / untrained / agglomerative", 2) in todo
    assert ("s / content / fixed / kmeans", 2) in todo
    assert len(todo) == len(set(todo))


def test_peers_that_are_not_there_are_left_out_with_how_to_install_them(tmp_path, monkeypatch, capsys):
    import quality
    ran = []
    monkeypatch.setattr(quality, "find_spec", lambda module: None)
    monkeypatch.setattr(quality, "append", lambda out, todo, run: ran.extend(todo))
    monkeypatch.setattr(sys, "argv", ["quality.py", "--only", "birds", "--points", "fixed;mfcc", "--by",
        "content", "--out", str(tmp_path/"r.csv")])
    quality.main()
    said = capsys.readouterr().out
    assert "pip install umap-learn" in said and "pip install clustpy" in said
    assert ran and not any("umap" in v or "clustpy" in v or " / source / " in v for v,_ in ran)


def test_clustpy_takes_our_points_and_its_seeds_differ(monkeypatch):
    clustpy = pytest.importorskip("clustpy")
    import quality
    monkeypatch.setattr(quality, "ENOUGH", 20)  # of 200: ten epochs and fifteen
    assert quality.epochs_of(200) == (10, 15) and quality.epochs_of(20) == (100, 150)
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(200, 12)) + 5*np.eye(12)[np.arange(200) % 4]).astype(np.float32)
    firsts = [quality.first_part("clustpy dec", X, seed)[0] for seed in (0, 0, 1)]
    z = [f[1].transform(X) for f in firsts]
    assert np.allclose(z[0], z[1]) and not np.allclose(z[0], z[2])
    weights = [p.detach().clone() for p in firsts[0][1].parameters()]
    for method in quality.CLUSTPY:
        labels,_ = quality.group(method, firsts[0], 4, 0)
        assert labels.shape == (200,) and quality.score(np.arange(200) % 4, labels)["acc"] > .9
    assert all((a == b).all() for a,b in zip(weights, firsts[0][1].parameters()))  # each works on a copy


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


def test_rows_of_peers_say_whose_they_are_and_their_seeds_differ():
    r = rows()
    r = r[r.method.str.startswith("clustpy")]
    assert len(r) and r.versions.str.contains(r"clustpy \d").all() and not r.commit.str.endswith("+").any()
    assert (r[r.by == "content"].groupby("variant").nmi.nunique() >= 4).all()

def test_rows_of_the_harder_digits_and_of_the_costs():
    from quality import HARDER
    h, c = (pd.read_csv(root/f"benchmarks/results/quality-{n}.csv") for n in ("harder", "cost"))
    assert (h.groupby(["set", "by", "method"]).seed.nunique() == 5).all()
    assert set(h["set"]) == {f"spoken digits: {n}" for n in HARDER}
    assert len(h) == len(HARDER)*2*3*5
    assert not h.duplicated(["variant", "seed"]).any()
    assert (h[h["set"].str.endswith("half as many groups")].groupby("by").k.first() == [5, 3]).all()
    assert (c.cpu_seconds > 0).all()
    assert (c.points_cpu_seconds > 0).all()
    assert c.machine.str.contains("1 threads").all()
    assert not pd.concat([h, c]).commit.str.endswith("+").any()
    cells = json.loads((root/"nbs/results/08_failures.ipynb").read_text(encoding="utf-8"))["cells"]
    cell = next(x for x in cells if "#| label: tbl-results-cost\n" in "".join(x["source"]))
    shown = re.findall(r"<td>(.*?)</td>", "".join(cell["outputs"][0]["data"]["text/html"]))
    shown_rows = [shown[i:i + 4] for i in range(0, len(shown), 4)]
    for one in c.itertuples():
        seconds = f"{one.cpu_seconds:.2f}" if one.cpu_seconds < 10 else f"{one.cpu_seconds:.0f}"
        row = [f"{one.points_cpu_seconds:.1f}", seconds, f"{one.megabytes:.0f}", f"{one.nmi:.3f}"]
        assert row in shown_rows, "run the notebook of the results again"


def test_rows_of_the_graphs():
    from graphs import GRAPHS, ncut
    g, n, c, q = (pd.read_csv(root/f"benchmarks/results/{name}.csv")
        for name in ("graphs", "graphs-neighbours", "graphs-cost", "quality"))
    assert (g.groupby(["set", "by", "neighbours"]).seed.nunique() == 5).all()
    assert len(g) == 7*2*len(GRAPHS)*5
    assert len(n) == 14
    assert len(c) == 10
    assert not pd.concat([g, n, c]).commit.str.endswith("+").any()
    same = g[g.neighbours == "all six"].merge(q[(q.points == "fixed") & (q.method == "spectral")],
        on=["set", "by", "seed"])
    assert len(same) == 70 and (same.nmi_x - same.nmi_y).abs().max() < .0015  # the same runs, made twice
    from scipy.sparse import csr_array
    W = csr_array(np.array([[0., 1, 0, 0], [1, 0, .5, 0], [0, .5, 0, 1], [0, 0, 1, 0]]))
    assert abs(ncut(W, np.array([0, 0, 1, 1])) - 2*.5/2.5) < 1e-12 and ncut(W, np.zeros(4)) == 0


@pytest.mark.parametrize("label,name", [("digits", "spoken digits"), ("words", "words"),
    ("easy", "sounds, easy"), ("middle", "sounds, middle"), ("hard", "sounds, hard"), ("machines", "machines"),
    ("birds", "birds")])
def test_the_tables_of_the_page_are_what_the_rows_say(label, name):
    cells = json.loads((root/"nbs/results/06_tables.ipynb").read_text(encoding="utf-8"))["cells"]
    cell = next(c for c in cells if f"#| label: tbl-results-{label}\n" in "".join(c["source"]))
    shown = re.findall(r"<td>(.*?)</td>", "".join(cell["outputs"][0]["data"]["text/html"]))
    r = rows()
    for points,method in (("fixed", "consensus"), ("mfcc", "sklearn kmeans"), ("mfcc", "umap, kmeans"),
        ("fixed", "clustpy dec"), ("fixed", "clustpy idec"), ("fixed", "clustpy dcn")):
        one = r[(r["set"] == name) & (r.by == "content") & (r.points == points) & (r.method == method)]
        want = [f"{one[m].mean():.2f} ± {one[m].std():.2f}" for m in ("acc", "nmi", "ari", "nmi_other")]
        assert any(shown[i:i + 4] == want for i in range(len(shown))), f"{want}: run the notebook of the results again"


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


def test_rows_of_what_trains_have_five_seeds():
    r = pd.read_csv(root/"benchmarks/results/sets.csv")
    assert not r.duplicated(["variant", "seed"]).any()
    assert not r.commit.str.endswith("+").any()
    assert r[["acc", "nmi", "nmi_other"]].stack().between(0, 1).all()
    n = r[~r.method.str.contains("passes")].groupby("variant").seed.apply(set)
    assert len(n) == 6*2*2 and (n == {0, 1, 2, 3, 4}).all(), n  # six sets, both ways, two methods


def test_rows_that_are_made_again_take_the_place_of_the_old_ones(tmp_path, monkeypatch, capsys):
    import again
    monkeypatch.setattr(again, "RESULTS", tmp_path)
    head = "variant,seed,acc,nmi,note,commit,machine\n"
    same = '"a, b / c",0,0.50,0.10,,aaa,"x, 1 threads"\n'
    (tmp_path/"t.csv").write_text(f"{head}{same}d,1,0.5,0.3,,aaa,x\n")
    (tmp_path/"new.csv").write_text(f"{head}d,1,0.25,0.4,,bbb,y\ne,0,1,1,,bbb,y\n")
    monkeypatch.setattr(sys, "argv", ["again", "t", str(tmp_path/"new.csv")])
    again.main()
    assert (tmp_path/"t.csv").read_text() == f"{head}{same}d,1,0.25,0.4,,bbb,y\n"
    log = pd.read_csv(tmp_path/"again.csv")
    assert log[["table", "variant", "seed", "nmi_before", "nmi_after", "commit_before", "commit_after",
        "machine_after"]].to_numpy().tolist() == [["t", "d", 1, .3, .4, "aaa", "bbb", "y"]]
    said = capsys.readouterr().out
    assert "('e', '0')" in said and "1 of 2 rows made again" in said


def test_prediction_strength_by_hand():
    from audioclust.kmeans import KMeans
    from candidates import prediction_strength
    class By:  # a clusterer that cuts the line at a place that the seed does not know
        def __init__(self, at): self.at = at
        def fit(self, X):
            self.labels_ = self.predict(X)
            return self
        def predict(self, X): return (X[:, 0] > self.at).astype(int)
    X = np.linspace(0, 1, 100)[:, None]
    assert prediction_strength(lambda seed: By(.5), X) == 1
    cuts = iter([.5, .25]*50)
    s = prediction_strength(lambda seed: By(next(cuts)), X, n=50)
    assert .3 < s < .8  # one of two clusters is cut in two by the other half's clusterer
    rng = np.random.default_rng(0)
    heaps = rng.normal(size=(120, 2)) + np.repeat([[0, 0], [20, 0], [0, 20]], 40, 0)
    def make(k): return lambda seed: KMeans(k, n_init=3, random_state=seed)
    assert prediction_strength(make(3), heaps) == 1 > prediction_strength(make(5), heaps)
