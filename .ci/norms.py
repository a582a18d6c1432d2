"""The norms of the report: what the names of axes and the captions of Part I have to say.

A rule reads the code of a cell, its caption or its output, and returns what is missing. It is meant to be right nearly
always, so it lets pass what it cannot judge: names that the code computes, and whether a number in a caption is true.
"""
import ast
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
SERIES = re.compile(r"(?s)\(\s{4,}\w|.*\bdtype: \w+\)?$")  # what pandas shows as text: a table in a tuple, a single column
TABLE = re.compile(r"(?m)((?:^\|.*\n)+)\n*^: (.*?)\s*\{#(tbl-[\w-]+)\}")  # a Markdown table with its caption and label


# ---- captions

def caption_faults(label, caption, shown):
    "What the caption of a computed table or figure does not say; `shown` is the table as text, or the code of the figure."
    if ELSEWHERE.search(caption): return []
    missing = [] if NO_DATA.search(caption) else data_faults(caption, shown)
    return [f"{label}: its caption does not say {m}" for m in missing + spread_faults(caption, shown)]


def data_faults(caption, shown):
    "Whether a caption has n and the seeds."
    missing = []
    if not SIZE.search(caption) and not COLUMN.search(shown):
        missing.append("how many clips, points or rows there are, or that it shows no data")
    if not CHANCE.search(caption): missing.append("the seeds, or that nothing is random")
    return missing


def spread_faults(caption, shown):
    "Whether a caption says what ± and the bars are."
    if re.search(r"\d\s*±", shown) and not SPREAD.search(caption): return ["what ± is"]
    if re.search(r"errorbar\(|fill_between|[xy]err=", shown) and not BARS.search(caption): return ["what the bars are"]
    return []


def table_faults(markdown):
    "The same for Markdown tables; those of words need neither n nor seeds."
    found = []
    for rows, caption, label in TABLE.findall(markdown):
        if of_numbers(rows): found += caption_faults(label, caption, rows)
        elif not ELSEWHERE.search(caption):
            found += [f"{label}: its caption does not say {m}" for m in spread_faults(caption, rows)]
    return found


def of_numbers(rows):
    "Whether more than half of the cells of a Markdown table begin with a number; its first column and its header do not count."
    cells = [cell.strip(" *") for row in rows.strip().split("\n")[2:] for cell in re.split(r"(?<!\\)\|", row)[2:-1]]
    return sum(bool(re.match(r"[-+−]?[\d.]*\d", cell)) for cell in cells) > len(cells)/2


def text_faults(code, outputs):
    "Tables that pandas shows as text."
    texts = ["".join(o["data"].get("text/plain", "")) for o in outputs if "text/html" not in o.get("data", {"text/html": ""})]
    last = (code.strip().splitlines() or [""])[-1].strip()[:80]
    fault = f"a table is shown as text; show one table a cell, with to_frame(), label and caption: {last}"
    return [fault for text in texts if SERIES.match(text)]


def fold_faults(found, shows):
    "Folded solutions and tests that show something: the reader sees it and not the code that it is of."
    kind = found.get("code-summary")
    if kind not in ("Solution", "Tests") or not shows: return []
    return [f"a cell with `code-summary: \"{kind}\"` shows something below its fold: end it in an assertion"]


def only_tests(code):
    "Whether code holds nothing but tests and imports."
    def tests(node):
        if isinstance(node, ast.With): return all(testing(item.context_expr) for item in node.items)
        if isinstance(node, ast.For): return all(map(tests, node.body))
        return isinstance(node, ast.Assert) or isinstance(node, ast.Expr) and testing(node.value)
    def testing(node):
        return isinstance(node, ast.Call) and re.match(r"(\w+\.)*(test|expect|assert)_", ast.unparse(node.func))
    try: tree = ast.parse(code)
    except SyntaxError: return False  # not Python alone
    body = [node for node in tree.body if not isinstance(node, (ast.Import, ast.ImportFrom))]
    return bool(body) and all(map(tests, body))


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
