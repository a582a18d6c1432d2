"""The norms of the report: what the names of axes and the captions of Part I have to say.

A rule reads the code of a cell, its caption or its output, and returns what is missing. It is meant to be right nearly always.
So it lets pass what it cannot judge: a name that the code computes, a grid of panels whose size the code computes, helpers that
draw a panel, and whether a number in a caption is true.
"""
import ast, re, threading

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
    def testing(node): return isinstance(node, ast.Call) and called(node).startswith(("test_", "expect_", "assert_"))
    body = [node for node in parsed(code).body if not isinstance(node, (ast.Import, ast.ImportFrom))]
    return bool(body) and all(map(tests, body))


# ---- axes

PARSING = threading.Lock()  # the parser of Python 3.11 counts how deep it is for all threads together


def tree_of(code):
    with PARSING: return ast.parse(code)


def parsed(code):
    "Code as a tree; an empty one where it is not Python alone."
    try: return tree_of(code)
    except SyntaxError: return tree_of("")


def calls(tree): return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def called(call):
    "The name of the function or method that is called."
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def literal(node):
    "A string of the code; of an f-string its fixed parts; nothing for what the code computes."
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value for part in node.values if isinstance(part, ast.Constant))
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def names(call):
    "The names that a call gives: (axis, string)."
    given = [(word.arg[0], word.value) for word in call.keywords if word.arg in ("xlabel", "ylabel")]
    setter = re.fullmatch(r"(?:set_|sup)?([xy])label", called(call))
    if setter and call.args: given.append((setter[1], call.args[0]))
    if called(call) == "colorbar": given += [("colour", word.value) for word in call.keywords if word.arg == "label"]
    return given


def unit_faults(label, code):
    "Names of axes that measure what has a unit, and do not give it."
    given = [(axis, literal(node)) for call in calls(parsed(code)) for axis,node in names(call)]
    return [f"{label}: the {axis} axis has no unit: {name}" for axis,name in given if MEASURED.search(name) and not UNIT.search(name)]


def panel_faults(label, code):
    "Axes of panels without a name."
    tree = parsed(code)
    if not tree.body: return []
    grid = next((call for call in calls(tree) if called(call) == "subplots"), None)
    if not grid and not re.search(r"plt\.(plot|figure|scatter|imshow|bar)", code): return []
    found = []
    for axis in "xy":
        need, has = wanted(grid, axis), named(tree, axis)
        if has < need: found.append(f"{label}: the {axis} axis has no name" + f" in {need - has} of {need} panels"*(need > 1))
    return found


def wanted(grid, axis):
    """How many panels need a name for an axis; one where the code computes their number.
    Of panels that share the axis, one does in each column or row."""
    if not grid or not all(isinstance(number, ast.Constant) for number in grid.args[:2]): return 1
    rows, columns = [*(number.value for number in grid.args[:2]), 1, 1][:2]
    shared = [word.value for word in grid.keywords if word.arg == f"share{axis}"]
    if not shared or getattr(shared[0], "value", True) in (False, "none"): return rows*columns
    return columns if axis == "x" else rows


def named(tree, axis):
    "How many panels get a name for an axis, or are drawn without axes; any number where a loop, a function or the figure names it."
    loops = [node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.FunctionDef, ast.ListComp, ast.GeneratorExp))]
    repeated = {id(call) for loop in loops for call in calls(loop)}
    naming = [call for call in calls(tree) if names_axis(call, axis)]
    if any(id(call) in repeated or called(call) == f"sup{axis}label" for call in naming): return float("inf")
    return len(naming) + sum(unaxed(call) and id(call) not in repeated for call in calls(tree))


def names_axis(call, axis):
    "Whether a call names an axis; helpers that draw a whole panel name both."
    return re.match(r"show_clusters$|plot_", called(call)) or axis in [a for a,_ in names(call)]


def unaxed(call):
    "Whether a call takes the axes away."
    return called(call) == "set_axis_off" or called(call) == "axis" and [literal(a) for a in call.args] == ["off"]
