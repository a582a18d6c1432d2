"Several ways side by side."
import pandas as pd
import pytest

from audioclust.cli import main
from audioclust.cli.commands import compare
from audioclust.pipeline import AudioClusterer
from audioclust.runs import Run


def test_compare_on_the_command_line(words, tmp_path, capsys):
    folder, _ = words
    args = ["compare", str(folder), "--out", str(tmp_path/"ways"), "--encoders", "fixed", "--methods",
            "kmeans,agglomerative,hdbscan", "--n-clusters", "6", "--labels", "parent", "-q"]
    assert main(args) == 0
    t = pd.read_csv(tmp_path/"ways/compare.csv")
    assert list(t.method) == ["kmeans", "agglomerative", "hdbscan"] and t.nmi[:2].gt(.5).all() and t.agreement[0] > .5
    said = capsys.readouterr().out
    assert "agreement" in said and "compare.html" in said
    html = (tmp_path/"ways/compare.html").read_text()
    for name in "fixed-kmeans", "fixed-agglomerative", "fixed-hdbscan":
        assert f"{name}/listen.html" in html and (tmp_path/"ways"/name/"listen.html").is_file()
        AudioClusterer.load(tmp_path/"ways"/name)
    assert main(args) == 2 and "already" in capsys.readouterr().err
    assert main(["compare", str(folder), "--out", str(tmp_path/"x"), "--methods", "magic"]) == 2
    assert "no method 'magic'" in capsys.readouterr().err


def test_regroup_listens_only_once(words):
    folder, _ = words
    m = AudioClusterer(n_clusters=6).fit(folder)
    same = m.regroup()
    assert (same.labels_ == m.labels_).all() and same.embeddings_ is m.embeddings_
    assert (same.assign(folder, []).cluster.to_numpy() == same.labels_).all()
    auto = m.regroup("agglomerative", n_clusters="auto")
    assert auto.n_clusters_choice_.k == len(set(auto.labels_)) and m.n_clusters_choice_ is None
    with pytest.raises(ValueError, match="trains its own"): m.regroup("nf-spice")
    with pytest.raises(ValueError, match="only 192"): m.regroup(n_clusters=1000)


def test_two_encoders_of_one_class_are_two_candidates(words):
    from audioclust.encoders import FixedEncoder
    from audioclust.listen import compare
    from audioclust.pipeline import Options, Request
    encoders = [FixedEncoder(sample_rate=8000), FixedEncoder(by="source", sample_rate=8000)]
    request = Request(n_clusters=6, options=Options(stability=0))
    table, runs = compare(words[0], encoders, methods=["kmeans"], request=request)
    assert list(runs) == ["FixedEncoder-kmeans", "FixedEncoder-kmeans-2"] and len(table) == 2
    assert [run.embeddings.encoder for run in runs.values()] == encoders


def test_the_default_is_among_the_ways_unless_ways_are_named(words, tmp_path, monkeypatch):
    monkeypatch.setitem(compare._USUAL, "methods", "kmeans")
    for out,more in (("ways", []), ("named", ["--encoders", "fixed"])):
        assert main(["compare", str(words[0]), "--out", str(tmp_path/out), "--n-clusters", "3", "-q", *more]) == 0
    ways, named = (pd.read_csv(tmp_path/out/"compare.csv").encoder.tolist() for out in ("ways", "named"))
    assert ways == ["default", "fixed", "untrained"] and named == ["fixed"]
    asked = Run.open(tmp_path/"ways/default").request
    assert (asked.method, asked.encoder) == ("auto", None)
