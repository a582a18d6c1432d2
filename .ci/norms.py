"""The norms of the report: what the names of axes and the captions of Part I have to say.

A rule reads the code of a cell, its caption or its output, and returns what is missing. It is meant to be right nearly
always, so it lets pass what it cannot judge: names that the code computes, and whether a number in a caption is true.
"""
import re

# ---- words that the rules know

UNIT = re.compile(r"\((?!log scale\)).+\)", re.S)  # (s), (Hz)
# what has a unit; a name of anything else, such as a score or a count, says nothing
MEASURED = re.compile(r"\b(time|duration|frequency|loss|memory|seconds)\b", re.I)
NUMBER = (r"(?<!last )(?<!seed )\b(?:\d+(?:,\d{3})*|[nN]|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
          r"|hundred|thousand|million)")
THING = r"(?:clip|point|row|recording|picture|sound|call|note|pair|task|frame)s?"
# 300 made-up calls; not: the last five rows, the ten nearest clips, three families of sounds
FEW = rf"{NUMBER}(?:[\s-]+(?!nearest|of\b)[\w.-]+){{0,3}}\s+{THING}\b"
MANY = r"\b\d?,?\d{3}(?:[\s-]+[\w-]+){0,2}\s+(?:words|digits)\b"  # 3,000 spoken digits; not: the ten digits
SIZE = re.compile(rf"\bn = \d|{FEW}|{MANY}", re.I)
COLUMN = re.compile(r"(?:<th>|^\||\|) *(?:n|N|clips|pictures) *(?:</th>|\|)")  # a table that has n in a column
CHANCE = re.compile(r"\bseeds?\b|\bdraws?\b|\bruns\b|\bone run\b|\bvotes\b|\b(?:no|or|without) random numbers"
                    r"|nothing is random", re.I)
NO_DATA = re.compile(r"a drawing|made up by hand|no data|without data", re.I)  # there are neither n nor seeds
ELSEWHERE = re.compile(r"as in @(?:tbl|fig)-", re.I)  # the other caption says it
SPREAD = re.compile(r"standard deviation|s\.d\.|standard error|interval", re.I)
BARS = re.compile(SPREAD.pattern + r"|\brange|\blowest\b|\bworst\b", re.I)
# ---- captions

def caption_faults(label, caption, shown):
    "What the caption of a computed table or figure does not say; `shown` is the table as text, or the code of the figure."
    missing = []
    if ELSEWHERE.search(caption): return missing
    if not NO_DATA.search(caption):
        if not SIZE.search(caption) and not COLUMN.search(shown):
            missing.append("how many clips, points or rows there are, or that it shows no data")
        if not CHANCE.search(caption): missing.append("the seeds, or that nothing is random")
    if re.search(r"\d\s*±", shown) and not SPREAD.search(caption): missing.append("what ± is")
    elif re.search(r"errorbar\(|fill_between|[xy]err=", shown) and not BARS.search(caption):
        missing.append("what the bars are")
    return [f"{label}: its caption does not say {m}" for m in missing]


# ---- axes

NAMED = re.compile(r"""\b(?:set_|sup)?([xy])label *[=(] *f?["']([^"']*)""")
DRAWS = re.compile(r"plt\.(?:subplots|plot|figure|scatter|imshow|bar)")
WITHOUT_AXES = re.compile(r"""set_axis_off|axis\("off"\)|show_clusters\(|\bplot_\w+\(""")  # the last two name both


def axis_faults(label, code):
    "Axes of a figure without a name, and names of what has a unit that do not give it."
    missing = [axis for axis in "xy" if f"{axis}label" not in code]
    if not DRAWS.search(code) or WITHOUT_AXES.search(code): missing = []
    bare = [(axis, name) for axis, name in NAMED.findall(code) if MEASURED.search(name) and not UNIT.search(name)]
    return [f"{label}: the {axis} axis has no name" for axis in missing] + \
           [f"{label}: the {axis} axis has no unit: {name}" for axis, name in bare]
