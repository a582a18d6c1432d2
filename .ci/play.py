"""Make the runs to play with: finished listening pages with the sounds in them, for the site.

    python .ci/play.py FOLDER

Spoken digits by content and by source (600 of the Free Spoken Digit Dataset, which is downloaded if AUDIOCLUST_DATA does not say where it lies), and
the runs of two tutorials, a library of samples and field recordings: their cells are carried out up to the names. The default encoders of this
environment are used.
"""
import json, sys, tempfile
from pathlib import Path

from audioclust.audio import fsdd
from audioclust.cli import main

TUTORIALS = Path(__file__).parents[1]/"nbs/tutorials"
MOST = 5_000_000  # bytes of a page
LICENCES = """digits*.html: recordings of the Free Spoken Digit Dataset (https://github.com/Jakobovski/free-spoken-digit-dataset), CC BY-SA 4.0.
samples.html, field.html: sounds made by audioclust, Apache License 2.0.
"""

def typed(*arguments):
    "Carry out a command; one that fails ends all."
    if main(list(map(str, arguments))): sys.exit(f"audioclust {' '.join(map(str, arguments))} failed")

def tutorial(name, last): # `last`: what the last cell holds
    "The folder in which a tutorial worked."
    said = {"display": print}
    for cell in json.loads((TUTORIALS/name).read_text(encoding="utf-8"))["cells"]:
        code = "".join(cell["source"])
        if cell["cell_type"] != "code" or code.startswith("#| hide"): continue
        exec(code, said)
        if last in code: return said["folder"]

def digits(folder):
    "Both groupings of ten recordings of each digit by each speaker."
    table = fsdd(download=True)
    few = table.groupby(["label", "speaker"]).head(10)[["path"]]
    few.to_csv(folder/"digits.csv", index=False)
    typed("cluster", folder/"digits.csv", "--out", folder/"digits", "--by", "both", "--n-clusters", "10,6", "-q")
    return folder/"digits"

def pages(out): # Folder of the pages
    "Write the pages and the licences of what they hold."
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name,run in {"digits": digits(Path(folder)), "samples": tutorial("01_samples.ipynb", "listen runs/kit --edits")/"runs/kit",
                         "field": tutorial("02_field.ipynb", "listen runs/calls --edits")/"runs/calls"}.items():
            page = out/f"{name}.html"
            typed("listen", run, "--embed", "--page", page, "-q")
            print(f"{page}: {page.stat().st_size/1e6:.1f} MB")
            if page.stat().st_size > MOST: sys.exit(f"{page} has more than {MOST:,} bytes")
    (out/"LICENCES.txt").write_text(LICENCES, encoding="utf-8")


if __name__ == "__main__": pages(Path(sys.argv[1]))
