"""Make the runs to play with, for the site: python .ci/play.py FOLDER writes listening pages with the sounds in them.
600 spoken digits by content and by source (downloaded, if AUDIOCLUST_DATA does not say where they lie), and the runs of
two tutorials, a library of samples and field recordings: their cells are carried out up to the names. Sets in AUDIOCLUST_DATA: real.html.
"""
import base64, html, json, os, sys, tempfile
from pathlib import Path

from audioclust.audio import fsdd
from audioclust.audio.datasets import real_set, REAL_SETS
from audioclust.cli import main
from audioclust.listen.clip_audio import as_mp3

TUTORIALS = Path(__file__).parents[1]/"nbs/tutorials"
LICENCES = """digits*.html: recordings of the Free Spoken Digit Dataset (https://github.com/Jakobovski/free-spoken-digit-dataset), CC BY-SA 4.0.
samples.html, field.html: sounds made by audioclust, Apache License 2.0.
"""


def typed(*arguments):
    "Carry out a command; one that fails ends all."
    if main(list(map(str, arguments))): sys.exit(f"audioclust {' '.join(map(str, arguments))} failed")


def tutorial(name, last):
    "The folder in which a tutorial worked, up to the cell that holds `last`."
    said = {"display": print}
    for cell in json.loads((TUTORIALS/name).read_text(encoding="utf-8"))["cells"]:
        code = "".join(cell["source"])
        if cell["cell_type"] != "code" or code.startswith("#| hide"): continue
        exec(code, said)
        if last in code: return said["folder"]


def digits(folder):
    "Both groupings of ten recordings of each digit by each speaker."
    fsdd(download=True).groupby(["label", "speaker"]).head(10)[["path"]].to_csv(folder/"digits.csv", index=False)
    typed("cluster", folder/"digits.csv", "--out", folder/"digits", "--by", "both", "--n-clusters", "10,6", "-q")
    return folder/"digits"


def real_sounds(name): # one sound of each content, as HTML
    yield f"<h2>{name}</h2><p><a href='{REAL_SETS[name].url}'>{REAL_SETS[name].repository}</a>, {REAL_SETS[name].licence}, here as mp3</p>"
    for clip in real_set(name).groupby("label").head(1).itertuples():
        sound = base64.b64encode(as_mp3(clip.path, clip.start, min(clip.end, clip.start + 5))).decode()
        yield f"<p>{html.escape(clip.label)}<br><audio controls preload=none src='data:audio/mpeg;base64,{sound}'></audio></p>"


out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
with tempfile.TemporaryDirectory() as folder:
    runs = {"digits": digits(Path(folder)), "samples": tutorial("01_samples.ipynb", "listen runs/kit --edits")/"runs/kit",
            "field": tutorial("02_field.ipynb", "listen runs/calls --edits")/"runs/calls"}
    for name, run in runs.items():
        typed("listen", run, "--embed", "--page", out/f"{name}.html", "-q")
there = [name for name,of in REAL_SETS.items() if of.licence.startswith(("CC", "Apache")) and Path(os.environ.get("AUDIOCLUST_DATA") or ".", name).is_dir()]
if there: (out/"real.html").write_text("\n".join(["<!doctype html><meta charset=utf-8><title>Real sounds</title>", *(line for name in there for line in real_sounds(name))]), encoding="utf-8")
(out/"LICENCES.txt").write_text(LICENCES, encoding="utf-8")
