"""Make the runs to play with, for the site: python .ci/play.py FOLDER writes listening pages with the sounds in them.

600 spoken digits by content and by source (downloaded, if AUDIOCLUST_DATA does not say where they lie), and the runs of
two tutorials, a library of samples and field recordings: their cells are carried out up to the names. Of the real sets in
AUDIOCLUST_DATA, one sound of each content where the licence allows it.
"""
import json, sys, tempfile
from pathlib import Path

from audioclust.audio import fsdd
from audioclust.cli import main

sys.path.append(str(Path(__file__).parents[1]/"benchmarks"))
from real_sets import page_of_sounds

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


out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
with tempfile.TemporaryDirectory() as folder:
    runs = {"digits": digits(Path(folder)), "samples": tutorial("01_samples.ipynb", "listen runs/kit --edits")/"runs/kit",
            "field": tutorial("02_field.ipynb", "listen runs/calls --edits")/"runs/calls"}
    for name, run in runs.items():
        typed("listen", run, "--embed", "--page", out/f"{name}.html", "-q")
(out/"real.html").write_text(page_of_sounds(), encoding="utf-8")
(out/"LICENCES.txt").write_text(LICENCES, encoding="utf-8")
