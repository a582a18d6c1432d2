"Every piece of advice that the command line gives is carried out: first the mistake, then what its message says to do."
import ast
import contextlib
import functools
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

import audioclust
from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.cli.parser import COMMANDS, parser_of
from audioclust.core.registry import METHODS
from audioclust.encoders.base import IGNORABLE
from audioclust.pipeline import examine_step
from audioclust.core.files import write_table
from audioclust.runs.names import write_names
from audioclust.runs.run_folder import read_table

PACKAGE = Path(audioclust.__file__).parent
QUICK = ["--stability", "0", "--no-page", "--no-cache", "-q"]
SAID = []  # everything that was said to anybody here

def command(*argv):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try: status = main([str(a) for a in argv])
        except SystemExit as e: status = e.code
    SAID.append(out.getvalue())
    return status, out.getvalue()

@pytest.fixture(scope="module")
def made(tmp_path_factory):
    top = tmp_path_factory.mktemp("advice")
    synthetic_words(3, 2, 5).save(top/"sounds")
    rng = np.random.default_rng(0)
    for name,n,seconds in ("long", 2, 40), ("few", 4, .5):
        (top/name).mkdir()
        for i in range(n):
            wave = .002*rng.standard_normal(round(8000*seconds))
            for at in range(0, len(wave) - 2000, 16000):
                wave[at:at + 2000] += .3*np.sin(2*np.pi*(500 + 700*i)*np.arange(2000)/8000)
            sf.write(top/name/f"{i}.wav", wave, 8000)
    np.save(top/"embeddings.npy", rng.standard_normal((30, 8)).astype("f4"))
    (top/"clips.csv").write_text("path,start,end\n" + "".join(f"{p},0,0.2\n"
        for p in sorted((top/"sounds").rglob("*.wav"))))
    (top/"few.csv").write_text("path,start,end\n" + "".join(f"{p},0,0.2\n" for p in sorted((top/"few").glob("*.wav"))))
    (top/"seeds.csv").write_text("path,label\n" + "".join(f"{p},{p.parent.name}\n"
        for p in sorted((top/"sounds").rglob("*.wav"))[::4]))
    assert command("cluster", top/"sounds", "--out", top/"run", "--n-clusters", 3, *QUICK)[0] == 0
    assert command("cluster", top/"sounds", "--out", top/"both", "--by", "both", "--n-clusters", 3, *QUICK)[0] == 0
    assert command("cluster", top/"sounds", "--out", top/"listed", "--clips", top/"clips.csv", "--n-clusters",
        3, *QUICK)[0] == 0
    return top

def cluster(*more, sounds="{top}/sounds", out="{tmp}/run", k=3):
    return ["cluster", sounds, "--out", out, *(["--n-clusters", k] if k else []), *QUICK, *more]

TRAIN = ["--method", "deepcluster", "--set", "passes=1", "--set", "views=2"]
GROW = ["cluster", "{top}/few", "--grow", "{top}/run", "--out", "{tmp}/grown"]
MISTAKES = {  # what was typed, what is said, what this says to do; {0} is what was found in the message
    "epochs": (cluster("--epochs", 1), "--epochs is for methods that train, such as deepcluster",
        [cluster(*TRAIN, "--epochs", 1)]),
    "two numbers": (cluster(k="3,2"), "two numbers of clusters are for --by both", [cluster("--by", "both", k="3,2")]),
    "ignore with both": (cluster("--by", "both", "--ignore", "pitch"),
        "--ignore is for one grouping; --by both uses the list of each",
        [cluster("--by", "both"), cluster("--ignore", "pitch", out="{tmp}/run2")]),
    "no folder": (["cluster", "--out", "{tmp}/run"], "say the folder of recordings, or --embeddings",
        [cluster(), ["cluster", "--embeddings", "{top}/embeddings.npy", "--out", "{tmp}/run2", "--n-clusters", 3]]),
    "embeddings as a folder": (cluster(sounds="{top}/embeddings.npy"),
        "embeddings of another program are given with (--embeddings) FILE",
        [["cluster", "{0}", "{top}/embeddings.npy", "--out", "{tmp}/run2", "--n-clusters", 3]]),
    "seeds of both": (cluster("--by", "both", "--seeds", "{top}/seeds.csv"),
        "say --by content or --by source, not both", [cluster("--by", "content", "--seeds", "{top}/seeds.csv")]),
    "embeddings and an encoder": (["cluster", "--embeddings", "{top}/embeddings.npy", "--encoder", "fixed",
        "--out", "{tmp}/run"], "are grouped as they are: leave out --encoder",
        [["cluster", "--embeddings", "{top}/embeddings.npy", "--out", "{tmp}/run"]]),
    "embeddings and code of a model": (["assign", "{top}/run", "--embeddings", "{top}/embeddings.npy",
        "--remote-code", "--out", "{tmp}/new.csv"], "are grouped as they are: leave out --remote-code",
        [["cluster", "--embeddings", "{top}/embeddings.npy", "--out", "{tmp}/run"],
         ["assign", "{tmp}/run", "--embeddings", "{top}/embeddings.npy", "--out", "{tmp}/new.csv"]]),
    "grow and a method": ([*GROW, "--method", "spectral", "--window", 1],
        "goes on as it was made: leave out --window, --method", [GROW]),
    "grow by source": ([*GROW, "--by", "source"], "the run that grows is one by content",
        [[*GROW, "--by", "content"], GROW[:-1] + ["{tmp}/again"]]),
    "grow in place": ([*GROW[:-1], "{top}/run"],
        "say --out with another folder: the run that grows stays as it is", [GROW]),
    "grow of listed clips": (["cluster", "{top}/few", "--grow", "{top}/listed", "--out", "{tmp}/grown"],
        "say with --clips what the new clips are", [["cluster", "{top}/few", "--grow", "{top}/listed",
            "--clips", "{top}/few.csv", "--out", "{tmp}/grown"]]),
    "clips and events": (cluster("--clips", "{top}/clips.csv", "--cut", "events"),
        "--clips says what the clips are: leave out --cut", [cluster("--clips", "{top}/clips.csv")]),
    "windows and events": (cluster("--window", 3, "--cut", "events", sounds="{top}/long"),
        "leave out --window and --hop, or --cut", [cluster("--cut", "events", sounds="{top}/long"),
            cluster("--window", 3, sounds="{top}/long", out="{tmp}/run2")]),
    "an event without a cut": (cluster("--event", "low=300", sounds="{top}/long"),
        "--event sets what --cut events looks for: say that as well",
        [cluster("--cut", "events", "--event", "low=300", sounds="{top}/long")]),
    "a wrong event": (cluster("--cut", "events", "--event", "loud=3", sounds="{top}/long"),
        r"--event loud='?3'?: the settings are (?:\w+, )*(threshold)",
        [cluster("--cut", "events", "--event", "{0}=5", sounds="{top}/long")]),
    "no events": (cluster("--cut", "events", "--event", "threshold=1e6", sounds="{top}/long"),
        "lower their threshold .*, or cut windows", [cluster("--cut", "events", "--event", "threshold=5",
            sounds="{top}/long"), cluster("--window", 3, sounds="{top}/long", out="{tmp}/run2")]),
    "no out": (cluster(out=""), "--out is empty: say where the results go", [cluster()]),
    "a hop alone": (cluster("--hop", 1, sounds="{top}/long"), "hop needs window",
        [cluster("--hop", 1, "--window", 2, sounds="{top}/long")]),
    "more groups than clips": (cluster(sounds="{top}/few", k=10), "ask for at most (4)$",
        [cluster(sounds="{top}/few", k="{0}")]),
    "two long tapes": (cluster(sounds="{top}/long", k=5),
        "so cut them .--window (3), or --cut events., or ask for at most 2",
        [cluster("--window", "{0}", sounds="{top}/long", k=5),
            cluster("--cut", "events", sounds="{top}/long", k=5, out="{tmp}/run2"),
            cluster(sounds="{top}/long", k=2, out="{tmp}/run3")]),
    "too few to choose": (cluster(sounds="{top}/few", k="auto"),
        "too few to choose a number of clusters from: say n_clusters", [cluster(sounds="{top}/few", k=2)]),
    "a run is there": (cluster(out="{top}/run"),
        "already holds a run: choose another --out, or say --overwrite", [cluster(), cluster("--overwrite")]),
    "a pair is there": (cluster("--by", "both", out="{top}/both"),
        "already holds a run: choose another --out, or say --overwrite",
        [cluster("--by", "both"), cluster("--by", "both", "--overwrite")]),
    "a folder of something else": (cluster("--by", "both", out="{top}/few"),
        "is not empty and holds no run of both ways: choose another --out", [cluster("--by", "both")]),
    "a folder of something": (cluster(out="{top}/few"), "is not empty and holds no run: choose another --out",
        [cluster()]),
    "a file": (cluster(out="{top}/seeds.csv"), "is a file; say --out with the name of a folder", [cluster()]),
    "within the recordings": (cluster(out="{top}/sounds/run"),
        "lies inside the recordings .*choose another --out", [cluster()]),
    "no run": (["listen", "{tmp}/run"], "Make one with: audioclust cluster FOLDER --out",
        [["cluster", "{top}/sounds", "--out", "{tmp}/run"], ["listen", "{tmp}/run"]]),
    "one of two runs": (["export", "{top}/both", "--to", "csv", "--out", "{tmp}/x.csv"],
        r"a run for each way: say (\S+/content) or (\S+/source)",
        [["export", "{0}", "--to", "csv", "--out", "{tmp}/x.csv"],
            ["export", "{1}", "--to", "csv", "--out", "{tmp}/y.csv"]]),
    "join of a table": (["export", "{top}/run", "--to", "csv", "--out", "{tmp}/x.csv", "--join"],
        "--join is for labels of recordings .(audacity), raven",
        [["export", "{top}/run", "--to", "{0}", "--out", "{tmp}/x", "--join"]]),
    "no levels": (["export", "{top}/run", "--to", "raven", "--out", "{tmp}/x", "--level", "fine"],
        "it has none; --n-clusters (auto) finds some",
        [cluster(k="{0}"), ["export", "{tmp}/run", "--to", "raven", "--out", "{tmp}/x"]]),
    "level of a table": (["export", "{top}/run", "--to", "csv", "--out", "{tmp}/x.csv", "--level", "fine"],
        "a table .--to csv. holds all levels", [["export", "{top}/run", "--to", "csv", "--out", "{tmp}/x.csv"]]),
    "export to a file": (["export", "{top}/run", "--to", "raven", "--out", "{top}/seeds.csv"],
        "is a file: say --out with the name of a folder",
        [["export", "{top}/run", "--to", "raven", "--out", "{tmp}/x"]]),
    "export again": (["export", "{top}/run", "--to", "csv", "--out", "{top}/seeds.csv"],
        "is there already: choose another --out, or say --overwrite",
        [["export", "{top}/run", "--to", "csv", "--out", "{tmp}/x.csv"],
            ["export", "{top}/run", "--to", "csv", "--out", "{tmp}/x.csv", "--overwrite"]]),
    "labels of no program": (["assign", "{top}/run", "{top}/few", "--out", "{tmp}/x.csv", "--join"],
        "--join, --level and --without are for other programs: say --to with one of them",
        [["assign", "{top}/run", "{top}/few", "--to", "raven", "--out", "{tmp}/x", "--join"]]),
    "a CSV by another name": (["assign", "{top}/run", "{top}/few", "--out", "{tmp}/x.json"],
        "would hold a CSV: say --to (json) as well, or let the name end in .csv",
        [["assign", "{top}/run", "{top}/few", "--out", "{tmp}/x.json", "--to", "{0}"],
            ["assign", "{top}/run", "{top}/few", "--out", "{tmp}/x.csv"]]),
    "new clips to nowhere": (["assign", "{top}/run", "{top}/few", "--to", "audacity"],
        "say --out with the place for what is written for (audacity)",
        [["assign", "{top}/run", "{top}/few", "--to", "{0}", "--out", "{tmp}/x"]]),
    "a detector of nothing": (["assign", "{top}/run", "{top}/few", "--out", "{tmp}/x.csv", "--only", "owl"],
        r"no group of this run is called 'owl': say a number, or one of (cluster 0), cluster 1, cluster 2",
        [["assign", "{top}/run", "{top}/few", "--out", "{tmp}/x.csv", "--only", "{0}"],
            ["assign", "{top}/run", "{top}/few", "--out", "{tmp}/y.csv", "--only", 1]]),
    "an unknown group": (["export", "{top}/run", "--to", "csv", "--out", "{tmp}/x.csv", "--without", "owl"],
        r"say a number, a name of this run .*, or a mark \(good, check, (junk)\)",
        [["export", "{top}/run", "--to", "csv", "--out", "{tmp}/x.csv", "--without", "{0},1"]]),
    "a kit of another kind": (["export", "{top}/run", "--to", "sfz", "--out", "{tmp}/x", "--groups", "0,1"],
        "--groups is for a kit .--to (kit)", [["export", "{top}/run", "--to", "{0}", "--out", "{tmp}/x", "--groups", "0,1"]]),
    "a kit of an unknown group": (["export", "{top}/run", "--to", "kit", "--out", "{tmp}/x", "--groups", "owl"],
        "no group 'owl' for a kit: this run has (cluster 0), (cluster 1)",
        [["export", "{top}/run", "--to", "kit", "--out", "{tmp}/x", "--groups", "{0},{1}"]]),
    "sort within": (["export", "{top}/run", "--to", "folders", "--out", "{top}/sounds/sorted"],
        "lies inside the recordings.*choose another folder", [["export", "{top}/run", "--to", "folders", "--out", "{tmp}/sorted"]]),
    # `make demo` is the rest
    "demo in a folder of something": (["demo", "--out", "{top}/few"],
        "was not made by the demo: choose another --out", []),
    "a bound below the libraries": (cluster("--max-memory", "100M"), r"allow at least ([\d.]+ GB)",
        [cluster("--max-memory", "{0}")]),
    "seeds for another method": (cluster("--method", "agglomerative", "--seeds", "{top}/seeds.csv"),
        "agglomerative takes no seeds: use (kmeans), (consensus) or (spectral)",
        [cluster("--method", f"{{{i}}}", "--seeds", "{top}/seeds.csv", out=f"{{tmp}}/run{i}") for i in range(3)]),
    "seeds of many groups": (cluster("--seeds", "{top}/seeds.csv", k=2),
        "(?:seeds of|of) (3) groups: ask for as many clusters or more",
        [cluster("--seeds", "{top}/seeds.csv", k="{0}")]),
    "a run without names as seeds": (cluster("--seeds", "{top}/run"),
        "take that over with audioclust listen \\S+ --edits FILE", []),
    "an encoder for a training": (cluster(*TRAIN, "--epochs", 1, "--encoder", "untrained"),
        "an untrained network: leave one out", [cluster(*TRAIN, "--epochs", 1),
            cluster("--encoder", "untrained", out="{tmp}/run2")]),
    "embeddings for a training": (["cluster", "--embeddings", "{top}/embeddings.npy", "--method", "deepcluster",
        "--out", "{tmp}/run"], "trains its own embeddings: give it recordings, or choose another method",
        [["cluster", "--embeddings", "{top}/embeddings.npy", "--out", "{tmp}/run"]]),
    "rate": (cluster("--rate", 10), r"a sample rate of 10 Hz: say one from (\d+) to (\d+)",
        [cluster("--rate", "{0}"), cluster("--rate", "{1}", out="{tmp}/run2")]),
    "stability": (cluster("--stability", -1), "say how many times, a whole number; (0) leaves it out",
        [cluster("--stability", "{0}")]),
    "workers": (cluster("--workers", -1), "say how many worker processes, a whole number; (0) starts none",
        [cluster("--workers", "{0}")]),
    "a device": (cluster("--device", "gpu"), r"there is no device '?gpu'?; say (cpu), cuda or mps",
        [cluster("--device", "{0}")]),
    "what to ignore": (cluster("--ignore", "loudness"),
        r"cannot ignore '?loudness'?; choose from (\w+), (\w+), (\w+), (\w+), (\w+)",
        [cluster("--ignore", "{0},{1},{2},{3},{4}")]),
    "new groups": ([*GROW, "--n-clusters", 9],
        "new clips fit no old group: (?:ask for at most \\d+, or|say) (auto)", [[*GROW, "--n-clusters", "{0}"]]),
    "neighbours": (["similar", "{top}/run", "{top}/few/0.wav", "--top", 0], "'0' is not a whole number above 0",
        [["similar", "{top}/run", "{top}/few/0.wav", "--top", 1]]),
    "an unknown word": (["cluster", "{top}/sounds", "--out", "{tmp}/run", "--group"],
        r"see audioclust(?: cluster)? (--help)", []),
    "a channel": (cluster("--channel", "both"), "is not a whole number above 0, (each) or (mix)",
        [cluster("--channel", c, out=f"{{tmp}}/run{i}") for i,c in enumerate(("{0}", "{1}", "1"))]),
    "a number": (cluster(k="five"), "'five' is not a whole number above 0 or (auto)",
        [cluster(k="{0}"), cluster(k=5, out="{tmp}/run2")]),
}

@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_advice_can_be_followed(made, tmp_path, mistake):
    typed, said, advised = MISTAKES[mistake]
    status, text = command(*(str(w).format(top=made, tmp=tmp_path) for w in typed))
    found = re.search(said, text.strip(), re.M)
    assert status == 2 and found, (status, text)
    for argv in advised:
        status, text = command(*(str(w).format(*(g.replace(" GB", "G") for g in found.groups()), top=made,
            tmp=tmp_path) for w in argv))
        assert status == 0, (argv, text)

def stop(run):
    "A run as one that was killed leaves it."
    about = json.loads((run/"run.json").read_text())
    (run/"run.json").write_text(json.dumps({**about, "complete": False}))

@pytest.mark.parametrize("how", ["--resume", "--overwrite"])
def test_a_stopped_run(made, tmp_path, how):
    shutil.copytree(made/"run", tmp_path/"run")
    stop(tmp_path/"run")
    typed = [str(w).format(top=made, tmp=tmp_path) for w in cluster()]
    status, said = command("listen", tmp_path/"run")
    assert status == 2 and "continue with --resume, or start again with --overwrite" in said
    status, said = command(*typed)
    assert status == 2 and "use --resume to continue it, or --overwrite to start again" in said
    assert command(*typed, how)[0] == 0 and command("listen", tmp_path/"run")[0] == 0

@pytest.mark.parametrize("change, said", [(lambda r: r["request"].update(n_clusters=4),
    "ask for the same to continue it, or start again with --overwrite"),
    (lambda r: r.update(schema=99), "start again with --overwrite"),
    (lambda r: r.update(request=[]), "start again with --overwrite")])
def test_a_run_that_cannot_be_resumed(made, tmp_path, change, said):
    shutil.copytree(made/"run", tmp_path/"run")
    about = json.loads((tmp_path/"run/run.json").read_text())
    change(about)
    (tmp_path/"run/run.json").write_text(json.dumps({**about, "complete": False}))
    typed = [str(w).format(top=made, tmp=tmp_path) for w in cluster()]
    status, text = command(*typed, "--resume")
    assert status == 2 and said in text
    assert command(*typed, "--overwrite")[0] == 0

def test_more_epochs_of_a_training_whose_state_is_gone(made, tmp_path):
    typed = [str(w).format(top=made, tmp=tmp_path) for w in cluster(*TRAIN, "--epochs")]
    assert command(*typed, 1)[0] == 0
    shutil.rmtree(tmp_path/"run/training")
    status, said = command(*typed, 2, "--resume")
    assert status == 2
    assert "cannot go on: start again with --overwrite" in said
    assert command(*typed, 2, "--overwrite")[0] == 0

def test_sounds_that_are_too_much_for_a_page(made, tmp_path, monkeypatch):
    from audioclust.listen import clip_audio
    shutil.copytree(made/"run", tmp_path/"run")
    monkeypatch.setattr(clip_audio.embedded_audio, "__defaults__", (60e3,))
    status, said = command("listen", tmp_path/"run", "--embed")
    n = re.search(r"embed fewer with max_clips \(--max-clips (\d+)\)", said)[1]
    assert status == 2 and command("listen", tmp_path/"run", "--embed", "--max-clips", n)[0] == 0

def test_names_of_another_run(made, tmp_path):
    typed = [str(w).format(top=made, tmp=tmp_path) for w in cluster()]
    assert command(*typed)[0] == 0
    write_names(tmp_path/"run", dict(names={"0": "wren"}))
    status, said = command("listen", made/"run", "--edits", tmp_path/"run/names.json")
    named, like = re.search(
        r"gets the names of that one by: audioclust (cluster) FOLDER --out RUN --like (\S+)", said).groups()
    assert status == 2 and command(named, *typed[1:3], tmp_path/"new", *typed[4:], "--like", like)[0] == 0
    assert "wren" in (tmp_path/"new/names.json").read_text()

def test_methods_are_advised_only_what_they_have(made):
    for advised in examine_step._FINER, examine_step._MORE_CLIPS:
        for method,text in advised.items():
            for name in re.findall(r"\b(?:smaller|larger) (\w+)", text):
                assert name in METHODS[method].load()().get_params(), (method, name)
    assert "ignore" in examine_step._REMEDIES["level"] and "level" in IGNORABLE

def test_what_a_report_advises(made, tmp_path):
    "What the groups follow, and another number of them."
    from audioclust.cli.report import followed_line, neighbour_line
    from audioclust.ensembles.levels import Neighbour
    ignore = re.search(r"--ignore (\S+)", followed_line({"pitch": dict(share=.9, chance=.1)}, ["level"]))[1]
    assert ignore == "level,pitch"
    neighbour = Neighbour(n=4, silhouette_now=.1, silhouette=.5, more_bits=1.)
    k = re.search(r"--n-clusters (\d+)$", neighbour_line(neighbour))[1]
    assert command(*(str(w).format(top=made, tmp=tmp_path) for w in cluster("--ignore", ignore, k=k)))[0] == 0

def test_what_a_report_says_of_speech(made, tmp_path):
    from audioclust.cli.report import speech_line
    shutil.copytree(made/"run", tmp_path/"run")
    table = read_table(tmp_path/"run/clusters.csv")
    table["speech"] = [.9] + [0.]*(len(table) - 1)
    write_table(table, tmp_path/"run/clusters.csv")
    name, *without = re.search(r"audioclust (\w+) leaves them out with (--without) (\w+)", speech_line(table)).groups()
    for to, out in ("csv", "x.csv"), ("folders", "sorted"):
        assert command(name, tmp_path/"run", "--to", to, "--out", tmp_path/out, *without)[0] == 0
    assert len(read_table(tmp_path/"x.csv")) == len([*(tmp_path/"sorted").rglob("*.wav")]) == len(table) - 1

@pytest.mark.parametrize("n_low", [1, 4])
def test_recordings_of_several_rates(tmp_path, tone, n_low):
    "Few of a lower rate are left out, many set the rate of all; what was done needs no further word."
    for i in range(12):
        tone(tmp_path/f"in/{i:02}.wav", hz=300 + 1000*(i % 3), sr=8000 if i < n_low else 44100)
    typed = ["cluster", tmp_path/"in", "--n-clusters", 3, "--stability", 0, "--no-cache", "-q"]
    status, said = command(*typed, "--out", tmp_path/"first")
    found = re.search(
        r"such as that of (\S+)\)\. They hold no sound .* (?:leave them out|cluster with --rate (\d+) \(in "
        r"Python Options\(sample_rate=(\d+)\)\))", said)
    assert status == 0 and found[2] == found[3] == (None if n_low == 1 else "8000")
    if n_low == 1: (tmp_path/"in"/found[1]).unlink()
    status, said = command(*typed, "--out", tmp_path/"second", *(["--rate", found[2]] if found[2] else []))
    assert status == 0 and "lower rate" not in said


# what is not walked here, and why; everything else that mentions an option must have been said above
ELSEWHERE = {"--remote-code is for --encoder hf:": "tests/encoders/test_pretrained.py",
    "--remote-code, or load it in": "tests/project/test_attacks.py",
    "is a link, and nothing is written": "tests/project/test_attacks.py",
    "remote_code=True (--remote-code)": "tests/encoders/test_pretrained.py",
    "what is typed there is not read": "tests/runs/test_names.py",
    "is called that, nor in such a cluster": "tests/cli/test_count.py",
    "its page or some figures are missing": "tests/runs/test_disk.py",
    "--resume goes on from there": "tests/runs/test_disk.py",
    "wait until it is done, or choose another --out": "tests/runs/test_resuming.py",
    "is from another training": "tests/cli/test_trainings.py",
    "All that are not installed": "tests/cli/test_encoders.py",
    "names the groups of the kit": "tests/listen/test_kits.py",
    "are for days and hours": "tests/cli/test_count.py",
    "give each of --out, --once and --delete-list": "tests/listen/test_copies.py",
    "--without leaves out all groups": "tests/listen/test_exporting.py",
    "the name must end in": "tests/listen/test_new_clips.py",
    "is for sites: say --by with site": "tests/cli/test_count.py",
    "writes into a new folder only": "tests/listen/test_exporting.py",
    "does not know in which clips people speak": "tests/listen/test_exporting.py",
    "remove it, or start again with --overwrite": "tests/runs/test_disk.py",
    "fit clearly better": "above",
    "should not matter: --ignore": "above",
    "leaves them out with --without speech": "above",
    "(--without nothing writes all)": "tests/pipeline/test_naming.py",
    "(--out FILE writes all)": "tests/cli/test_count.py",
    "say --by recording or --by site": "tests/cli/test_count.py",
    ": say one or more of": "tests/cli/test_count.py",
    "do not say how far their clock was": "tests/pipeline/test_counting.py",
    "have several offsets from UTC": "tests/pipeline/test_counting.py",
    "theirs was not changed, so say its offset": "tests/pipeline/test_counting.py",
    "choose another --picture": "tests/pipeline/test_counting.py",
    "or --recordings with a CSV": "tests/pipeline/test_counting.py",
    ": say --site-column with one of": "tests/pipeline/test_counting.py",
    "what stands out of the noise: --cut events": "tests/pipeline/test_no_structure.py",
    "where they are mixed: choose one with --channel 1": "tests/audio/test_channels.py",
    "pip install": "packages cannot be installed in a test",
    "that is too close to tell": "tests/pipeline/test_encoder_choice.py",
    "minutes; --encoder auto": "tests/pipeline/test_encoder_choice.py",
    "with --encoder fixed": "tests/pipeline/test_encoder_choice.py",
    "(--max-memory)": "tests/core/test_memory.py",
    ". If it matters": "tests/pipeline/test_high_sounds.py",
    "so their sample rate is": "tests/pipeline/test_high_sounds.py",
    "or --by both on the command line": "for Python",
    "rest on equal shares may do harm": "tests/spice/test_nonredundant.py",
    "does not say what it was asked for": "above",
    "was begun by another version": "above",
    "when all parts are there": "tests/pipeline/test_shards.py",
    "holds no shard: choose another": "tests/pipeline/test_shards.py",
    "holds a shard of something else": "tests/pipeline/test_shards.py",
    "which say what their clips are": "tests/pipeline/test_shards.py",
    "torchrun gives each process its part": "tests/pipeline/test_shards.py",
    "which do not say what they are of": "tests/audio/test_embedding_files.py",
    "came after this run was made": "tests/runs/test_resuming.py",
    "--overwrite to group all anew": "tests/runs/test_resuming.py"}
NO_ADVICE = {"cli/parser.py", "cli/arguments.py", "_modidx.py", "classical/__init__.py"}  # help texts

def text_of(node):
    if isinstance(node, ast.Constant): return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "\0" for v in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add): return text_of(node.left) + text_of(node.right)
    return ""

@functools.cache
def messages():
    "Texts in the package that mention an option, without docstrings and help."
    return list(read_messages())

def read_messages():
    for file in sorted(PACKAGE.rglob("*.py")):
        if file.relative_to(PACKAGE).as_posix() in NO_ADVICE: continue
        tree = ast.parse(file.read_text())
        done = {id(n.body[0].value) for n in ast.walk(tree)
            if isinstance(n, (ast.FunctionDef, ast.ClassDef, ast.Module)) and n.body
            and isinstance(n.body[0], ast.Expr)}
        helps = [n.value for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg == "help"]
        helps += [n.args[1] for n in ast.walk(tree) if isinstance(n, ast.Call) and len(n.args) > 1
            and getattr(n.func, "id", getattr(n.func, "attr", "")) in ("add_overwrite", "add_argument_group")]
        helps += [n for n in ast.walk(tree) if getattr(n, "name", "") in ("encoders_help", "cluster_epilog")]
        if file.parent.name in ("cli", "commands"):
            helps += [n for n in ast.walk(tree) if isinstance(n, ast.Assign)
                      and (n in tree.body or getattr(n.targets[0], "attr", "") == "usage")]
        done |= {id(part) for text in helps for part in ast.walk(text)}
        for node in ast.walk(tree):
            if id(node) in done: continue
            text = text_of(node) if isinstance(node, (ast.JoinedStr, ast.Constant, ast.BinOp)) else ""
            if isinstance(node, (ast.JoinedStr, ast.BinOp)): done |= {id(n) for n in ast.walk(node)}
            if re.search(r"(?<![\w-])--[a-z]", text) and len(text.split()) > 3:
                yield file.relative_to(PACKAGE).as_posix(), text

def test_the_tests_that_walk_elsewhere_exist():
    for file in ELSEWHERE.values(): assert not file.startswith("tests/") or (PACKAGE.parent/file).is_file(), file

def test_options_that_are_mentioned_exist():
    commands = {name: parser_of(name) for name in COMMANDS}
    options = {s for c in commands.values() for a in c._actions for s in a.option_strings}
    options |= {"--no-deps", "--force-reinstall"}  # of pip
    for file,text in messages():
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text): assert option in options, (file, text)
        for name,rest in re.findall(r"audioclust ([a-z]+)((?: [^ ]+)*)", text):
            if name not in commands: continue
            mine = {s for a in commands[name]._actions for s in a.option_strings}
            for option in re.findall(r"--[a-z-]+", rest.split("\n")[0]): assert option in mine, (file, text)

PLACEHOLDER = r"\$\{[^}]*\}|\{\{[^}]*\}\}" # of JavaScript and of Jinja
ON_PAGES = {"take_over.js": {"audioclust listen … --edits …": ("tests/listen/test_page_edits.py",
    "test_the_command_on_the_page_takes_over_what_it_downloads")}}

def commands_on_pages():
    "Commands in the templates of pages: file → each as a text, with … for what is filled in."
    commands, found = {name: parser_of(name) for name in COMMANDS}, {}
    for file in sorted((PACKAGE/"listen/templates").iterdir()):
        text = re.sub(PLACEHOLDER, "…", file.read_text(encoding="utf-8"))
        typed = [m[0] for m in re.finditer(r"audioclust (\w+)(?: [^\s`<\"']+)*", text) if m[1] in commands]
        if typed or re.search(r"(?<![\w-])--[a-z-]+ [\w…]", text) and file.suffix != ".css":
            found[file.name] = typed
    return found

def test_commands_on_pages_exist_and_are_walked():
    "A page that shows a command says where a test reads it from the page and carries it out."
    commands = {name: parser_of(name) for name in COMMANDS}
    assert commands_on_pages() == {file: list(known) for file,known in ON_PAGES.items()}
    for known in ON_PAGES.values():
        for typed,(file, test) in known.items():
            options = {s for a in commands[typed.split()[1]]._actions for s in a.option_strings}
            assert set(re.findall(r"--[a-z-]+", typed)) <= options, typed
            assert f"def {test}(" in (PACKAGE.parent/file).read_text(), (typed, file)

def test_no_advice_is_left_out(made):
    "Runs last: each text with an option in it was said in a test above, or is listed with where it is walked."
    if len(SAID) < 100: pytest.skip("needs the other tests of this file")
    everything = "\n".join(SAID)
    left_out = []
    for file,text in messages():
        if any(part in text for part in ELSEWHERE): continue
        if file == "cli/commands/encoders.py" and ("Others:" in text or "Where some" in text): continue
        if file == "cli/commands/demo.py" and "perfect grouping" in text: continue
        parts = sorted((p.strip() for p in re.split("[\0\n]", text)), key=len)
        if parts[-1] not in everything: left_out.append((file, text))
    assert not left_out
