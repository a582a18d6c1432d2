"""Published sets of real recordings, laid out from clones of their repositories as SET/CONTENT/SOURCE__NAME.EXT.

    python benchmarks/real_sets.py CLONES OUT [SET…] [--record]

CLONES is a folder of git clones, bare or not: a set is looked for as SET, REPOSITORY, OWNER/REPOSITORY or OWNER+REPOSITORY, with or
without .git behind it, or repo inside; where there is none, it is cloned there. Then OUT is a folder for AUDIOCLUST_DATA, from which
`audioclust.audio.datasets.real_set` reads. Bytes are those of the repository, but for `esc40`, whose clips are joined from five pieces.
Left out: files that are empty, that nobody can read, or that are copies of another one of the set (all are counted). Silent clips stay.
A set is moved into place when it is whole; one that is there is checked, and nothing is written. benchmarks/results/real-sets.csv says
what each holds: a set that differs is named in one line, and the exit status is 1. --record writes the rows of that table anew.
"""
import argparse, base64, csv, errno, hashlib, html, io, os, re, subprocess, sys, tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile as sf

from audioclust.audio.datasets import limit_clips, real_set, REAL_SETS, select_clips
from audioclust.listen.clip_audio import as_mp3

TABLE = Path(__file__).parent/"results"/"real-sets.csv"
LAID_OUT = [name for name in REAL_SETS if name != "esc50"] # esc50 is read from its clone as it is


class Refused(Exception): "A set that cannot be laid out, in one line that says what to do."


# git

def git(folder, *words, **options):
    return subprocess.run(["git", "-c", "safe.directory=*", "--git-dir", str(folder), *words], capture_output=True, **options)

def clone_of(name, clones):
    "The git directory of a set's clone; it is cloned where there is none."
    known = REAL_SETS[name]
    owner, repository = known.repository.split("/")
    for called in (name, repository, f"{owner}/{repository}", f"{owner}+{repository}"):
        for place in (clones/called, clones/f"{called}.git", clones/called/"repo"):
            for folder in (place/".git", place):
                if (folder/"HEAD").is_file() and (folder/"objects").is_dir(): return folder
    folder = clones/f"{repository}.git"
    print(f"{name}: no clone in {clones}; cloning {known.url}", flush=True)
    cloned = subprocess.run(["git", "clone", "--quiet", "--bare", known.url, str(folder)], capture_output=True, text=True)
    if cloned.returncode: raise Refused(f"no clone is in {clones}, and {known.url} cannot be cloned: clone it there yourself")
    return folder

def tree_of(folder, known):
    "Path → (blob, mode) of the files of the commit of a set."
    listed = git(folder, "ls-tree", "-r", "-z", known.commit)
    if listed.returncode:
        is_shallow = git(folder, "rev-parse", "--is-shallow-repository", text=True).stdout.strip() == "true"
        remedy = "git fetch --unshallow" if is_shallow else f"git fetch origin {known.commit}"
        raise Refused(f"commit {known.commit[:12]} is not in {folder}{' (a shallow clone)'*is_shallow}: say there {remedy}")
    entries = [line.split("\t", 1) for line in listed.stdout.decode(errors="replace").split("\0") if line]
    return {path: (head.split()[2], head.split()[0]) for head,path in entries if head.split()[1] == "blob"}

def contents(folder, blobs):
    "Yield the bytes of blobs, in order."
    with subprocess.Popen(["git", "-c", "safe.directory=*", "--git-dir", str(folder), "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for blob in blobs:
            process.stdin.write(f"{blob}\n".encode())
            process.stdin.flush()
            head = process.stdout.readline().split()
            if head[-1:] == [b"missing"] or len(head) < 3: raise Refused(f"{folder} lacks files of the commit (a partial clone): say there git fetch --refetch --filter=blob:limit=1g")
            yield process.stdout.read(int(head[2]))
            process.stdout.read(1)


# a set

def joined(pieces):
    "One wav file of pieces in order; they are of one rate and 16 bits."
    waves = [sf.read(io.BytesIO(piece), dtype="int16") for piece in pieces]
    out = io.BytesIO()
    sf.write(out, np.concatenate([wave for wave,_ in waves]), waves[0][1], subtype="PCM_16", format="WAV")
    return out.getvalue()

def clips_to_make(name, tree):
    "The table of clips with a column `blobs`, copies left out, and how many copies there were."
    table = select_clips(name, [path for path,(_,mode) in tree.items() if mode.startswith("100")])
    table["blobs"] = [[tree[path][0]] for path in table.path]
    if "piece" in table:
        table["stem"] = table.stem.str[:-1] # without the number of the piece
        table = table.sort_values("piece").groupby(["label", "source", "stem"], as_index=False).agg(path=("path", "first"), blobs=("blobs", "sum"))
        table = table.sort_values("path")
    is_copy = table.blobs.map(tuple).duplicated()
    table = table[~is_copy]
    if least := REAL_SETS[name].least: table = table[table.groupby("label").label.transform("size") >= least] # what is not needed need not be there
    return table.reset_index(drop=True), int(is_copy.sum())

def safe(text): return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", text)

def write_clips(table, repository, folder):
    "Write the clips, and return which of them are sounds."
    is_sound, files = [], contents(repository, (blob for blobs in table.blobs for blob in blobs))
    for clip in table.itertuples():
        pieces = [next(files) for _ in clip.blobs]
        if pieces[0].startswith(b"version https://git-lfs"): raise Refused(f"{clip.path} is kept by Git LFS: say git lfs fetch --all in {repository}, or clone the set again with git-lfs installed")
        suffix = Path(clip.path).suffix.lower()
        file = folder/safe(clip.label)/f"{safe(clip.source)}__{safe(clip.stem)}{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists(): raise Refused(f"two clips would be called {file.name}")
        try:
            file.write_bytes(joined(pieces) if len(pieces) > 1 else pieces[0])
            is_sound.append(bool(pieces[0]) and sf.read(file)[0].size > 0)
        except (ValueError, RuntimeError): is_sound.append(False)
        if not is_sound[-1]: file.unlink(missing_ok=True)
    return np.array(is_sound, bool)

def lay_out(name, clones, out):
    "Make the folder of a set, whole or not at all; return how many files were left out, by reason."
    repository = clone_of(name, clones)
    table, n_copies = clips_to_make(name, tree_of(repository, REAL_SETS[name]))
    if not len(table): raise Refused(f"no file of {repository} is called as those of the set")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=f".{name}-") as tmp:
        folder = Path(tmp)/name
        is_sound = write_clips(table, repository, folder)
        if not is_sound.any(): raise Refused(f"none of the {len(table)} files of {repository} can be read: clone the set again")
        table = table[is_sound]
        kept = limit_clips(name, table)
        for clip in table[~table.path.isin(kept.path)].itertuples():
            next((folder/safe(clip.label)).glob(f"{safe(clip.source)}__{glob_safe(safe(clip.stem))}.*")).unlink()
        for below in folder.iterdir():
            if not any(below.iterdir()): below.rmdir()
        folder.rename(out/name)
    return dict(copies=n_copies, unreadable=int((~is_sound).sum()), cut=len(table) - len(kept))

def glob_safe(text): return re.sub(r"([\[\]*?])", r"[\1]", text)


# the table

def row_of(name, folder):
    "What a laid out set holds."
    table = real_set(name, folder)
    known = REAL_SETS[name]
    files = [(Path(path).relative_to(folder).as_posix(), Path(path).stat().st_size) for path in table.path]
    rates = Counter(sf.info(path).samplerate for path in table.path)
    def sizes(column): return dict(n=table[column].nunique(), smallest=int(table[column].value_counts().min()), largest=int(table[column].value_counts().max()))
    content, source = sizes("label"), sizes("source")
    return dict(set=name, role="choosing" if known.chosen_on else "reporting", repository=known.repository, commit=known.commit, clips=len(table),
                seconds=round((table.end - table.start).sum(), 1), rates=" ".join(f"{rate}:{n}" for rate,n in sorted(rates.items())),
                contents=content["n"], smallest_content=content["smallest"], largest_content=content["largest"], sources=source["n"], smallest_source=source["smallest"], largest_source=source["largest"],
                licence=known.licence, digest=hashlib.sha256("\n".join(f"{path} {size}" for path,size in sorted(files)).encode()).hexdigest()[:16])

def rows_there(): return {row["set"]: row for row in csv.DictReader(open(TABLE, newline=""))} if TABLE.is_file() else {}

def differences(row, expected):
    "Which columns of two rows differ, in words."
    return ", ".join(f"{column} {row[column]} and not {expected.get(column)}" for column in row if str(row[column]) != expected.get(column))


# a page to hear

def page_of_sounds(): # Called by `make play`
    "One sound of each content of the sets in AUDIOCLUST_DATA that may be passed on, as a page of HTML."
    data_folder = Path(os.environ.get("AUDIOCLUST_DATA") or ".")
    lines = ["<!doctype html><meta charset=utf-8><title>Real sounds</title><h1>One sound of each content</h1>"]
    for name,dataset in REAL_SETS.items():
        if not (data_folder/name).is_dir() or not dataset.licence.startswith(("CC", "Apache")): continue
        lines.append(f"<h2>{name}</h2><p><a href='{dataset.url}'>{dataset.repository}</a>, {dataset.licence}, here as mp3</p>")
        for clip in real_set(name).groupby("label").head(1).itertuples():
            sound = base64.b64encode(as_mp3(clip.path, clip.start, min(clip.end, clip.start + 5))).decode()
            lines.append(f"<p>{html.escape(clip.label)}<br><audio controls preload=none src='data:audio/mpeg;base64,{sound}'></audio></p>")
    return "\n".join(lines)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("clones", type=Path)
    p.add_argument("out", type=Path)
    p.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(LAID_OUT)}; all if left out")
    p.add_argument("--record", action="store_true", help="write the table anew")
    args = p.parse_args()
    if unknown := [name for name in args.sets if name not in LAID_OUT]: p.error(f"there is no set {unknown[0]}; choose from {', '.join(LAID_OUT)}")
    expected, rows, is_whole = rows_there(), rows_there(), True
    for name in args.sets or LAID_OUT:
        try:
            left_out = {} if (args.out/name).is_dir() else lay_out(name, args.clones, args.out)
            rows[name] = row_of(name, args.out/name)
            said = "".join(f", {n} {reason}" for reason,n in left_out.items() if n)
            if differs := "" if args.record else differences(rows[name], expected.get(name, {})):
                is_whole = False
                said += f": NOT AS IN {TABLE.name}: {differs}; move {args.out/name} away and run this again"
            print(f"{name}: {rows[name]['clips']} clips{said}", flush=True)
        except (Refused, OSError) as e:
            is_whole = False
            full = isinstance(e, OSError) and e.errno == errno.ENOSPC
            print(f"{name}: {'no space is left on the disk of ' + str(args.out) + '; free some, and run this again' if full else e}", flush=True)
    if args.record:
        with open(TABLE, "w", newline="") as f:
            writer = csv.DictWriter(f, next(iter(rows.values())))
            writer.writeheader()
            writer.writerows(rows[name] for name in LAID_OUT if name in rows)
    sys.exit(not is_whole)


if __name__ == "__main__": main()
