"Numbers and names of clusters go on, for runs that were read and for a run that replaces itself."
from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.pipeline import AudioClusterer
from audioclust.runs.names import display_name, read_names, write_names


def test_a_loaded_run_keeps_the_numbers_of_another(tmp_path):
    synthetic_words(4, 2, 5).save(tmp_path/"in")
    model = AudioClusterer(n_clusters=4).fit(tmp_path/"in")
    before = model.table()
    before["cluster"] = before.cluster.map({0: 2, 1: 0, 2: 3, 3: 1})
    model.save(tmp_path/"run", figures=False)
    loaded = AudioClusterer.load(tmp_path/"run").keep_ids(before)
    assert loaded.labels_.tolist() == before.cluster.tolist() != model.labels_.tolist()
    assert loaded.predict(tmp_path/"in").tolist() == before.cluster.tolist()
    assert loaded.keep_ids(model.table()).labels_.tolist() == model.labels_.tolist()  # and once more


def test_noise_stays_noise_when_numbers_change(tmp_path):
    synthetic_words(4, 2, 8).save(tmp_path/"in")
    model = AudioClusterer("hdbscan").fit(tmp_path/"in")
    before = model.table()
    highest = before.cluster.max()
    before["cluster"] = before.cluster.map(lambda c: highest - c if c >= 0 else -1)
    model.keep_ids(before)
    assert (model.labels_ == -1).tolist() == (before.cluster == -1).tolist()
    assert ((model.grouping_.clusterer_labels() == -1) == (model.labels_ == -1)).all()


def test_a_run_that_is_like_itself_keeps_its_names(tmp_path):
    synthetic_words(3, 2, 6).save(tmp_path/"in")
    run = ["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"run"), "--n-clusters", "3", "--no-page", "-q"]
    assert main(run) == 0
    write_names(tmp_path/"run", {"names": {"0": "wren"}, "merged": {}, "marks": {}})
    assert main([*run, "--like", str(tmp_path/"run"), "--overwrite"]) == 0
    assert display_name(0, read_names(tmp_path/"run")) == "wren" and not (tmp_path/"run/names-before.json").exists()


def test_names_that_give_way_to_those_of_another_run_are_never_written_over(tmp_path):
    synthetic_words(3, 2, 6).save(tmp_path/"in")
    for name in "run", "other":
        assert main(["cluster", str(tmp_path/"in"), "--out", str(tmp_path/name), "--n-clusters", "3", "--no-page", "-q"]) == 0
    write_names(tmp_path/"other", {"names": {"1": "robin"}, "merged": {}, "marks": {}})
    for own in "wren", "wind":  # the second time is that of a run that was killed when it had taken over the names, and is resumed
        write_names(tmp_path/"run", {"names": {"0": own}, "merged": {}, "marks": {}})
        assert main(["cluster", str(tmp_path/"in"), "--out", str(tmp_path/"run"), "--n-clusters", "3", "--no-page", "-q", "--like", str(tmp_path/"other"), "--overwrite"]) == 0
        assert "robin" in read_names(tmp_path/"run")["names"].values()
    assert '"wren"' in (tmp_path/"run/names-before.json").read_text() and '"wind"' in (tmp_path/"run/names-before-2.json").read_text()
