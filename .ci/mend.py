"""What nbdev's pages say of the package, made true: links, source, and signatures."""
import ast, json, re

WIDE = {**dict.fromkeys(["results/unopened.html", "results/verdict.html", "results/results.html", "results/speed.html", "09_spice/harder.html", "06_encoders/catalogue.html", "01_audio/decoding.html",
                          "13_listen/exporting.html", "tutorials/field.html"], "toc-location: left"), "results/tables.html": "toc: false"}  # pages with tables that need the whole width, and where their contents go


def declared(code, path):
    """Of each function, class and method of a module: where it is, and what nbdev leaves out of its signature.
    Keys are names as in headings, `Class.method`; values `path` and `line`; `keyword`, the first argument that is given by name only; `rest`, the comment of `**kwargs`;
    `property`; `bare`, of what has no docstring; and `fields` of named tuples, written as arguments are."""
    found, lines = {}, code.splitlines()
    def said(node):  # the comment behind it
        m = re.match(r"[\s,)]*(?:->[^#]*:)?\s*#\s*(.*)", lines[node.end_lineno - 1].encode()[node.end_col_offset:].decode())
        return m[1].strip() if m else ""
    def marks(f): return [ast.unparse(d.func if isinstance(d, ast.Call) else d) for d in f.decorator_list]
    def function(f):
        a = f.args
        return dict(path=path, line=f.lineno, keyword=a.kwonlyargs[0].arg if a.kwonlyargs and not a.vararg else None, rest=said(a.kwarg) if a.kwarg and a.kwarg.end_lineno < f.body[0].lineno else "",
                    property=any(m.endswith("property") for m in marks(f)) or any("as_prop=True" in ast.unparse(d) for d in f.decorator_list), bare=ast.get_docstring(f) is None)
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef):
            of = f"{ast.unparse(node.args.args[0].annotation)}." if {"patch", "patch_to"} & set(marks(node)) and node.args.args and node.args.args[0].annotation else ""
            found[of + node.name] = function(node)
        if isinstance(node, ast.ClassDef):
            methods = {f.name: function(f) for f in node.body if isinstance(f, ast.FunctionDef)}
            found |= {f"{node.name}.{name}": f for name,f in methods.items()}
            found[node.name] = {**methods.get("__init__", {}), "path": path, "line": node.lineno, "bare": ast.get_docstring(node) is None, "property": False}
            if "NamedTuple" in map(ast.unparse, node.bases):
                found[node.name]["fields"] = "".join(f"    {f.target.id}:{ast.unparse(f.annotation)}{'=' + ast.unparse(f.value) if f.value else ''},{' # ' + said(f) if said(f) else ''}\n" for f in node.body if isinstance(f, ast.AnnAssign))
    return found


def signature(text, shown, source):
    "A page's entry on a function or class, as nbdev writes it: its source where it is, and its signature complete. (Of two that have one name nbdev links the other; it drops the `*` before arguments by name.)"
    def one(m):
        like = [d for name,d in shown.items() if name.endswith(f".{m['name']}")]  # nbdev heads some methods without their class
        d = shown.get(m["name"]) or (like[0] if len(like) == 1 else None)
        if not d: return m[0]
        body = m["body"]
        if d.get("fields"): body = re.sub(r"    \*args, \*\*kwargs\n", lambda _: d["fields"], body)
        if d.get("keyword"): body = re.sub(rf"(?m)(?<!    \*,\n)^(    {d['keyword']}\b)", r"    *,\n\1", body, count=1)
        if d.get("rest"): body = re.sub(r"(?m)^(    \*\*\w+(?::[^,\n]+)?)(?:, # .*)?\n(\).*)$", lambda r: f"{r[1]}, # {d['rest']}\n" + (r[2].replace(f" # {d['rest']}", "")), body, count=1)
        if d.get("property") and not body.startswith("@"): body = f"@property\n{body}"
        after = "" if d.get("bare") else m["after"]
        return f"[source]({source}/{d['path']}#L{d['line']}){m['style']}\n\n{m['level']} {m['name']}\n\n```python\n{body}```{after}"
    return re.sub(r"\[source\]\([^)]*\)(?P<style>(?:\{[^}]*\})?)\n\n(?P<level>#+) (?P<name>[\w.]+)\n\n```python\n(?P<body>.*?)```(?P<after>(?:\n\n\*Call self as a function\.\*)?)", one, text, flags=re.S)


def described(code):
    "A cell whose figure has a caption, with the caption's first sentence as what a screen reader says of the picture."
    cap = re.search(r'(?m)^#\| *fig-cap: *"(.*)"\s*$', code)
    if not cap or re.search(r"(?m)^#\| *fig-alt:", code): return code
    first = re.split(r"(?<=[.:;]) ", re.sub(r"\s*\[?@[\w-]+\]?|[*`$]", "", cap[1]))[0].rstrip(":;")
    line = cap[0].rstrip("\n")
    return code.replace(line, f'{line}\n#| fig-alt: "{first}"', 1)


NUMBER = re.compile(r"\s*[−+-]?[\d.,]+(?:e[−+-]?\d+)?(?:\s*[±–]\s*[\d.,]+)?\s*%?\s*|\s*|\s*(?:NaN|nan|—|–)\s*")

def aligned(html):
    "A table of pandas whose columns of numbers, with their heads, have the class `number`; tables with cells that span others stay as they are."
    rows = [re.findall(r"<t[dh](?: [^>]*)?>(.*?)</t[dh]>", row, re.S) for row in re.findall(r"<tr.*?</tr>", html, re.S)]
    body = [re.findall(r"<td(?: [^>]*)?>(.*?)</td>", row, re.S) for row in re.findall(r"<tr.*?</tr>", html, re.S)]
    body = [row for row in body if row]
    if not body or "span=" in html or len({len(row) for row in rows}) > 1: return html
    before, width = len(rows[0]) - len(body[0]), len(body[0])
    numbers = {before + i for i in range(width) if all(NUMBER.fullmatch(row[i]) for row in body)}
    def row(m):
        count = iter(range(len(rows[0])))
        return re.sub(r"<(t[dh])>", lambda cell: f'<{cell[1]} class="number">' if next(count) in numbers else cell[0], m[0])
    return re.sub(r"<tr.*?</tr>", row, html, flags=re.S)


def mend(text, page, index, cfg, shown={}):
    """A processed notebook without links in code blocks, with names linked to their own page first, files of the repository linked there, and whole signatures.
    Texts become lists of lines: of one text Quarto drops the ends of the lines. A page that was mended before stays as it is."""
    nb, site = json.loads(text), cfg["doc_host"] + cfg["doc_baseurl"]
    home = {}  # page and anchor of each public name, for each page that has it
    for names in index.values():
        for name,(at,_) in names.items():
            where, _, anchor = at.partition("#")
            for short in {name.split(".", 2)[-1], anchor}: home.setdefault(short, {})[where] = anchor
    def link(m):
        where = home.get(m[1], {})
        if m[1].startswith("_"): return f"`{m[1]}`"  # private names have no place on a page
        if page in where: return f"[`{m[1]}`]({site}/{page}#{where[page]})"
        # of several that have the name nobody knows which; a plain word such as `noise` is an argument or a column
        return f"`{m[1]}`" if len(where) > 1 or re.fullmatch("[a-z]+", m[1]) else m[0]
    def line(s):
        s = re.sub(r"\[\[(`[^`\]]+`)\]\([^)]*\)\]\(", r"[\1](", s)  # a link around a link
        s = re.sub(rf"\[`([^`\]]+)`\]\({re.escape(site)}/[^)]*\)", link, s)
        above = rf"(?:\.\./){{{page.count('/') + 1}}}"  # out of the folder of notebooks
        return re.sub(rf"\]\({above}([\w./-]+)\)", rf"]({cfg['git_url']}/blob/{cfg['branch']}/\1)", s)
    def whole(s):
        lines, inside = s.split("\n"), False
        for i,l in enumerate(lines):
            if l.startswith("```"): inside = not inside
            # (nbdev writes numpy's ArrayLike, which is a union of types, without its name)
            lines[i] = re.sub(r"\b__main__\.", "", re.sub(r"(?<=\w):Union(?=[,=])", ":ArrayLike", re.sub(r"\[`([^`\]]+)`\]\(http[^)]*\)", r"`\1`", l))) if inside else line(l)
        return signature("\n".join(lines), shown, f"{cfg['git_url']}/blob/{cfg['branch']}")
    for cell in nb["cells"]:
        if cell["cell_type"] == "raw" and page in WIDE and "page-layout:" not in "".join(cell["source"]):
            cell["source"] = "".join(cell["source"]).replace("\ntitle:", f"\npage-layout: full\n{WIDE[page]}\ntitle:", 1).splitlines(True)
        if cell["cell_type"] == "code": cell["source"] = described("".join(cell["source"])).splitlines(True)
        if cell["cell_type"] == "markdown": cell["source"] = whole("".join(cell["source"])).splitlines(True)
        for o in cell.get("outputs", []):
            if "<table" in "".join(o.get("data", {}).get("text/html", "")): o["data"]["text/html"] = aligned("".join(o["data"]["text/html"])).splitlines(True)
            if "text/markdown" in o.get("data", {}): o["data"]["text/markdown"] = whole("".join(o["data"]["text/markdown"])).splitlines(True)
    return json.dumps(nb, indent=1, ensure_ascii=False) + "\n"
