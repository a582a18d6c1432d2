"""Build the report, the first part of the sidebar, as one PDF.

    python .ci/pdf.py            writes _pdf/audioclust.pdf

The notebooks come to pandoc's trees as in docs.py. Here the trees of the pages become one: a section of the sidebar is a chapter whose pages are its sections, and a page that stands alone is a chapter, too. Figures, tables and equations are numbered by chapter, and links lead from page to page; pandoc writes it for Typst, and the package `typst` sets it. `report.typ` holds the looks.
Left out are the code that a page exports to the package, the code that the pages fold (it draws figures), tests, and sounds. A reference, a link or a citation that leads nowhere is a fault, and with any fault the exit status is 1.
"""
import argparse, ast, json, posixpath, re, shutil, struct, sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from docs import LABEL, Page, every, pandoc, parse, plain, words
from llms import core, page_of, root, settings
from norms import tree_of

# how wide a page is, in points, and the sizes of letters that a table may take there, in the order of what is tried: the text, some of the margin too, and a page that lies on its side
ROOMS = [(476, (9, 8.5, 8, 7.5), 999), (532, (8, 7.5, 7), 999), (532, (6.5, 6), 20), (728, (8.5, 8, 7.5, 7, 6.5, 6), 999)]  # the third only for tables of at most so many rows
TITLE, SUBTITLE = "Clustering audio without labels", "The report of audioclust"
NOTE = """This document holds the chapters of Part I of the site. Three kinds of code are left out here: the code that a page exports to the package, code that draws figures, and tests. Code that shows something at work is printed with its output. The sounds are on the pages of the site. A blue link leads to a place in this document, a violet link to another page."""


def raw(text): return {"t": "RawBlock", "c": ["typst", text]}


def inline(text): return {"t": "RawInline", "c": ["typst", text]}


def string(text): return json.dumps(text, ensure_ascii=False)  # as Typst writes it


ASIDE, UPRIGHT = raw("#page(flipped: true)["), raw("] // upright again")


def changed(x, change):
    "A copy of a tree; `change` gets each element, children first, and returns the elements that take its place."
    if isinstance(x, list): return [z for y in x for z in (change(changed(y, change)) if isinstance(y, dict) and "t" in y else [changed(y, change)])]
    if isinstance(x, dict): return {k: changed(v, change) for k,v in x.items()}
    return x


def untested(code):
    "Code without the statements that only test; nothing, if no more than imports is left."
    def called(node): return isinstance(node, ast.Call) and getattr(node.func, "id", "").startswith(("test_", "expect_"))
    def tests(node):
        if isinstance(node, ast.With): return all(called(i.context_expr) for i in node.items)
        if isinstance(node, ast.For): return all(map(tests, node.body))
        return isinstance(node, ast.Assert) or isinstance(node, ast.Expr) and called(node.value)
    try: body = tree_of(code).body
    except SyntaxError: return code  # a line for the notebook alone
    if all(tests(x) or isinstance(x, (ast.Import, ast.ImportFrom)) for x in body): return ""
    lines = code.split("\n")
    gone = {i for x in body if tests(x) for i in range(x.lineno - 1, x.end_lineno)} - {i for x in body if not tests(x) for i in range(x.lineno - 1, x.end_lineno)}
    return re.sub(r"\n{3,}", "\n\n", "\n".join(l for i,l in enumerate(lines) if i not in gone)).strip("\n")


SOUND = "*(The page of this text on the site plays the sounds.)*"


class Section(Page):
    "A notebook on its way into the PDF: a chapter, or with `deep` a section of one. `counts` are those of the figures and the like before it in the chapter."
    def __init__(self, path, folder, number, counts, deep):
        self.later = ["".join(c["source"]) for c in json.loads(path.read_text(encoding="utf-8"))["cells"][1:] if c["cell_type"] == "code"]
        super().__init__(path, folder)
        self.number, self.counts, self.deep = f"{number}.", counts, deep; parse(self)

    def cell(self, cell):
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            head, code = re.match(r"((?:#\|[^\n]*\n?)*)(.*)", source, re.S).groups()
            kept = "" if re.search(r"(?m)^#\| *code-fold\b", head) or code.startswith("show_doc(") else untested(code)
            self.later.pop(0)
            if kept != code.strip("\n") and kept and not cell.get("outputs"):  # what only the tests needed
                made = {x.id for x in ast.walk(tree_of(kept)) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)} | {x.name for x in ast.walk(tree_of(kept)) if isinstance(x, (ast.FunctionDef, ast.ClassDef))}
                if not any(re.search(rf"\b{name}\b", text) for name in made for text in self.later): kept = ""
            cell = cell | {"source": head + kept if kept else "#| echo: false\n" + source}
        said = super().cell(cell) or ""
        return said.replace(SOUND, "", max(0, said.count(SOUND) - 1))

    def output(self, o, found):
        text, kind = super().output(o, found)
        if "<audio" in text: return SOUND, "markdown"
        if text.startswith("---\n\n[source]("): return "", "text"  # the signature of a function
        return text, kind


# ---- tables and pictures

def cells(table):
    "(row, column, cell, in the head?) of a table; a cell that spans rows or columns stands where it begins."
    _, _, specs, head, bodies, _ = table["c"]
    rows = [(r, True) for r in head[1]] + [(r, True) for b in bodies for r in b[2]] + [(r, False) for b in bodies for r in b[3]]
    taken = set()
    for i,(row,top) in enumerate(rows):
        at = 0
        for cell in row[1]:
            while (i, at) in taken: at += 1
            taken |= {(i + a, at + b) for a in range(cell[2]) for b in range(cell[3])}
            yield i, at, cell, top
            at += cell[3]


def tabled(table):
    "Align the columns of a table and give them their widths; returns the size of its letters and the room that it needs, both in points, and whether it can float to another place."
    n, texts, least, whole, numbers = len(table["c"][2]), {}, {}, {}, {}
    for row,at,cell,top in cells(table):
        said = "".join(re.sub(r"\\[a-zA-Z]+", "x", y["c"][1]).translate(str.maketrans("", "", "{}_^ ")) if y["t"] == "Math" else plain(y) for b in cell[4] for y in every(b) if y["t"] in ("Str", "Space", "SoftBreak", "Code", "Math")).strip()
        if cell[3] == 1:
            texts[row, at] = said
            if not top and said: numbers.setdefault(at, []).append(bool(re.fullmatch(r"[-−–+±~<>≤≥×%/().,\d\s\u00a0]+|nan|NaN|inf|True|False|yes|no", said)))
            least[at] = max([least.get(at, 2), 0 if top else min(len(said), 18), *map(len, re.split(r"[ /]|(?<=-)", said))])
            whole[at] = max(whole.get(at, 2), len(said), least[at])
        if top: cell[4] = [b | {"c": [{"t": "Strong", "c": b["c"]}]} if b["t"] in ("Plain", "Para") and b["c"] else b for b in cell[4]]
        cell[1] = {"t": "AlignCenter" if cell[3] > 1 else "AlignDefault"}
    right = {at for at,found in numbers.items() if sum(found) > len(found)/2}
    rows = 1 + max((row for row,_ in texts), default=0)
    def needs(size, lengths): return sum(l*.5*size + .95*size for l in lengths.values())
    room, size = next(((room, s) for room,sizes,most in ROOMS if rows <= most for s in sizes if needs(s, least) <= room), (ROOMS[-1][0], 6))
    spare, wish = room - needs(size, least), needs(size, whole) - needs(size, least)
    width = {at: needs(size, {at: l}) + (spare*(whole[at] - l)*.5*size/wish if wish > spare else 0) for at,l in least.items()}
    table["c"][2] = [[{"t": "AlignRight" if at in right else "AlignLeft"}, {"t": "ColWidth", "c": round(width[at]/room - .0005, 4)} if wish > spare and at in width else {"t": "ColWidthDefault"}] for at in range(n)]
    table["c"][0], table["c"][1] = ["", [], []], [None, []]
    lines = sum(max((-(-len(said)*.5*size//max(width[at] - .9*size, size)) if wish > spare else 1 for (r,at),said in texts.items() if r == row), default=1) for row in range(rows))
    return size, room, (lines*1.2 + rows*.7)*size < 600


def inches(data):
    "How wide a PNG is, by the resolution that it names."
    at = data.find(b"pHYs"); density = struct.unpack(">I", data[at + 4:at + 8])[0]*.0254 if at > 0 else 80
    return struct.unpack(">I", data[16:20])[0]/density


def mathematics(text):
    "What pandoc writes for Typst, with the formulas mended: names of an older Typst, spaces that it rounds to whole letters, delimiters of a given size, and bars without the spaces of a relation."
    for pattern,new in ((r"\b(dot|times)\.circle\b", r"\1.o"), (r"#h\(-1em\)", "#h(-0.17em)"), (r"#h\(0em\)", "#h(0.28em)"), (r"#scale\(x: (\d+)%, y: \1%\)\[((?:\\.|[\w.])+)\]", lambda m: f"lr({m[2]}, size: #{int(m[1])/100}em)")): text = re.sub(pattern, new, text)
    return re.sub(r"(?<!\\)\$[^$`\n]+(?<!\\)\$", lambda m: re.sub(r"(?<!lr\()\\\|", 'class("normal", bar.v)', m[0]), text)


# ---- the book

class Book:
    "The first part of the sidebar as one text for Typst; `faults` is what is wrong with it."
    def __init__(self, folder=root/"nbs", top=root, workers=2):
        self.folder, self.top, self.cfg, self.files = Path(folder), Path(top), settings(Path(top)), {}
        self.url, self.git = self.cfg.get("doc_host", "") + self.cfg.get("doc_baseurl", ""), self.cfg.get("git_url", "")
        sections = [chapter for section,nbs in core(self.folder) for chapter in ([(section, nbs)] if section else [("", [nb]) for nb in nbs])]
        self.faults = [] if sections else ["_quarto.yml: the sidebar has no part"]
        self.faults += [f"_quarto.yml: {nb} is in the sidebar and not in the folder" for _,nbs in sections for nb in nbs if not (self.folder/nb).is_file()]
        def read(number, section, nbs):
            counts = Counter()
            return section, [Section(self.folder/nb, self.folder, number, counts, bool(section)) for nb in nbs if (self.folder/nb).is_file()]
        with ThreadPoolExecutor(workers) as pool: self.chapters = list(pool.map(lambda i: read(i + 1, *sections[i]), range(len(sections))))
        self.pages = [page for _,pages in self.chapters for page in pages]
        self.by_name = {p.rel: p for p in self.pages} | {p.out: p for p in self.pages}
        self.abstract, self.keywords = self.front()
        blocks = []
        for title,pages in self.chapters:
            for page in pages:
                first = page is pages[0]
                blocks += [raw("#place.flush()" + ("\n#pagebreak(weak: true)" if first and blocks else ""))]
                if first: blocks += [raw("#opening["), *([{"t": "Header", "c": [1, ["", [], []], words(title)]}] if title else [])]
                opening, rest = self.section(page)
                blocks += [*opening, *([raw("]")] if first else []), *rest]
        self.text = self.written(blocks)
        self.faults += dict.fromkeys(f for page in self.pages for f in page.faults)

    def front(self):
        "The abstract and the keywords, which the first page has under a heading of its own; they move to the page of the title."
        if not self.pages: return [], []
        blocks = self.pages[0].tree["blocks"]
        start = next((i for i,x in enumerate(blocks) if x["t"] == "Header" and plain(x["c"][2]) == "Abstract"), None)
        if start is None: return [{"t": "Para", "c": words(self.cfg.get("description", ""))}], []
        end = next((i for i,x in enumerate(blocks) if i > start and x["t"] == "Header" and x["c"][0] <= blocks[start]["c"][0]), len(blocks))
        found = [raw(f"#metadata(none) <{self.place(self.pages[0], blocks[start]['c'][1][0])}>"), *self.trees(self.pages[0], blocks[start + 1:end])]; del blocks[start:end]
        keys = [x for x in found if plain(x).startswith("Keywords")]
        return [x for x in found if x not in keys], keys

    def section(self, page):
        "The blocks of a page: its title with the sentence below it, and all the rest."
        title, *sentence = json.loads(pandoc(f"# {page.title or page.rel}\n\n{page.description}\n", "-f", "markdown", "-t", "json")[0])["blocks"]
        made, wide, aside, heads = [], [], False, 0
        for x in self.trees(page, page.tree["blocks"]):  # pages that lie on their side come together at the end of a section, so that they tear no gaps into it
            if x == ASIDE: aside = True
            if x["t"] == "Header" and x["c"][0] <= 2: made += wide; wide = []; heads += 1
            if heads < 2 and x["t"] == "RawBlock": x = raw(x["c"][1].replace("placement: auto", "placement: bottom"))  # not between a title and its text
            (wide if aside else made).append(x)
            if x == UPRIGHT: aside = False
        made = [{"t": "Header", "c": [x["c"][0] + page.deep, *x["c"][1:]]} if x["t"] == "Header" else x for x in made + wide]
        return [{"t": "Header", "c": [1 + page.deep, [self.place(page, ""), [], []], title["c"][2]]}, raw("#lead["), *sentence, raw("]")], made

    def place(self, page, anchor):
        "The name of a place: labels have one meaning on all pages, headings may have the same name on two."
        return anchor if LABEL.match(anchor) and not anchor.startswith("sec-") else f"{page.name}--{anchor}" if anchor else page.name

    def trees(self, page, blocks):
        "Blocks of a page for Typst: tables, figures and equations with their numbers, links that lead somewhere."
        htmls = [x["c"][1] for x in every(blocks) if x["t"] == "RawBlock" and x["c"][0] == "html"]
        if htmls:
            text, said = pandoc("\n".join(f"<div class='piece'>{re.sub(r'<!--.*?-->', '', h, flags=re.S)}</div>" for h in htmls), "-f", "html-native_divs+native_divs", "-t", "json")
            pieces = iter([x["c"][1] for x in json.loads(text)["blocks"] if x["t"] == "Div" and "piece" in x["c"][0][1]])
            for s in said: page.fault(f"pandoc: {s}")
        def read(x):
            if x["t"] == "RawBlock" and x["c"][0] == "html": return changed(next(pieces), lambda y: y["c"][1] if y["t"] == "Div" else y["c"][1] if y["t"] == "Span" else [y])
            return [x]
        blocks = changed(blocks, read) if htmls else blocks
        for before,x in zip(blocks, blocks[1:]):  # what a cell shows stays below its code, and what a colon announces below the colon
            if (before["t"] == "CodeBlock" or before["t"] == "Para" and plain(before).endswith(":")) and x["t"] == "Div" and LABEL.match(x["c"][0][0]): x["c"][0][1].append("here")
        return changed(blocks, lambda x: self.element(page, x))

    def element(self, page, x):
        kind = x["t"]
        if kind in ("RawBlock", "RawInline") and x["c"][0] == "html":
            if re.fullmatch(r"<br */?>", x["c"][1]): return [{"t": "LineBreak"}]
            if re.fullmatch(r"</?[\w ='\"-]*>", x["c"][1]): return []
            page.fault(f"HTML that the PDF cannot show: {x['c'][1][:60]}"); return []
        if kind == "Header":
            x["c"][1] = [self.place(page, x["c"][1][0]), [], []]
            x["c"][2] = changed(x["c"][2], lambda y: y["c"][1] if y["t"] == "Link" else [y])
        elif kind == "Table":
            size, room, floats = tabled(x)
            made = [raw(f"#ruled({size}pt, {room}pt)["), x, raw("]" if floats else "] // does not float")]
            return [ASIDE, *made, UPRIGHT] if room == ROOMS[-1][0] else made
        elif kind == "Image": self.picture(page, x)
        elif kind == "Link":
            to = self.target(page, x["c"][2][0])
            x["c"][0], x["c"][2] = ["", [], []], [to, ""]
        elif kind == "CodeBlock" and not x["c"][1].strip(): return []
        elif kind == "CodeBlock":
            x["c"][0] = ["", [c for c in x["c"][0][1] if c in ("python", "bash", "output")], []]
        elif kind == "Span" and "equation" in x["c"][0][1]:
            label, (math, *number) = x["c"][0][0], x["c"][1]
            number = plain(number).strip("()")
            return [inline(f"#numbered({string(number)})["), math, inline(f" <{label}>]")]
        elif kind == "Span": return x["c"][1]
        elif kind == "Figure" or kind == "Div" and LABEL.match(x["c"][0][0]): return self.figure(page, x)
        elif kind == "Div" and "caption" not in x["c"][0][1]: return x["c"][1]
        return [x]

    def picture(self, page, x):
        at = x["c"][2][0]
        path = (page.path.parent/at).resolve()
        data = page.files.get(at) or (path.read_bytes() if path.is_file() else None)
        if data is None: page.fault(f"missing image: {at}"); return
        name = f"files/{page.name}-{Path(at).name}"; self.files[name] = data
        x["c"][0] = ["", [], [["width", f"{min(1, inches(data)*.8*72/ROOMS[0][0])*100:.0f}%"]] if data[:4] == b"\x89PNG" else [["width", "80%"]]]
        x["c"][2] = [name, ""]

    def figure(self, page, x):
        label = x["c"][0][0]
        if x["t"] == "Figure": caption, inside = x["c"][1][1], x["c"][2]
        else:
            caption = [b for d in x["c"][1] if d["t"] == "Div" and "caption" in d["c"][0][1] for b in d["c"][1]]
            inside = [b for b in x["c"][1] if not (b["t"] == "Div" and "caption" in b["c"][0][1])]
        first = caption[0]["c"] if caption else []
        if first and first[0]["t"] == "Str" and re.match(r"(Figure|Table)\u00a0", first[0]["c"]): first[0] = {"t": "Strong", "c": [first[0]]}
        wide, inside = ASIDE in inside, [b for b in inside if b not in (ASIDE, UPRIGHT)]  # the caption comes with its table
        kind = "table" if label.startswith("tbl-") else "figure"
        stays = any(y["t"] == "RawBlock" and y["c"][1] == "] // does not float" for y in inside)
        if not wide and not stays and not ("here" in x["c"][0][1] and kind == "table"): floats = "auto"
        else: floats = "none"
        made = [raw(f"#fig(kind: {string(kind)}, breakable: {str(stays).lower()}, placement: {floats}, caption: ["), *caption, raw("])["), *inside, raw(f"] <{label}>" if label else "]")]
        return [ASIDE, *made, UPRIGHT] if wide else made

    def target(self, page, url):
        "Where a link leads: to a place in this document, or to an address."
        at, _, anchor = url.partition("#")
        if self.url and at.startswith(self.url + "/"): at = page.up + (at[len(self.url) + 1:] or "index.html")
        elif re.match(r"[a-z][a-z0-9+.-]*:|//", at): return url
        name = posixpath.normpath(posixpath.join(posixpath.dirname(page.rel), at)) if at else page.rel
        other = self.by_name.get(name)
        if other:
            if anchor and anchor not in other.ids: page.fault(f"dead link: {url}")
            return "#" + self.place(other, anchor if anchor in other.ids else "")
        if name.endswith((".ipynb", ".html")): return f"{self.url}/{page_of(name)}" + (f"#{anchor}" if anchor else "")
        return f"{self.git}/blob/{self.cfg.get('branch', 'main')}/" + re.sub(r"^(\.\./)+", "", name)

    def written(self, blocks):
        "The whole for Typst."
        cites = any(page.cites for page in self.pages)
        if cites: blocks = blocks + [raw("#place.flush()\n#pagebreak(weak: true)\n#set heading(numbering: none)"), {"t": "Header", "c": [1, ["references", [], []], words("References")]}, raw("#[#set text(size: 9.3pt)\n#set par(hanging-indent: 1.4em, justify: false)"), {"t": "Div", "c": [["refs", [], []], []]}, raw("]")]
        front = [raw(f"#title-page(title: {string(TITLE)}, subtitle: {string(SUBTITLE)}, author: {string(self.cfg.get('author', ''))}, version: {string(self.cfg.get('version', ''))}, note: {string(NOTE)}, abstract: ["), *self.abstract, raw("], keywords: ["), *self.keywords, raw("])"), raw("#contents()\n#show: chapters")]
        bib = self.folder/"references.bib"
        tree = {"pandoc-api-version": self.pages[0].tree["pandoc-api-version"] if self.pages else [1, 23], "meta": {}, "blocks": front + blocks}
        text, said = pandoc(json.dumps(tree), "-f", "json", "-t", "typst-citations", "--wrap=none", "--syntax-highlighting=idiomatic", *(["--citeproc", "-M", "link-citations=true", "--bibliography", str(bib)] if cites else []))
        self.faults += [re.sub(r"Citeproc: citation (\S+) not found", r"@\1: is not in the bibliography", s) for s in said]
        return (Path(__file__).parent/"report.typ").read_text(encoding="utf-8") + "\n" + mathematics(text)

    def pdf(self, out):
        "Set the text: writes `out`, with what it is made from in the folder `source` beside it; returns the number of pages."
        import typst
        out = Path(out); source = out.parent/"source"
        shutil.rmtree(source, ignore_errors=True); (source/"files").mkdir(parents=True)
        for name,data in self.files.items(): (source/name).write_bytes(data)
        (source/"report.typ").write_text(self.text, encoding="utf-8")
        try: data, warnings = typst.compile_with_warnings(str(source/"report.typ"), root=str(source), ignore_system_fonts=True)
        except typst.TypstError as e: self.faults.append(f"typst: {e}"); return 0
        self.faults += [f"typst: {w.message}" for w in warnings]
        out.write_bytes(data)
        return len(re.findall(rb"/Type\s*/Page\b", data))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=root/"_pdf/audioclust.pdf", help="the file to write")
    out = Path(parser.parse_args(arguments).out)
    book = Book(); pages = book.pdf(out)
    for f in book.faults: print(f, file=sys.stderr)
    if pages: print(f"{len(book.chapters)} chapters, made from {len(book.pages)} notebooks, on {pages} pages: {out}")
    print(f"pdf: {len(book.faults)} faults")
    return 1 if book.faults else 0


if __name__ == "__main__": sys.exit(main())
