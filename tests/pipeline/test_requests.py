"Wrong requests and odd sounds: each has a stated outcome, and a wrong request is one line and status 2."
import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.core.registry import make_clusterer, METHODS, trains_encoder
from audioclust.encoders import FixedEncoder
from audioclust.pipeline import all_steps, AudioClusterer
from audioclust.pipeline.examine_step import advice


def cluster(folder, out, *more):
    return main(["cluster", str(folder), "--out", str(out), "--no-cache", "--no-page", "-q", *more])

@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    synthetic_words(3, 2, 4).save(folder/"sounds")
    assert cluster(folder/"sounds", folder/"run", "--n-clusters", "3", "--stability", "0") == 0
    (folder/"empty").mkdir()
    (folder/"full").mkdir()
    (folder/"full/notes.txt").write_text("mine")
    (folder/"file.txt").write_text("no sound")
    (folder/"bad.csv").write_text("a,b\n1,2\n")
    (folder/"other.csv").write_text("path,label\nx.wav,1\n")
    return folder

WRONG_OPTIONS = """
--n-clusters 0; --n-clusters -3; --n-clusters 1.5; --n-clusters x; --n-clusters EMPTY; --n-clusters 25
--n-clusters 999999999999999999999999999999; --n-clusters 3,3; --n-clusters 3,3,3
--n-clusters 3 --by both --ignore level; --n-clusters nan; --method x; --method EMPTY
--encoder x; --encoder EMPTY; --encoder hf:; --encoder hf:/nowhere/at/all; --encoder untrained --method deepcluster
--epochs x; --epochs 3; --epochs -1 --method nf-spice; --by x; --ignore x; --ignore level,x
--window 0; --window x; --window nan; --window inf; --hop 1; --window 1 --hop 0
--labels x(; --labels nothinglikethis; --labels nowhere.csv; --labels MADE/bad.csv; --labels MADE/other.csv
--rate 0; --rate x; --rate 100; --rate 10000000; --rate 44100.5
--set x; --set =3; --set colour=3; --set tol='a'; --set n_init=0; --set n_init='x'; --set max_iter=-1
--set n_clusters=3
--method dbscan --set eps=-1; --method dbscan --set eps='x'; --method dbscan --set min_samples=0
--method hdbscan --set min_cluster_size=0; --method hdbscan --set min_cluster_size='x'
--method hdbscan --set n_axes=0; --method hdbscan --set reach='x'; --method hdbscan --set metric='cosine' --set n_axes=2
--method meanshift --set bandwidth=-1; --method agglomerative --set linkage='x'; --method consensus --set n_members=0
--method spectral --set n_neighbors=0; --method spectral --set n_neighbors='x'; --method spectral --set metric='x'
--method spectral --set n_members=0; --method deepcluster --epochs 1 --set views=0
--method deepcluster --epochs 1 --set lr=-1; --method deepcluster --epochs 1 --set backbone='x'
--method nf-spice --set colour=1; --stability x; --stability -1
--seed x; --seed -1; --seed 1e99; --seed 1099511627776; --device x; --device cuda:99
--workers x; --workers -1
--max-memory x; --max-memory 0; --max-memory nan; --max-memory 4; --max-memory 99999999999999999999T; --cache MADE/c --no-cache
--like MADE/empty; --like nowhere; --like MADE/file.txt; --colour red; more
"""
WRONG_COMMANDS = """
cluster nowhere --out OUT; cluster MADE/file.txt --out OUT; cluster MADE/empty --out OUT
cluster MADE/bad.csv --out OUT; cluster *.xyz --out OUT; cluster SOUNDS; cluster EMPTY --out OUT
cluster SOUNDS --out EMPTY; cluster SOUNDS --out MADE/file.txt; cluster SOUNDS --out MADE/full
cluster SOUNDS --out RUN; cluster SOUNDS --out SOUNDS; cluster SOUNDS --out SOUNDS/in/there
cluster SOUNDS --out MADE/file.txt/in
assign; assign RUN; assign nowhere SOUNDS; assign MADE/file.txt SOUNDS --out OUT; assign RUN nowhere --out OUT
assign RUN MADE/empty --out OUT; assign RUN SOUNDS --out MADE/file.txt
assign RUN SOUNDS --out OUT --none-beyond x; assign RUN SOUNDS --out OUT --none-beyond -1
listen nowhere; listen MADE/empty; listen RUN --edits nowhere; listen RUN --edits MADE/file.txt
listen RUN --edits MADE/empty; listen RUN --max-clips 0; listen RUN --max-clips x
export RUN; export RUN --to x --out OUT; export RUN --to audacity --out MADE/file.txt; export RUN --to csv --out OUT
export nowhere --to csv --out OUT.csv; export RUN --to csv --out OUT.csv --without nobody
export RUN --to folders --out MADE/full; export RUN --to folders --out SOUNDS/in; export nowhere --to folders --out OUT
duplicates nowhere --out OUT; duplicates SOUNDS --out MADE/file.txt; duplicates SOUNDS --out SOUNDS/d.csv; duplicates
compare nowhere --out OUT; compare SOUNDS --out MADE/full; compare SOUNDS --out SOUNDS/in
compare SOUNDS --out OUT --methods x; compare SOUNDS --out OUT --methods EMPTY; compare SOUNDS --out OUT --encoders x
compare SOUNDS --out OUT --encoders EMPTY; compare SOUNDS --out OUT --n-clusters 99
compare SOUNDS --out OUT --n-clusters 2,3; compare SOUNDS --out OUT --window 0; compare SOUNDS --out OUT --seed -1
compare SOUNDS --out OUT --labels nothinglikethis
compare RUN; compare nowhere --labels parent; compare RUN --labels x(; compare RUN --labels nothinglikethis
compare RUN --labels nowhere.csv; compare RUN --labels EMPTY; demo --out MADE/full; x
"""

def listed(text): return [part.split() for line in text.split("\n") for part in line.split("; ") if part]

WRONG = [["cluster", "SOUNDS", "--out", "OUT", *options] for options in listed(WRONG_OPTIONS)]
WRONG += [*listed(WRONG_COMMANDS), []]

@pytest.mark.parametrize("request_", WRONG, ids=" ".join)
def test_a_wrong_request_is_one_line_and_status_2(made, tmp_path, capsys, monkeypatch, request_):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    known = dict(SOUNDS=str(made/"sounds"), RUN=str(made/"run"), MADE=str(made), OUT=str(tmp_path/"out"), EMPTY="")
    words = []
    for w in request_:
        for name,value in known.items():
            if w == name or w.startswith((name + "/", name + ".")): w = value + w[len(name):]
        words.append(w)
    before = {p: p.stat().st_mtime_ns for p in made.rglob("*") if p.is_file()}
    try: status = main(words)
    except SystemExit as e: status = e.code
    err = capsys.readouterr().err
    said = [l for l in err.splitlines() if l and not l.startswith(("warning: ", "fixed", "untrained", "the default"))]
    assert status == 2 and (len(said) == 1 or not request_), (status, err[-500:])
    for text in "usage:", "Traceback", "should not happen", "is none of ours": assert text not in err, err[-500:]
    assert {p: p.stat().st_mtime_ns for p in made.rglob("*") if p.is_file()} == before


QUICK = "kmeans", "consensus", "spectral", "agglomerative", "hdbscan", "dbscan", "meanshift"

@pytest.mark.draws
@pytest.mark.parametrize("method", QUICK)
@pytest.mark.parametrize("n", [1, 2])
def test_one_clip_and_two(tone, tmp_path, capsys, method, n):
    for i in range(n): tone(tmp_path/"in"/f"{i}.wav", hz=300*(i + 1))
    status = cluster(tmp_path/"in", tmp_path/"run", "--method", method, "--n-clusters", "1")
    err = capsys.readouterr().err
    needs_more = method == "hdbscan" or (method == "agglomerative" and n == 1)
    if needs_more: assert status == 2 and err.count("\n") == 1 and "sample" in err and not (tmp_path/"run").exists()
    else: assert status == 0 and len(pd.read_csv(tmp_path/"run/clusters.csv")) == n


@pytest.mark.draws
@pytest.mark.parametrize("method", QUICK)
def test_all_silent(tmp_path, capsys, method):
    (tmp_path/"in").mkdir()
    for i in range(25): sf.write(tmp_path/"in"/f"{i:02d}.wav", np.zeros(8000), 16000)
    assert cluster(tmp_path/"in", tmp_path/"run", "--method", method, "--n-clusters", "3") == 0, capsys.readouterr().err
    t = pd.read_csv(tmp_path/"run/clusters.csv")
    assert len(t) == 25 and t.cluster.nunique() <= 3 and np.isfinite(np.load(tmp_path/"run/embeddings.npy")).all()
    sure = t.confidence.between(0, 1)  # where there is one cluster it says nothing and is empty
    assert sure.all() if t.cluster.nunique() > 1 or (t.cluster < 0).any() else (sure | t.confidence.isna()).all()


def test_an_encoder_that_gives_what_is_no_number(made):
    class Broken(FixedEncoder):
        def forward(self, wave, lengths): return super().forward(wave, lengths)*float("nan")
    model = AudioClusterer(n_clusters=2, encoder=Broken(sample_rate=16000))
    with pytest.raises(ValueError, match="finite"): model.fit(made/"sounds")


def test_a_damaged_run_to_be_like_is_refused_before_any_work(made, tmp_path, capsys, monkeypatch):
    assert cluster(made/"sounds", tmp_path/"old", "--n-clusters", "2") == 0
    (tmp_path/"old/clusters.csv").write_text("nothing,of,this\n1,2,3\n")
    monkeypatch.setattr(all_steps, "find", lambda *a, **k: pytest.fail("sounds were heard"))
    assert cluster(made/"sounds", tmp_path/"new", "--n-clusters", "2", "--like", str(tmp_path/"old")) == 2
    assert "is damaged" in capsys.readouterr().err and not (tmp_path/"new/run.json").exists()


def test_advice_names_only_what_a_method_has():
    "HDBSCAN was told to try a larger eps, which it does not have."
    noise, mostly_noise = np.full(40, -1), np.append(np.full(30, -1), np.repeat([0, 1], 5))
    one, two = np.zeros(40, int), np.append(np.zeros(39, int), 1)
    for method in METHODS:
        known = {} if trains_encoder(method) else make_clusterer(method, 2, 0, None).get_params()
        for labels in noise, mostly_noise, one, two:
            (text,) = advice(labels, 2, method)
            for name in "eps", "bandwidth", "min_cluster_size", "min_samples":
                assert (name in text) <= (name in known), (method, text)
            assert "ry or" not in text and ", or" in text or "kmeans" in text
