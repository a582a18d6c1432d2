"""What nbdev's pages say of the package, made true: links, source, and signatures."""
import ast, json, re

WIDE = ["results/unopened.html", "results/verdict.html", "results/results.html", "results/speed.html", "results/tables.html",
    "09_nf_spice/results.html", "06_encoders/choice.html", "01_audio/decoding.html", "13_listen/exporting.html",
    "tutorials/field.html", "results/parts.html"]  # pages with tables that need the whole width
# what nbdev shows of a function or class
ENTRY = re.compile(r"(?s)\[source\]\([^)]*\)(?P<style>(?:\{[^}]*\})?)\n\n(?P<level>#+) (?P<name>[\w.]+)\n\n```python\n.*?```"
    r"(?:\n\n\*Call self as a function\.\*)?")


def declared(top, path):
    "The functions, classes and methods of a module, by the name in headings: where each is, and how the source declares it, without docstring and private attributes."
    code, found = (top/path).read_text(encoding="utf-8"), {}
    lines = code.splitlines()
    def ends(f):  # the line above the body, or the body's own where it begins on the last line of the head
        return f.body[0].lineno - (not lines[f.body[0].lineno - 1][:f.body[0].col_offset].strip())
    def hidden(s): return isinstance(s, ast.Expr) or isinstance(s, (ast.Assign, ast.AnnAssign)) and ast.unparse(s).startswith("_")
    def add(name, node, last):
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        out = {n for s in node.body if s.lineno > node.lineno and hidden(s) for n in range(s.lineno, s.end_lineno + 1)}
        text = "\n".join(lines[n - 1] for n in range(first, last + 1) if n not in out)
        found[name] = f"{path}#L{node.lineno}", re.sub(rf"(?m)^ {{{node.col_offset}}}", "", text)
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef):
            marks, first = [ast.unparse(d) for d in node.decorator_list], node.args.args[:1]
            patched = any(m.startswith("patch") for m in marks) and first and first[0].annotation
            of = f"{ast.unparse(first[0].annotation)}." if patched else ""
            add(of + node.name, node, ends(node))
        if isinstance(node, ast.ClassDef):
            methods = [f for f in node.body if isinstance(f, ast.FunctionDef)]
            for f in methods: add(f"{node.name}.{f.name}", f, ends(f))
            fields = [f.end_lineno for f in node.body if isinstance(f, ast.AnnAssign)]
            made = [ends(f) for f in methods if f.name == "__init__"]
            add(node.name, node, (made or fields or [node.lineno])[-1])
    return found


def entries(text, shown, source):
    "A page's entries on functions and classes with their own source: of two that have one name nbdev links the other, and it leaves out parts of signatures."
    def one(m):
        of, _, method = m["name"].rpartition(".")  # nbdev heads some methods without their class, and a class may inherit one
        like = [d for name,d in shown.items() if name.endswith(f".{method}")]*(not of or of in shown)
        at, head = shown.get(m["name"]) or (like[0] if len(like) == 1 else (None, None))
        if not at: return m[0]
        return f"[source]({source}/{at}){m['style']}\n\n{m['level']} {m['name']}\n\n```python\n{head}\n```"
    return ENTRY.sub(one, text)


def described(code):
    "A cell whose figure has a caption, with the caption's first sentence as what a screen reader says of the picture."
    cap = re.search(r'(?m)^#\| *fig-cap: *"(.*)"\s*$', code)
    if not cap or re.search(r"(?m)^#\| *fig-alt:", code): return code
    first = re.split(r"(?<=[.:;]) ", re.sub(r"\s*\[?@[\w-]+\]?|[*`$]", "", cap[1]))[0].rstrip(":;")
    line = cap[0].rstrip("\n")
    return code.replace(line, f'{line}\n#| fig-alt: "{first}"', 1)


NUMBER = re.compile(r"\s*[−+-]?[\d.,]+(?:e[−+-]?\d+)?(?:\s*[±–]\s*[\d.,]+)?\s*%?\s*|\s*|\s*(?:NaN|nan|—|–)\s*")
CELL = re.compile(r"(?s)<(t[dh])((?: [^>]*)?)>(.*?)</\1>")


def aligned(html):
    "A table of pandas whose columns of numbers, with their heads, have the class `number`."
    place, numbers = {}, {}  # where a cell begins → its column, counted from the right: names at the left may span rows
    for row in re.finditer(r"(?s)<tr.*?</tr>", html):
        at = 0
        for cell in reversed([*CELL.finditer(html, *row.span())]):
            wide = int((re.search(r'colspan="(\d+)"', cell[2]) or [0, 1])[1])
            if wide == 1: place[cell.start()] = at
            if cell[1] == "td": numbers.setdefault(at, []).append(bool(NUMBER.fullmatch(cell[3])))
            at += wide
    right = {at for at, are_numbers in numbers.items() if all(are_numbers)}
    def marked(cell):
        if place.get(cell.start()) not in right: return cell[0]
        return f'<{cell[1]}{cell[2]} class="number" style="text-align: right">{cell[3]}</{cell[1]}>'
    return CELL.sub(marked, html)


def mend(text, page, index, cfg, shown={}):
    """A processed notebook without links in code blocks, with names linked to their own page first, files of the repository
    linked there, and whole signatures. Texts become lists of lines: of one text Quarto drops the ends of the lines."""
    nb, site, blob = json.loads(text), cfg["doc_host"] + cfg["doc_baseurl"], f"{cfg['git_url']}/blob/{cfg['branch']}"
    home = {}  # page and anchor of each public name, for each page that has it
    for names in index.values():
        for name,(at,_) in names.items():
            where, _, anchor = at.partition("#")
            for short in {name.split(".", 2)[-1], anchor}: home.setdefault(short, {})[where] = anchor
    def link(m):
        where = home.get(m[1], {})
        if page in where and not m[1].startswith("_"): return f"[`{m[1]}`]({site}/{page}#{where[page]})"
        # private names have no place on a page; of several that have the name nobody knows which; a plain word is an argument
        return f"`{m[1]}`" if len(where) > 1 or re.match("_|[a-z]+$", m[1]) else m[0]
    def line(s):
        s = re.sub(r"\[\[(`[^`\]]+`)\]\([^)]*\)\]\(", r"[\1](", s)  # a link around a link
        s = re.sub(rf"\[`([^`\]]+)`\]\({re.escape(site)}/[^)]*\)", link, s)
        above = rf"(?:\.\./){{{page.count('/') + 1}}}"  # out of the folder of notebooks
        return re.sub(rf"\]\({above}([\w./-]+)\)", rf"]({blob}/\1)", s)
    def whole(lines):
        blocks = re.split(r"(?ms)(^```.*?^```)", "".join(lines))
        blocks[1::2] = [re.sub(r"\[`([^`\]]+)`\]\(http[^)]*\)", r"`\1`", block) for block in blocks[1::2]]
        blocks[::2] = map(line, blocks[::2])
        return entries("".join(blocks), shown, blob).splitlines(True)
    for cell in nb["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "raw" and page in WIDE:
            source = source.replace("\ntitle:", "\npage-layout: full\ntoc-location: left\ntitle:", 1)
        cell["source"] = whole(source) if cell["cell_type"] == "markdown" else described(source).splitlines(True)
        for data in [o["data"] for o in cell.get("outputs", []) if "data" in o]:
            if "<table" in (html := "".join(data.get("text/html", ""))): data["text/html"] = aligned(html).splitlines(True)
            if "text/markdown" in data: data["text/markdown"] = whole(data["text/markdown"])
    return json.dumps(nb, indent=1, ensure_ascii=False) + "\n"
