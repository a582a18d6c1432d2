"""Figures of the pages of results: the decision tree, and gains as a forest plot. For the notebooks in nbs/results."""
import io
import re
import textwrap

import matplotlib.pyplot as plt
from IPython.display import Image, Markdown, SVG
from PIL import Image as Pixels

from audioclust.metrics.plots import OKABE_ITO
from reported import KINDS

WIDTH, DPI = 7.2, 192 # inches: 692 px on the page, at twice its resolution
COLOURS = dict(zip(KINDS, (OKABE_ITO[0], OKABE_ITO[1], "0.35", OKABE_ITO[2])))
MARKERS = dict(zip(KINDS, "osD^"))
# a question and what follows each answer: what to use, where its page is, and its options
FIXED, SPECTRAL = "../06_encoders/02_fixed.ipynb", "../05_ensembles/04_spectral.ipynb"
TREE = ("Is a first look enough, or are there 100,000 clips or more?", [
    ("yes", ("the fixed encoder", FIXED, "--encoder fixed")),
    ("no", ("May encoders be used that others trained with labels?", [
        ("yes", ("the vote of encoders", "../06_encoders/11_joint.ipynb", "--encoder auto")),
        ("no", ("Is it speech by speaker, and is there time for minutes of training?", [
            ("yes", ("DeepCluster", "../08_deepcluster/05_estimator.ipynb", "--by source --method deepcluster")),
            ("no", ("Is it speech, or is the source wanted?", [
                ("yes", ("the fixed encoder", FIXED, "--encoder fixed")),
                ("no", ("Is there time for minutes of training?", [
                    ("yes", ("DeepCluster, or NF-SPICE in up to four times as long", "../08_deepcluster/05_estimator.ipynb", "--method deepcluster, --method nf-spice")),
                    ("no", ("spectral clustering on an untrained network", SPECTRAL, "--encoder untrained --method spectral"))]))]))]))]))])


def vector(fig):
    "The figure as lines that stay sharp at any size, always the same bytes for the same figure."
    out = io.StringIO()
    with plt.rc_context({"svg.hashsalt": "audioclust"}): fig.savefig(out, format="svg", metadata={"Date": None})
    plt.close(fig)
    svg = re.sub(r"<!--.*?-->|(?<=>)\s+(?=<)", "", out.getvalue(), flags=re.S)
    return SVG(re.sub(r"(\d\d\.\d\d)\d+", r"\1", re.sub(r"\s+", " ", svg))) # without comments, indents and thousandths of a point

def few_colours(fig):
    "The figure as a picture of 64 colours, which takes less room in a notebook than thousands of dots as lines do."
    raw, out = io.BytesIO(), io.BytesIO()
    fig.savefig(raw, dpi=fig.dpi)
    plt.close(fig)
    picture = Pixels.open(raw).convert("RGB").quantize(64, method=Pixels.Quantize.MAXCOVERAGE, dither=Pixels.Dither.NONE)
    picture.save(out, "png", optimize=True, dpi=(fig.dpi, fig.dpi))
    return Image(out.getvalue(), width=round(96*fig.get_figwidth()))

def text_of_tree():
    "The questions as a numbered list, in Markdown: each answer leads to what to use, or to the next question."
    lines, (question, answers) = [], TREE
    while True:
        told = [f"*{answer}*: [{leaf[0]}]({leaf[1]}), " + " or ".join(f"`{option}`" for option in leaf[2].split(", ")) for answer,leaf in answers if len(leaf) == 3]
        onward = [below for _,below in answers if len(below) == 2]
        lines.append(f"{len(lines) + 1}. {question} {'; '.join(told)}." + f" Else {len(lines) + 2}."*bool(onward))
        if not onward: return Markdown("\n".join(lines))
        question, answers = onward[0]

def draw_tree():
    "The questions as a staircase: to the right of each what to use, below it the next question."
    fig, ax = plt.subplots(figsize=(WIDTH, 6.2), dpi=DPI, layout="constrained")
    ax.set(xlim=(0, 1), ylim=(-6.5, .55))
    ax.axis("off")
    def box(x, y, text, colour):
        lines = [part for line in text.split("\n") for part in textwrap.wrap(line, 36, break_on_hyphens=False)]
        return ax.text(x, y, "\n".join(lines), ha="center", va="center", fontsize=8.5, bbox=dict(boxstyle="round,pad=.5", fc="w", ec=colour, lw=1.4))
    def arrow(start, end, answer, place):
        style = dict(arrowstyle="-|>", color="0.3", lw=1, patchA=start.get_bbox_patch(), patchB=end.get_bbox_patch(), shrinkA=0, shrinkB=1)
        ax.annotate("", end.get_position(), start.get_position(), arrowprops=style)
        ax.text(*place, answer, fontsize=8.5, style="italic", ha="center", va="center")
    node, y, asked, answer = TREE, 0, None, None
    while len(node) == 2:
        question, ((to_use, leaf), (to_ask, below)) = node
        now, use = box(.24, y, question, "0.35"), box(.8, y, f"{leaf[0]}\n{leaf[2]}", OKABE_ITO[0])
        fig.canvas.draw() # boxes have sizes then
        arrow(now, use, to_use, (.54, y + .13))
        if asked is not None: arrow(asked, now, answer, (.24 + .055, y + .5))
        node, y, asked, answer = below, y - 1, now, to_ask
    last = box(.24, y, f"{node[0]}\n{node[2]}", OKABE_ITO[0])
    fig.canvas.draw()
    arrow(asked, last, answer, (.24 + .055, y + .5))
    return vector(fig)

def draw_gains(ax, rows, intervals, kinds):
    "A row a method: a dot a set, the mean, and its interval. `rows`: name → gains; `intervals`: name → (mean, low, high); `kinds`: name → one of KINDS."
    for y,(name,gains) in enumerate(rows.items()):
        colour, marker = COLOURS[kinds[name]], MARKERS[kinds[name]]
        ax.plot(gains, [y - .28]*len(gains), ".", c=colour, ms=5, mew=0, alpha=.7)
        mean, low, high = intervals[name]
        ax.plot([low, high], [y, y], c=colour, lw=1.2)
        ax.plot(mean, y, marker, c=colour, ms=6, mec="w", mew=.5)
    ax.axvline(0, c="0.2", lw=.8, zorder=0)
    ax.set(ylim=(len(rows) - .5, -.5))
    ax.grid(axis="x", lw=.4)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(labelsize=8.5)

def forest(panels, kinds, xlabel, xlim, dots="a set"): # Title → (rows, intervals), the same names in all panels
    "Panels of gains side by side, and one legend."
    names = list(next(iter(panels.values()))[0])
    fig, axs = plt.subplots(1, len(panels), figsize=(WIDTH, 1.5 + .23*len(names)), dpi=DPI, sharey=True, layout="constrained", squeeze=False)
    for ax,(title,(rows,intervals)) in zip(axs[0], panels.items()):
        draw_gains(ax, rows, intervals, kinds)
        ax.set_title(title, fontsize=9.5)
        ax.set_xlim(*xlim)
    axs[0, 0].set_yticks(range(len(names)), names)
    for kind in KINDS:
        if kind in {kinds[name] for name in names}: axs[0, 0].plot([], [], MARKERS[kind] + "-", c=COLOURS[kind], ms=6, mec="w", mew=.5, label=kind)
    axs[0, 0].plot([], [], ".", c="0.4", ms=6, label=dots)
    fig.legend(*axs[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False, fontsize=8.5)
    fig.supxlabel(xlabel, fontsize=9)
    return vector(fig)

