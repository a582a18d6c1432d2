"""Three collections such as people have, each walked from a folder to a result with the commands that a person would type.

    python benchmarks/journeys.py FOLDER        results/journeys.csv (six minutes of a core; FOLDER is made)

*samples*: 480 sounds of twelve families in a messy tree of kits, with 36 planted copies and a silent file. How good are the groups, are the
copies found, does the original stay, and does sorting by hard links keep the embeddings? *tapes*: two tapes with some 290 known calls of six
kinds in wind and rain. Events of the first are grouped, a person parts what is mixed and names it (here: by the truth), and the second
is assigned, each name is a detector whose precision and recall by calls are printed, and Raven gets what is found. *prompts*: 788 spoken words of twelve kinds, 18 with a wrong label, and 8 sounds that are no words. The voices are those of
espeak-ng where it is installed, else made here. How many groups are recommended, and do wrong labels and strangers stand out? A row is a
number that a journey gave. The encoder is `fixed` unless --encoder says otherwise. Goal: what a person does counts to the end.
"""
import argparse, contextlib, io, json, platform, shutil, subprocess, warnings
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf
from sklearn.metrics import adjusted_mutual_info_score as ami

from appended import add_row, commit
from audioclust.audio import synthetic_sounds, synthetic_tape, synthetic_words
from audioclust.cli import main
from audioclust.pipeline import detector_scores, Run
from audioclust.runs.names import NEW_GROUPS
from audioclust.runs.run_folder import read_table

WORDS = "yes no stop left right over under seven water apple music window".split()

def typed(*words):
    "What a command prints; it must succeed."
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said): status = main([*map(str, words)])
    if status: raise SystemExit(f"audioclust {' '.join(map(str, words))}: {said.getvalue()}")
    return said.getvalue()

def clustered(run): return read_table(run/"clusters.csv")

def detectors(run, new, labels, names, at_least):
    "What the detectors of these names find among new clips: (what, value) of each confidence; precision is that of the names that are found."
    with warnings.catch_warnings():
        warnings.simplefilter("ignore") # calls that lie in no clip
        scores = pd.concat([detector_scores(Run.open(run), new, name, str(labels), at_least) for name in names])
    for confidence,rows in scores.groupby("at_least"):
        yield f"found by detectors of {len(names)} names, confidence from {confidence}", rows.found.sum()
        yield f"their mean precision, confidence from {confidence}", rows.precision.mean()
        yield f"their mean recall, confidence from {confidence}", rows.recall.mean()

def labels_on_page(page):
    "How many clips of a listening page have a label."
    data = json.loads(page.read_text(encoding="utf-8").split('<script id="data" type="application/json">')[1].split("</script>")[0])
    return sum(number >= 0 for number in data["given"]["of"])

# The collections

def make_samples(folder, seed):
    "Kits by family and voice, 36 copies where people leave them, one file without sound; (path → family, copy → original)."
    rng, sounds = np.random.default_rng(seed), synthetic_sounds(12, 40, random_state=seed)
    family_of = {}
    for i,(wave,label,voice) in enumerate(zip(sounds.waves, sounds.label, sounds.voice)):
        path = folder/f"Kit {voice}"/label.title()/f"{label} {i:03d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, wave, sounds.sample_rate)
        family_of[path] = label
    originals = rng.choice(sorted(family_of), 36, replace=False)
    copy_of = {}
    for i,original in enumerate(map(Path, originals)):
        names = f"{original.stem} (1).wav", f"copy of {original.name}", f"Audio {i:03d}.wav"
        copy = folder/("Desktop", "A new song", "zz old")[i%3]/names[i%3]
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(original, copy)
        copy_of[copy] = original
        family_of[copy] = family_of[original]
    sf.write(folder/"Desktop"/"untitled.wav", np.zeros(8000), 16000)
    return family_of, copy_of

def make_tapes(folder, seed):
    "Two tapes and their calls, as tables with columns path, start, end, label."
    calls = []
    for i,noise in enumerate(("wind", "rain")):
        tape, table = synthetic_tape(600, noise, snr=15., every=3.2, random_state=10*seed + i)
        path = folder/f"tape {i + 1}"/"dusk.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, tape, 16000)
        calls.append(table.assign(path=str(path)))
    return calls

def spoken(seed):
    "(word, voice, waveform, rate) of about 850 utterances."
    if not shutil.which("espeak-ng"):
        made = synthetic_words(10, 11, 8, random_state=seed)
        return list(zip(made.label, made.voice, made.waves, [made.sample_rate]*len(made.waves)))
    found = []
    for v,voice in enumerate(("m1", "m2", "m3", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f4")):
        for word in WORDS:
            for speed,pitch in ((120, 50), (150, 40), (150, 60), (180, 50), (140, 35), (165, 65)):
                said = subprocess.run(["espeak-ng", "-v", f"en-us+{voice}", "-s", str(speed), "-p", str(pitch), "--stdout", word],
                                      capture_output=True, check=True).stdout
                wave, rate = sf.read(io.BytesIO(said), dtype="float32")
                found.append((word, v, wave, rate))
    return found

def make_prompts(folder, seed):
    "788 prompts; a table with columns path, word, voice, label: what was said, and what is claimed."
    truth = folder.parent/"truth.csv"
    if truth.is_file(): return pd.read_csv(truth, keep_default_na=False) # the breath of espeak-ng differs each time
    rng, rows = np.random.default_rng(seed), []
    utterances = spoken(seed)
    folder.mkdir(parents=True)
    for i in rng.permutation(len(utterances))[:780]:
        word, voice, wave, rate = utterances[i]
        level = 10**(rng.uniform(-40, -25)/20)
        noise = np.abs(wave).max()*level*rng.standard_normal(len(wave))
        rows.append((word, voice, (wave + noise).astype(np.float32), rate))
    strangers = synthetic_sounds(8, 1, random_state=seed)
    rows += [("", -1, wave, strangers.sample_rate) for wave in strangers.waves]
    words = sorted({word for word,*_ in rows} - {""})
    table = []
    for i,(word,voice,wave,rate) in enumerate(rows):
        sf.write(folder/f"prompt {i:03d}.wav", wave, rate)
        label = word or str(rng.choice(words))
        if i < 18: label = str(rng.choice([other for other in words if other != word]))
        table.append((str(folder/f"prompt {i:03d}.wav"), word, voice, label))
    found = pd.DataFrame(table, columns=["path", "word", "voice", "label"])
    found.to_csv(truth, index=False)
    return found

# The journeys: each yields what it found

def samples(folder, out, encoder, seed):
    family_of, copy_of = make_samples(folder/"in", seed)
    run = out/"run"
    said = typed("cluster", folder/"in", "--out", run, "--n-clusters", "auto", "--encoder", encoder, "--cache", out/"cache")
    table = clustered(run)
    heard = table[table.path.map(Path).isin(family_of)]
    yield "groups", heard.cluster.nunique()
    yield "AMI by family", ami([family_of[Path(path)] for path in heard.path], heard.cluster)
    yield "the silent file is named", int("untitled.wav" in said)
    pd.DataFrame(dict(path=family_of.keys(), label=family_of.values())).to_csv(out/"families.csv", index=False)
    typed("listen", run, "--labels", out/"families.csv")
    yield "labels on the page", labels_on_page(run/"listen.html")
    families = pd.Series([family_of.get(Path(path)) for path in table.path])
    named = families.groupby(table.cluster).agg(lambda of_group: of_group.mode()[0])
    pd.DataFrame(dict(cluster=named.index, name=named)).to_csv(out/"names.csv", index=False)
    typed("listen", run, "--edits", out/"names.csv")
    new, _ = make_samples(folder/"new", seed + 100)
    pd.DataFrame(dict(path=new.keys(), label=new.values())).to_csv(out/"new.csv", index=False)
    typed("assign", run, folder/"new", "--out", out/"assigned.csv")
    yield from detectors(run, pd.read_csv(out/"assigned.csv"), out/"new.csv", sorted(set(named)), (0, .3, .5))
    typed("duplicates", folder/"in", "--out", out/"duplicates.csv", "--delete-list", out/"delete.txt")
    deleted = {Path(line) for line in (out/"delete.txt").read_text().splitlines() if line}
    yield "copies found", len({copy for copy,original in copy_of.items() if {copy, original} & deleted})
    yield "originals that stay", len(set(copy_of.values()) - deleted)
    typed("sort", run, out/"sorted", "--hard-link")
    typed("cluster", folder/"in", "--out", out/"again", "--n-clusters", "12", "--encoder", encoder, "--cache", out/"cache")
    yield "embeddings kept after sorting", json.loads((out/"again"/"run.json").read_text())["embeddings"]["n_cached"]/len(table)

def call_of(table, calls):
    "The label of the call that each clip shares most time with, None where it shares none."
    found = []
    for clip in table.itertuples():
        here = calls[calls.path == clip.path]
        shared = np.minimum(here.end, clip.end) - np.maximum(here.start, clip.start)
        found.append(here.label.iloc[int(shared.argmax())] if shared.max() > 0 else None)
    return pd.Series(found, table.index)

def parted(table, kinds):
    "The edits of a person: clusters are called by their most frequent kind, others of five clips or more become groups of their own."
    names, clips, new = {}, {}, NEW_GROUPS
    for cluster,of_cluster in kinds.groupby(table.cluster):
        counts = of_cluster.value_counts()
        if cluster < 0 or not len(counts): continue
        names[str(cluster)] = counts.index[0]
        for kind in counts.index[1:][counts.iloc[1:] >= 5]:
            names[str(new)] = kind
            clips |= dict.fromkeys(table.clip_id[of_cluster.index[of_cluster == kind]], new)
            new += 1
    return dict(names=names, clips=clips)

def tapes(folder, out, encoder, seed):
    first, second = make_tapes(folder/"in", seed)
    run = out/"run"
    typed("cluster", folder/"in"/"tape 1", "--out", run, "--cut", "events", "--n-clusters", "4", "--encoder", encoder, "--no-cache")
    table = clustered(run)
    kinds = call_of(table, first)
    yield "calls", len(first) + len(second)
    yield "calls of the first tape that are found", call_of(first, table.assign(label="found")).notna().mean()
    edits = parted(table, kinds)
    (out/"edits.json").write_text(json.dumps(dict(schema=1, edits=dict(content=edits))))
    typed("listen", run, "--edits", out/"edits.json")
    typed("assign", run, folder/"in"/"tape 2", "--out", out/"new.csv")
    new = pd.read_csv(out/"new.csv")
    truth = call_of(new, second)
    names = new.name if "name" in new else new.cluster.astype(str)
    yield "events of the second tape", len(new)
    yield "of these with the right name", (names[truth.notna()] == truth[truth.notna()]).mean()
    second[["path", "start", "end", "label"]].to_csv(out/"calls.csv", index=False)
    called = sorted(set(edits["names"].values()))
    yield from detectors(run, new, out/"calls.csv", called, (0, .7, .9))
    said = typed("assign", run, folder/"in"/"tape 2", "--only", called[0], "--at-least", ".9", "--labels", out/"calls.csv",
                 "--to", "raven", "--out", out/"raven")
    yield "the command says precision and recall", int("confidence at least 0.9: precision" in said)
    selections = pd.read_csv(out/"raven"/"dusk.wav.selections.txt", sep="\t")
    expected = new[(names == called[0]) & (new.confidence >= .9)]
    yield "selections for Raven with the times of the events", int(np.isclose(selections["Begin Time (s)"], expected.start).sum())
    yield "of so many events", len(expected)
    first[["path", "start", "end", "label"]].to_csv(out/"first.csv", index=False)
    typed("listen", run, "--labels", out/"first.csv")
    yield "events with a label on the page", labels_on_page(run/"listen.html")
    typed("cluster", folder/"in"/"tape 1", "--out", out/"seeded", "--cut", "events", "--n-clusters", str(len(set(edits["names"].values()))),
          "--seeds", run, "--method", "spectral", "--encoder", encoder, "--no-cache", "--no-page")
    seeded = clustered(out/"seeded")
    kinds = call_of(seeded, first)
    yield "AMI of the first tape with these seeds", ami(kinds[kinds.notna()], seeded.cluster[kinds.notna()])

def prompts(folder, out, encoder, seed):
    table = make_prompts(folder/"in", seed)
    table[["path", "label"]].to_csv(out/"labels.csv", index=False)
    typed("cluster", folder/"in", "--out", out/"run", "--n-clusters", "auto", "--labels", out/"labels.csv", "--encoder", encoder,
          "--no-cache")
    run = clustered(out/"run").set_index("path").loc[table.path].reset_index()
    is_word = table.word != ""
    yield "words", table.word[is_word].nunique()
    yield "recommended number", run.cluster.nunique()
    yield "AMI with what was said", ami(table.word[is_word], run.cluster[is_word])
    if "cluster_fine" in run: yield "AMI of the fine level", ami(table.word[is_word], run.cluster_fine[is_word])
    typed("cluster", folder/"in", "--out", out/"fine", "--n-clusters", "auto", "--level", "fine", "--encoder", encoder, "--no-cache",
          "--no-page")
    fine = clustered(out/"fine").set_index("path").loc[table.path].reset_index()
    yield "AMI with --level fine", ami(table.word[is_word], fine.cluster[is_word])
    majority = table.label.groupby(fine.cluster).agg(lambda labels: labels.mode()[0])
    differs = table.label != fine.cluster.map(majority)
    yield "wrong labels that differ from their group", int(differs[:18].sum())
    yield "right labels that do", int(differs[18:][is_word[18:]].sum())
    strangest = fine.strangeness.astype(float).nlargest(20).index
    yield "strangers among the twenty strangest", int((~is_word[strangest]).sum())
    typed("listen", out/"run", "--labels", out/"labels.csv")
    yield "labels on the page", labels_on_page(out/"run"/"listen.html")
    typed("assign", out/"run", folder/"in", "--to", "textgrid", "--out", out/"tiers")
    yield "TextGrids", len([*(out/"tiers").rglob("*.TextGrid")])
    typed("score", out/"run", "--labels", out/"labels.csv", "--out", out/"suspects.csv")
    listed = pd.read_csv(out/"suspects.csv").merge(table[["path", "word"]].assign(is_wrong=np.arange(len(table)) < 18), on="path")
    yield "suspects: sound like another label", int((listed.sounds_like != listed.label).sum())
    yield "wrong labels in the first forty rows of suspects", int(listed.is_wrong[:40].sum())
    yield "strangers among the twenty greatest outliers", int((listed.nlargest(20, "outlier").word == "").sum())

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", default="runs", help="name of the folders for runs, to walk the same collections again")
    parser.add_argument("--encoder", default="fixed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="samples,tapes,prompts")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"journeys.csv")
    args = parser.parse_args()
    for name in args.only.split(","):
        place = args.folder/f"{name}-{args.seed}"
        out = place/args.runs
        if out.exists(): raise SystemExit(f"{out} is there already: say --runs with another name")
        out.mkdir(parents=True)
        for what,value in globals()[name](place, out, args.encoder, args.seed):
            row = dict(journey=name, encoder=args.encoder, seed=args.seed, what=what, value=round(float(value), 4))
            add_row(args.out, {**row, "commit": commit(), "machine": platform.machine()})
