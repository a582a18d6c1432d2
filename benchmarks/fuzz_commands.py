"""Does any combination of options end in something else than a result or one line that says why? Drawn by hypothesis.

    python benchmarks/fuzz_commands.py [--examples 3000] [--seed 0]

A command line is a command, what it needs, and one to three further options, each with a value that makes sense or an odd one. It
is carried out in this process on two dozen short clips, a long tape, tables and runs. After each:
- the status is 0 or 2, and no exception gets out;
- with status 2 there is one line of `audioclust COMMAND: …`, at most 900 characters, without control characters, and it is none of "this should not happen";
- what was there before is as it was: sounds, tables, and runs that no command was to change;
- no temporary file is left; a run that is complete has every clip in clusters.csv or errors.csv.
What breaks one of these is made as small as hypothesis can, and printed. A row with the counts is appended to
benchmarks/results/fuzz_commands.csv. Goal: the behaviour of the whole program. Not a goal: trainings of more than an epoch, speed.
"""
import argparse, collections, contextlib, hashlib, io, json, os, platform, re, shutil, sys, tempfile, time, warnings
from pathlib import Path

os.environ.setdefault("AUDIOCLUST_ENCODER", "fixed")  # whatever else is installed

import numpy as np
import soundfile as sf
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies as st

from appended import add_row, commit
from audioclust.audio import synthetic_words
from audioclust.cli import main as audioclust
from audioclust.runs.run_folder import read_table

HERE = Path(__file__).parent
QUICK = ["--stability", "0", "--no-page", "-q"]
COUNTS:collections.Counter = collections.Counter()


def world(top):
    "What the commands work on; {top} in their words."
    synthetic_words(3, 2, 4).save(top/"sounds")
    (top/"sounds/broken.wav").write_bytes(b"RIFF")
    (top/"tape").mkdir()
    rng = np.random.default_rng(0)
    wave = .002*rng.standard_normal(8000*30)
    for i in range(14): wave[i*16000:i*16000 + 3000] += .3*np.sin(2*np.pi*(500 + 400*(i % 3))*np.arange(3000)/8000)
    sf.write(top/"tape/20240501_050000.wav", np.stack([wave, wave[::-1]], 1), 8000)
    names = sorted((top/"sounds").rglob("word*.wav"))
    (top/"labels.csv").write_text("path,label\n" + "".join(f"{p.name},{p.parent.name}\n" for p in names))
    (top/"clips.csv").write_text("path,start,end\n" + "".join(f"{p},0,0.3\n" for p in names))
    (top/"seeds.csv").write_text("path,label\n" + "".join(f"{p},{p.parent.name}\n" for p in names[::4]))
    (top/"damaged.csv").write_text('path,label\n"a')
    np.save(top/"embeddings.npy", rng.standard_normal((len(names), 6)).astype("f4"))
    (top/"empty").mkdir()
    for name,more in {"run": [], "both": ["--by", "both"], "auto": ["--n-clusters", "auto"]}.items():
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            assert audioclust(["cluster", str(top/"sounds"), "--out", str(top/name), *(more if "--n-clusters" in more else ["--n-clusters", "3", *more]), *QUICK, "--cache", str(top/"cache")]) == 0
    edits = dict(schema=1, edits={"content": {"names": {"0": "wren"}}})
    (top/"edits.json").write_text(json.dumps(edits))
    rows = read_table(top/"run/clusters.csv")
    heard = {clip: Path(path).parent.name for clip,path in zip(rows.clip_id[::3], rows.path[::3])}
    heard |= {rows.clip_id[1]: "unsure", rows.clip_id[2]: "several things", rows.clip_id[4]: "not of interest", rows.clip_id[5]: None}
    answers = json.dumps(dict(schema=1, edits={"content": {"heard": heard}}))
    (top/"answers.json").write_text(answers)
    (top/"half.json").write_text(answers[:len(answers)//2])
    shutil.copytree(top/"run", top/"named")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert audioclust(["listen", str(top/"named"), "--edits", str(top/"answers.json"), "-q"]) == 0
        assert audioclust(["assign", str(top/"named"), str(top/"sounds"), "--out", str(top/"assigned.csv"), "-q"]) == 0
    return top

ODD = ["", "0", "-1", "1e9", "nan", "inf", "x", "é\n", "--", "{top}/nothing", "{top}/empty", "{top}/damaged.csv", "/dev/null", "3,3", "auto", "None", "\x1b[31m", "=1+1", "9"*30, "content", "{top}"]
VALUES = {  # of an option: those that make sense; None takes no value
    "--n-clusters": ["1", "3", "24", "auto", "2,3"], "--level": ["coarse", "fine"], "--method": ["kmeans", "agglomerative", "hdbscan", "dbscan", "meanshift", "consensus", "spectral", "deepcluster"],
    "--encoder": ["fixed", "untrained", "auto", "fixed+untrained", "fixed:0.5+untrained"], "--by": ["content", "source", "both"], "--ignore": ["order,level", "pitch", "pitch,level,noise,room,order"], "--window": ["0.1", "0.5", "5"], "--hop": ["0.1", "2"],
    "--cut": ["events"], "--event": ["low=300", "threshold=3", "shortest=0.1", "longest=2", "gap=0.1", "margin=0.1", "edge=1"], "--clips": ["{top}/clips.csv", "{top}/labels.csv"], "--embeddings": ["{top}/embeddings.npy"], "--channel": ["1", "2", "each", "mix"],
    "--seeds": ["{top}/seeds.csv", "{top}/run"], "--rate": ["8000", "16000", "11025"], "--seed": ["0", "7"], "--epochs": ["0", "1"], "--set": ["eps=0.4", "linkage='average'", "min_cluster_size=3", "n_init=1", "views=1", "metric='cosine'", "x=1"],
    "--labels": ["parent", r"word(\d)", "{top}/labels.csv"], "--stability": ["0", "2"], "--device": ["cpu", "cuda", "mps"], "--workers": ["0", "1"], "--max-memory": ["4G", "1M"], "--cache": ["{tmp}/cache"], "--grow": ["{top}/run", "{top}/auto"], "--config": ["{top}/run"], "--like": ["{top}/run"],
    "--edits": ["{top}/edits.json", "{top}/answers.json", "{top}/half.json"], "count --by": ["recording", "site", "hour", "day,hour", "site,recording"], "--max-clips": ["1", "5"], "--page": ["{tmp}/page.html"], "--none-beyond": ["1", "0.5"], "--top": ["1", "5", "100"], "--methods": ["kmeans,spectral"], "--encoders": ["fixed,untrained"], "--delete-list": ["{tmp}/delete.txt"],
    "--without": ["0", "0,1", "junk", "cluster 1", "word1", "nothing"], "--to": ["audacity", "raven", "parquet", "json", "csv", "playlist", "sfz", "decentsampler", "hydrogen", "crowsetta", "kit", "kit", "labelstudio"], "--groups": ["0", "1,0", "cluster 1", "junk"], "--max-groups": ["1", "3"], "--out": ["{tmp}/out", "{tmp}/out.h2drumkit", "{tmp}/out.csv", "{tmp}/out.json", "{tmp}/out.parquet"]}
FLAGS = {"cluster": ["--no-cache", "--resume", "--overwrite", "--remote-code", "--no-page"], "listen": ["--embed"], "assign": ["--overwrite", "--remote-code"], "similar": ["--overwrite"], "duplicates": ["--overwrite"], "export": ["--join", "--overwrite"], "sort": ["--flat", "--link", "--hard-link"], "count": ["--overwrite"], "diff": ["--overwrite"], "score": ["--overwrite"]}
OPTIONS = {"cluster": ["--n-clusters", "--level", "--method", "--encoder", "--by", "--ignore", "--window", "--hop", "--cut", "--event", "--clips", "--embeddings", "--channel", "--seeds", "--rate", "--seed", "--epochs", "--set", "--labels", "--stability", "--device", "--workers", "--max-memory", "--cache", "--grow", "--config", "--like"],
    "listen": ["--edits", "--max-clips", "--page"], "assign": ["--out", "--clips", "--embeddings", "--none-beyond"], "similar": ["--top", "--out"], "score": ["--labels", "--out"], "count": ["--by", "--out", "--without"], "diff": ["--out"], "compare": ["--methods", "--encoders", "--n-clusters", "--by", "--window", "--labels", "--seed"], "duplicates": ["--out", "--delete-list"], "encoders": [], "export": ["--to", "--out", "--without", "--level", "--groups", "--max-groups", "--seed"], "sort": ["--without"]}
RUNS = ["{tmp}/run"]*4 + ["{tmp}/named"]*4 + ["{tmp}/auto"]*3 + ["{tmp}/both", "{top}/sounds", "{top}/nothing"]
SOUNDS = ["{top}/sounds"]*12 + ["{top}/tape", "{top}/tape", "{top}/clips.csv", "{top}/sounds/word0/*.wav", "{top}/empty", "{top}/nothing", "{top}/sounds/broken.wav"]
NEEDS = {"cluster": lambda d: ["cluster", d(SOUNDS), "--out", d(["{tmp}/new"]*6 + ["{tmp}/run", "{tmp}/both"])], "listen": lambda d: ["listen", d(RUNS)], "assign": lambda d: ["assign", d(RUNS), d(SOUNDS), "--out", "{tmp}/assigned.csv"], "similar": lambda d: ["similar", d(RUNS), d(SOUNDS)],
    "score": lambda d: ["score", d(RUNS), "--labels", d(VALUES["--labels"])], "compare": lambda d: ["compare", d(SOUNDS), "--out", "{tmp}/compared", "--methods", "kmeans"], "duplicates": lambda d: ["duplicates", d(SOUNDS), "--out", "{tmp}/duplicates.csv"], "encoders": lambda d: ["encoders"],
    "export": lambda d: ["export", d(RUNS), "--to", d(VALUES["--to"]), "--out", d(VALUES["--out"])], "sort": lambda d: ["sort", d(RUNS), "{tmp}/sorted"],
    "count": lambda d: ["count", d([*RUNS, "{top}/assigned.csv", "{top}/assigned.csv", "{top}/labels.csv"])], "diff": lambda d: ["diff", d(RUNS), d(RUNS)]}

@st.composite
def command_lines(draw):
    "The words of a command line."
    def one(of): return draw(st.sampled_from(of))
    command = one(["cluster"]*8 + ["export", "export", "listen", "assign", "similar", "score", "duplicates", "sort", "compare", "encoders", "count", "diff"])
    words = NEEDS[command](one)
    choices = [*OPTIONS[command], *FLAGS.get(command, [])]
    for option in draw(st.lists(st.sampled_from(choices), min_size=1, max_size=3, unique=True)) if choices else []:
        if option in FLAGS.get(command, []): words.append(option)
        else: words.append(f"{option}={one(ODD if draw(st.integers(0, 4)) == 4 else VALUES.get(f'{command} {option}') or VALUES[option])}")
    return words

def hashed(folder):
    "Name → hash of what is in a folder."
    return {str(p.relative_to(folder)): hashlib.blake2b(p.read_bytes(), digest_size=8).digest() for p in folder.rglob("*") if p.is_file() and "cache" not in p.relative_to(folder).parts[:1]}

def carried_out(words, top, before):
    "Carry a command line out in a folder of its own; `AssertionError` where it breaks a rule."
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        for name in "run", "named", "both", "auto": shutil.copytree(top/name, tmp/name)
        argv = [(w.replace("{top}", "{tmp}") if w.startswith(("--out=", "--page=", "--delete-list=", "--cache=")) else w).replace("{top}", str(top)).replace("{tmp}", str(tmp)) for w in words]
        if argv[0] == "cluster": argv += [*QUICK[2:], *(["--stability=0"] if not any(w.startswith("--stability") for w in words) else []), *([] if any("cache" in w for w in words) else [f"--cache={top/'cache'}"])]
        if "deepcluster" in " ".join(words): argv += ["--set", "passes=1", *([] if any(w.startswith("--epochs") for w in words) else ["--epochs=1"])]
        out, err, since = io.StringIO(), io.StringIO(), time.process_time()
        (tmp/"here").mkdir()
        os.chdir(tmp/"here")
        with warnings.catch_warnings(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            warnings.simplefilter("ignore")
            try: status = audioclust(argv)
            except SystemExit as e: status = e.code
            finally: os.chdir(HERE)
        said = err.getvalue()
        COUNTS[argv[0], status] += 1
        told = [line for line in said.splitlines() if line.startswith("audioclust") and not line.startswith("audioclust: interrupted")]
        assert status in (0, 2), (status, said)
        assert "Traceback" not in said and "should not happen" not in said and "none of ours" not in said, said
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f]", said + out.getvalue()), "control characters"
        if status == 2: assert len(told) == 1 and len(told[0]) < 900 + 400*("{top}" in " ".join(words)), said
        assert hashed(top) == before, "something was changed that was there"
        assert not [p for p in tmp.rglob("*") if p.name.endswith(".tmp") or p.name == ".lock"], "a temporary file is left"
        assert time.process_time() - since < 60, "a minute"
        for run in tmp.rglob("run.json"):
            about = json.loads(run.read_text())
            assert about.get("complete"), (said, "an incomplete run without an error of the disk")
            table = read_table(run.parent/"clusters.csv")
            assert len(table) == about["clips"]["clips"] == len(np.load(run.parent/"embeddings.npy"))
            if argv[0] == "cluster" and status == 0 and run.parent == tmp/"new" and not any(w.startswith(("--clips", "--embeddings", "--grow", "--cut", "--config")) for w in words) and argv[1] == str(top/"sounds"):
                used = set(table.path) | set(read_table(run.parent/"errors.csv").path)
                assert {str(p) for p in (top/"sounds").rglob("*") if p.is_file()} <= used, "clips were lost"

def fuzz(top, examples, number):
    "So many command lines; an error where one of them breaks a rule."
    before = hashed(top)
    @seed(number)
    @settings(max_examples=examples, deadline=None, database=None, phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck), print_blob=False)
    @given(command_lines())
    def each(words): carried_out(words, top, before)
    each()

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--examples", type=int, default=3000)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--out", type=Path, default=HERE/"results"/"fuzz_commands.csv")
    args = p.parse_args()
    since, bad = time.process_time(), ""
    with tempfile.TemporaryDirectory() as tmp:
        try: fuzz(world(Path(tmp)), args.examples, args.seed)
        except Exception as e:
            bad = f"{type(e).__name__}: {e}"
            import traceback
            traceback.print_exc()
    row = dict(seed=args.seed, command_lines=sum(COUNTS.values()), done=sum(n for (_,s),n in COUNTS.items() if s == 0), refused=sum(n for (_,s),n in COUNTS.items() if s == 2), broke_a_rule=int(bool(bad)), cpu=round(time.process_time() - since), commit=commit(), machine=f"{platform.machine()}, Python {platform.python_version()}")
    add_row(args.out, row)
    print(dict(COUNTS))
    return int(bool(bad))


if __name__ == "__main__": sys.exit(main())
