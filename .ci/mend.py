"""What nbdev's pages say of the package, made true: links, captions for screen readers, and numbers in tables."""
import json, re


def described(code):
    "A cell whose figure has a caption, with the caption's first sentence as what a screen reader says of the picture."
    cap = re.search(r'(?m)^#\| *fig-cap: *"(.*)"\s*$', code)
    if not cap or re.search(r"(?m)^#\| *fig-alt:", code): return code
    first = re.split(r"(?<=[.:;]) ", re.sub(r"\s*\[?@[\w-]+\]?|[*`$]", "", cap[1]))[0].rstrip(":;")
    line = cap[0].rstrip("\n")
    return code.replace(line, f'{line}\n#| fig-alt: "{first}"', 1)


NUMBER = re.compile(r"(?:[\s\d.,()+−–—±→%†‡*-]|\de[+−-]|<[^>]*>|to|of|nan|NaN)*")  # also bold, or with its limits
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


def mend(text, page, index, cfg):
    """A processed notebook without links in code blocks, with names linked to their own page first, and files of the
    repository linked there. Texts become lists of lines: of one text Quarto drops the ends of the lines."""
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
        return "".join(blocks).splitlines(True)
    for cell in nb["cells"]:
        source = "".join(cell["source"])
        cell["source"] = whole(source) if cell["cell_type"] == "markdown" else described(source).splitlines(True)
        for data in [o["data"] for o in cell.get("outputs", []) if "data" in o]:
            if "<table" in (html := "".join(data.get("text/html", ""))): data["text/html"] = aligned(html).splitlines(True)
            if "text/markdown" in data: data["text/markdown"] = whole(data["text/markdown"])
    return json.dumps(nb, indent=1, ensure_ascii=False) + "\n"
