"Every piece of advice that the command line gives is carried out: first the mistake, then what its message says to do."
import contextlib
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
from audioclust.core.files import write_table
from audioclust.runs import Edits, write_edits
from audioclust.runs.run_folder import read_table

PACKAGE = Path(audioclust.__file__).parent
QUICK = ["--stability", "0", "--no-page", "--no-cache", "-q"]

def command(*argv):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try: status = main([str(a) for a in argv])
        except SystemExit as e: status = e.code
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
    "embeddings as a folder": (cluster(sounds="{top}/embeddings.npy"),
        "embeddings of another program are given with (--embeddings) FILE",
        [["cluster", "{0}", "{top}/embeddings.npy", "--out", "{tmp}/run2", "--n-clusters", 3]]),
    "a wrong event": (cluster("--cut", "events", "--event", "loud=3", sounds="{top}/long"),
        r"--event loud='?3'?: the settings are (?:\w+, )*(threshold)",
        [cluster("--cut", "events", "--event", "{0}=5", sounds="{top}/long")]),
    "more groups than clips": (cluster(sounds="{top}/few", k=10), "ask for at most (4)$",
        [cluster(sounds="{top}/few", k="{0}")]),
    "two long tapes": (cluster(sounds="{top}/long", k=5),
        "so cut them .--window (3), or --cut events., or ask for at most 2",
        [cluster("--window", "{0}", sounds="{top}/long", k=5), cluster(sounds="{top}/long", k=2, out="{tmp}/run3")]),
    "one of two runs": (["export", "{top}/both", "--to", "csv", "--out", "{tmp}/x.csv"],
        r"a run for each way: say (\S+/content) or (\S+/source)",
        [["export", f"{{{i}}}", "--to", "csv", "--out", f"{{tmp}}/{i}.csv"] for i in range(2)]),
    "join of a table": (["export", "{top}/run", "--to", "csv", "--out", "{tmp}/x.csv", "--join"],
        "--join is for (audacity), raven",
        [["export", "{top}/run", "--to", "{0}", "--out", "{tmp}/x", "--join"]]),
    "no levels": (["export", "{top}/run", "--to", "raven", "--out", "{tmp}/x", "--level", "fine"],
        "it has none; --n-clusters (auto) finds some",
        [cluster(k="{0}"), ["export", "{tmp}/run", "--to", "raven", "--out", "{tmp}/x"]]),
    "a CSV by another name": (["assign", "{top}/run", "{top}/few", "--out", "{tmp}/x.json"],
        "would hold a CSV: say --to (json) as well, or let the name end in .csv",
        [["assign", "{top}/run", "{top}/few", "--out", "{tmp}/x.json", "--to", "{0}"]]),
    "new clips to nowhere": (["assign", "{top}/run", "{top}/few", "--to", "audacity"],
        "say --out with the place for what is written for (audacity)",
        [["assign", "{top}/run", "{top}/few", "--to", "{0}", "--out", "{tmp}/x"]]),
    "a detector of nothing": (["assign", "{top}/run", "{top}/few", "--out", "{tmp}/x.csv", "--only", "owl"],
        r"no group of this run is called 'owl': say a number, or one of (cluster 0), cluster 1, cluster 2",
        [["assign", "{top}/run", "{top}/few", "--out", f"{{tmp}}/{only}.csv", "--only", only] for only in ("{0}", 1)]),
    "an unknown group": (["export", "{top}/run", "--to", "csv", "--out", "{tmp}/x.csv", "--without", "owl"],
        r"say a number, a name of this run .*, or a mark \(good, check, (junk)\)",
        [["export", "{top}/run", "--to", "csv", "--out", "{tmp}/x.csv", "--without", "{0},1"]]),
    "a kit of another kind": (["export", "{top}/run", "--to", "sfz", "--out", "{tmp}/x", "--groups", "0,1"],
        "--groups is for (kit)",
        [["export", "{top}/run", "--to", "{0}", "--out", "{tmp}/x", "--groups", "0,1"]]),
    "a kit of an unknown group": (["export", "{top}/run", "--to", "kit", "--out", "{tmp}/x", "--groups", "owl"],
        "no group 'owl' for a kit: this run has (cluster 0), (cluster 1)",
        [["export", "{top}/run", "--to", "kit", "--out", "{tmp}/x", "--groups", "{0},{1}"]]),
    "a bound below the libraries": (cluster("--max-memory", "100M"), r"allow at least ([\d.]+ GB)",
        [cluster("--max-memory", "{0}")]),
    "seeds for another method": (cluster("--method", "agglomerative", "--seeds", "{top}/seeds.csv"),
        "agglomerative takes no seeds: use (kmeans), (consensus) or (spectral)",
        [cluster("--method", f"{{{i}}}", "--seeds", "{top}/seeds.csv", out=f"{{tmp}}/run{i}") for i in range(3)]),
    "seeds of many groups": (cluster("--seeds", "{top}/seeds.csv", k=2),
        "(?:seeds of|of) (3) groups: ask for as many clusters or more",
        [cluster("--seeds", "{top}/seeds.csv", k="{0}")]),
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
    "new groups": ([*GROW, "--n-clusters", 9], "new clips fit no old group: (?:ask for at most \\d+, or|say) (auto)",
        [[*GROW, "--n-clusters", "{0}"]]),
    "a channel": (cluster("--channel", "both"), "is not a whole number above 0, (each) or (mix)",
        [cluster("--channel", c, out=f"{{tmp}}/run{i}") for i,c in enumerate(("{0}", "{1}", "1"))]),
    "a number": (cluster(k="five"), "'five' is not a whole number above 0 or (auto)",
        [cluster(k="{0}"), cluster(k=5, out="{tmp}/run2")]),
}
REFUSED = [  # what was typed, and the remedy that is named
    (cluster("--epochs", 1), "--epochs is for methods that train, such as deepcluster"),
    (cluster(k="3,2"), "two numbers of clusters are for --by both"),
    (cluster("--by", "both", "--ignore", "pitch"), "--ignore is for one grouping; --by both uses the list of each"),
    (["cluster", "--out", "{tmp}/run"], "say the folder of recordings, or --embeddings"),
    (cluster("--by", "both", "--seeds", "{top}/seeds.csv"), "say --by content or --by source, not both"),
    (["cluster", "--embeddings", "{top}/embeddings.npy", "--encoder", "fixed", "--out", "{tmp}/run"],
        "are grouped as they are: leave out --encoder"),
    ([*GROW, "--method", "spectral", "--window", 1], "goes on as it was made: leave out --window, --method"),
    ([*GROW, "--by", "source"], "the run that grows is one by content"),
    ([*GROW[:-1], "{top}/run"], "say --out with another folder: the run that grows stays as it is"),
    (["cluster", "{top}/few", "--grow", "{top}/listed", "--out", "{tmp}/grown"],
        "say with --clips what the new clips are"),
    (cluster("--clips", "{top}/clips.csv", "--cut", "events"), "--clips says what the clips are: leave out --cut"),
    (cluster("--event", "low=300", sounds="{top}/long"), "--event sets what --cut events looks for: say that as well"),
    (cluster("--cut", "events", "--event", "threshold=1e6", sounds="{top}/long"),
        "lower their threshold .*, or cut windows"),
    (cluster(out=""), "--out is empty: say where the results go"),
    (cluster("--hop", 1, sounds="{top}/long"), "hop needs window"),
    (cluster(out="{top}/run"), "already holds a run: choose another --out, or say --overwrite"),
    (cluster(out="{top}/few"), "is not empty and holds no run: choose another --out"),
    (cluster(out="{top}/seeds.csv"), "is a file; say --out with the name of a folder"),
    (cluster(out="{top}/sounds/run"), "lies inside the recordings .*choose another --out"),
    (["listen", "{tmp}/run"], "Make one with: audioclust cluster FOLDER --out"),
    (["export", "{top}/run", "--to", "csv", "--out", "{tmp}/x.csv", "--level", "fine"],
        "--level is for .*: leave it out with --to csv"),
    (["assign", "{top}/run", "{top}/few", "--out", "{tmp}/x.csv", "--join"],
        "--join, --level and --without are for other programs: say --to with one of them"),
    (["export", "{top}/run", "--to", "folders", "--out", "{top}/sounds/sorted"], "lies inside the recordings.*choose another folder"),
    (["demo", "--out", "{top}/few"], "was not made by the demo: choose another --out"),
    (cluster("--seeds", "{top}/run"), "take that over with audioclust listen \\S+ --edits FILE"),
    (cluster(*TRAIN, "--epochs", 1, "--encoder", "untrained"), "an untrained network: leave one out"),
    (["cluster", "--embeddings", "{top}/embeddings.npy", "--method", "deepcluster", "--out", "{tmp}/run"],
        "trains its own embeddings: give it recordings, or choose another method"),
    (["similar", "{top}/run", "{top}/few/0.wav", "--top", 0], "'0' is not a whole number above 0"),
    (["cluster", "{top}/sounds", "--out", "{tmp}/run", "--group"], r"see audioclust(?: cluster)? (--help)"),
]

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

@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("typed, remedy", REFUSED, ids=[remedy[:40] for _,remedy in REFUSED])
def test_a_refusal_names_a_remedy(made, tmp_path, typed, remedy):
    status, text = command(*(str(w).format(top=made, tmp=tmp_path) for w in typed))
    assert status == 2 and re.search(remedy, text.strip(), re.M), (status, text)

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

def test_a_run_that_cannot_be_resumed(made, tmp_path):
    shutil.copytree(made/"run", tmp_path/"run")
    about = json.loads((tmp_path/"run/run.json").read_text())
    typed = [str(w).format(top=made, tmp=tmp_path) for w in cluster()]
    for other, said in ((dict(request={**about["request"], "n_clusters": 4}), "ask for the same to continue it, or"),
                        (dict(schema=99), ""), (dict(request=[]), "")):
        (tmp_path/"run/run.json").write_text(json.dumps({**about, **other, "complete": False}))
        status, text = command(*typed, "--resume")
        assert status == 2 and said in text and "start again with --overwrite" in text
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
    write_edits(tmp_path/"run", Edits(names={0: "wren"}))
    status, said = command("listen", made/"run", "--edits", tmp_path/"run/names.json")
    named, like = re.search(
        r"gets the names of that one by: audioclust (cluster) FOLDER --out RUN --like (\S+)", said).groups()
    assert status == 2 and command(named, *typed[1:3], tmp_path/"new", *typed[4:], "--like", like)[0] == 0
    assert "wren" in (tmp_path/"new/names.json").read_text()

def test_what_a_report_advises(made, tmp_path):
    "What the groups follow."
    from audioclust.pipeline.explanations import followed_line
    ignore = re.search(r"--ignore (\S+)", followed_line({"pitch": dict(share=.9, chance=.1)}, ["level"]))[1]
    assert ignore == "level,pitch"
    assert command(*(str(w).format(top=made, tmp=tmp_path) for w in cluster("--ignore", ignore)))[0] == 0

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

@pytest.mark.parametrize("n_low", [2, 4])
def test_recordings_of_several_rates(tmp_path, tone, n_low):
    "Few of a lower rate are left out, many set the rate of all; what was done needs no further word."
    for i in range(12):
        tone(tmp_path/f"in/{i:02}.wav", hz=300 + 1000*(i % 3), sr=8000 if i < n_low else 44100)
    typed = ["cluster", tmp_path/"in", "--n-clusters", 3, "--stability", 0, "--no-cache", "-q"]
    status, said = command(*typed, "--out", tmp_path/"first")
    found = re.search(
        r"such as that of (\S+)\)\. They hold no sound .* (?:leave them out|cluster with --rate (\d+) \(in "
        r"Python Options\(sample_rate=(\d+)\)\))", said)
    assert status == 0 and found[2] == found[3] == (None if n_low == 2 else "8000")
    if n_low == 2: (tmp_path/"in"/found[1]).unlink()
    status, said = command(*typed, "--out", tmp_path/"second", *(["--rate", found[2]] if found[2] else []))
    assert status == 0 and "lower rate" not in said


def mentioned():
    "Options in the package and its pages: (file, the command before it on the line or nothing, option)."
    for file in sorted(path for path in PACKAGE.rglob("*.*") if path.suffix in (".py", ".js", ".html")):
        for line in file.read_text(encoding="utf-8").splitlines():
            command = re.search(r"audioclust ([a-z]+) ", line)
            for option in re.finditer(r"""(?<![\w"'-])--[a-z][a-z-]+(?![\w-]*[:;=)])""", line):
                yield file.name, command[1] if command and command.end() <= option.start() else "", option[0]

def test_options_that_are_mentioned_exist():
    options = {name: {s for a in parser_of(name)._actions for s in a.option_strings} for name in COMMANDS}
    known = {"--no-deps", "--force-reinstall"}.union(*options.values())  # those two of pip
    assert [found for found in mentioned() if found[2] not in options.get(found[1], known)] == []
