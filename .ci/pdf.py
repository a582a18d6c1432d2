"""Build the report, Part I of the sidebar, as one PDF.

    python .ci/pdf.py            writes _pdf/audioclust.pdf

The pages come as pandoc's trees from docs.py, with their numbers. Here they become one tree: a section of the sidebar is a chapter
whose pages are its sections, and a page that stands alone is a chapter, too. pandoc writes it for Typst, and the package `typst`
sets it; `report.typ` holds the looks. Left out are the code that a page exports to the package, code that the pages fold (it draws
figures, or tests), sentences that only announce such code, and sounds. A reference, a link or a citation that leads nowhere is a
fault, and with any fault the exit status is 1.
"""
import argparse, io, json, posixpath, re, shutil, sys
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
from docs import LABEL, Site, changed, every, name_of, pandoc, plain, uncited, words
from llms import root
from norms import only_tests

WIDTH = 476  # of the text, in points
TITLE, SUBTITLE = "Clustering audio without labels", "The report of audioclust"
NOTE = """This document holds the chapters of Part I of the site. Three kinds of code are left out here: the code that a page exports to the package, code that draws figures, and tests. Code that shows something at work is printed with its output. The sounds are on the pages of the site. A blue link leads to a place in this document, a violet link to another page."""
SOUND = {"t": "Para", "c": [{"t": "Emph", "c": words("(The page of this text on the site plays the sounds.)")}]}
NUMBER = re.compile(r"(?:[-−–+±~<>≤≥×%/().,:\d\s\u00a0]|to)*|nan|NaN|inf|True|False|yes|no|—")


def raw(text): return {"t": "RawBlock", "c": ["typst", text]}


def string(text): return json.dumps(text, ensure_ascii=False)  # as Typst writes it


def header(level, label, inlines): return {"t": "Header", "c": [level, [label, [], []], inlines]}


# ---- tables, pictures and formulas

def cells(table):
    "(column, cell, in the head?) of a table; a cell that spans rows or columns stands where it begins."
    _, _, _, head, bodies, _ = table["c"]
    rows = [(r, True) for r in head[1]] + [(r, top) for b in bodies for top,part in ((True, b[2]), (False, b[3])) for r in part]
    taken = set()
    for i,(row,top) in enumerate(rows):
        at = 0
        for cell in row[1]:
            while (i, at) in taken: at += 1
            taken |= {(i + a, at + b) for a in range(cell[2]) for b in range(cell[3])}
            yield at, cell, top
            at += cell[3]


def tabled(table):
    "A table with numbers to the right and a bold head, in as many letters as the longest words of its columns need."
    least, numbers = {}, {}
    for at,cell,top in cells(table):
        said = re.sub(r"\\[a-zA-Z]+|[{}_^]", "", plain(cell[4])).strip()
        if top: cell[4] = [b | {"c": [{"t": "Strong", "c": b["c"]}]} if b["c"] else b for b in cell[4]]
        cell[1] = {"t": "AlignCenter" if cell[3] > 1 else "AlignDefault"}
        if cell[3] > 1: continue
        if not top and said: numbers.setdefault(at, []).append(bool(NUMBER.fullmatch(said)))
        least[at] = max([least.get(at, 2), *map(len, re.split(r"[ /]|(?<=-)", said))])
    right = [2*sum(numbers.get(at, [])) > len(numbers.get(at, [0])) for at in range(len(table["c"][2]))]
    columns = [[{"t": "AlignRight" if r else "AlignLeft"}, {"t": "ColWidthDefault"}] for r in right]
    table["c"][:3] = ["", [], []], [None, []], columns
    breaks = "true" if 2*sum(right) < len(right) else "false"  # a tall table of words may go on on the next page
    return [raw(f"#ruled({sum(.5*l + .95 for l in least.values()):.1f}, {breaks})["), table, raw("]")]


def mathematics(text):
    "What pandoc writes for Typst, with its formulas mended: names of an older Typst, spaces that pandoc rounds to whole letters, delimiters of a given size, and bars without the spaces of a relation."
    text = re.sub(r"\b(dot|times)\.circle\b", r"\1.o", text)
    text = text.replace("#h(-1em)", "#h(-0.17em)").replace("#h(0em)", "#h(0.28em)")
    text = re.sub(r"#scale\(x: (\d+)%, y: \1%\)\[((?:\\.|[\w.])+)\]", lambda m: f"lr({m[2]}, size: #{int(m[1])/100}em)", text)
    def formula(m): return re.sub(r"\bsect\b", "inter", re.sub(r"(?<!lr\()\\\|", 'class("normal", bar.v)', m[0]))
    return re.sub(r"(?<!\\)\$[^$`\n]+(?<!\\)\$", formula, text)


# ---- the book

def of_site(block): return block["t"] == "Div" and "site" in block["c"][0][1]


def without_lost_leads(blocks):
    """The blocks, without headings and colons below which the PDF leaves everything out.

    A sentence that only announces what is left out goes as well; where it ends a longer paragraph, its colon becomes a full stop."""
    def announces(x): return x["t"] == "Para" and x["c"][-1]["t"] == "Str" and x["c"][-1]["c"].endswith(":")
    def is_formula(x): return x["t"] == "Math" and x["c"][0]["t"] == "DisplayMath"
    def is_text(x):
        if x["t"] != "Para": return False
        return x["c"][0]["t"] not in ("Image", "RawInline") and not any(map(is_formula, every(x["c"][:1])))
    kept = []
    for x in reversed(blocks):
        after = kept[-1] if kept else None
        ends = after is None or after["t"] == "Header"
        if x["t"] == "Header" and ends and (after is None or after["c"][0] <= x["c"][0]): continue
        if announces(x) and (ends or is_text(after)):
            if not re.search(r"[.!?] ", plain(x["c"])): continue
            x = x | {"c": [*x["c"][:-1], {"t": "Str", "c": x["c"][-1]["c"][:-1] + "."}]}
        kept.append(x)
    return kept[::-1]


class Book:
    "The report of a site as one text for Typst; `faults` is what is wrong with it."
    def __init__(self, site):
        self.site, self.pages, self.files = site, site.core, {}
        self.by_out = {page.out: page for page in self.pages}
        self.places = {page.out: set(map(name_of, every(page.tree["blocks"]))) for page in self.pages}
        self.abstract, self.keywords = self.front() if self.pages else ([], [])
        blocks, chapter = [], None
        for page in self.pages:
            deep = bool(page.section)
            if page.chapter != chapter: blocks += [raw("#pagebreak(weak: true)"), *[header(1, "", words(page.section))]*deep]
            chapter = page.chapter
            title = json.loads(pandoc(f"# {page.title}", "-t", "json")[0])["blocks"][0]["c"][2]
            blocks += [header(1 + deep, page.name, title), *self.blocks(page, page.tree["blocks"])]
        said, self.text = self.written(blocks)
        self.faults = list(dict.fromkeys([*site.faults, *(f for page in self.pages for f in page.faults), *map(uncited, said)]))

    def front(self):
        "The abstract and the keywords, which the first page has under a heading of its own; they move to the page of the title."
        blocks = self.pages[0].tree["blocks"]
        heads = [i for i,x in enumerate(blocks) if x["t"] == "Header"] + [len(blocks)]
        start = next((i for i in heads[:-1] if plain(blocks[i]["c"][2]) == "Abstract"), None)
        if start is None: return [{"t": "Para", "c": words(self.site.cfg.get("description", ""))}], []
        end = heads[heads.index(start) + 1]
        place = raw(f"#metadata(none) <{self.place(self.pages[0], blocks[start]['c'][1][0])}>")
        found = [place, *self.blocks(self.pages[0], blocks[start + 1:end])]
        del blocks[start:end]
        keys = [x for x in found if plain(x).startswith("Keywords")]
        return [x for x in found if x not in keys], keys

    def place(self, page, anchor):
        "The name of a place: labels have one meaning on all pages, headings may have the same name on two."
        return anchor if LABEL.match(anchor) else f"{page.name}--{anchor}" if anchor else page.name

    def blocks(self, page, blocks):
        "Blocks of a page for Typst: without what only the site shows, and with its HTML as pandoc reads it."
        blocks = without_lost_leads(changed(blocks, lambda x: [] if of_site(x) else [x]))
        htmls = [x["c"][1] for x in every(blocks) if x["t"] == "RawBlock"]
        text, _ = pandoc("\n".join(f"<div class='piece'>{html}</div>" for html in htmls), "-f", "html-native_divs+native_divs", "-t", "json")
        pieces = iter([x["c"][1] for x in json.loads(text)["blocks"] if x["t"] == "Div" and "piece" in x["c"][0][1]])
        sounds = iter([[SOUND]])
        def one(x):
            if x["t"] != "RawBlock": return [x]
            piece = next(pieces)
            return next(sounds, []) if "<audio" in x["c"][1] else piece
        return changed(changed(blocks, one), lambda x: self.element(page, x))

    def element(self, page, x):
        "What stands for an element in the PDF."
        kind, c = x["t"], x["c"] if "c" in x else None
        if kind == "RawInline":
            if c[1].startswith("<br"): return [{"t": "LineBreak"}]
            if not re.fullmatch(r"</?[\w ='\"-]*>", c[1]): page.fault(f"HTML that the PDF cannot show: {c[1][:60]}")
            return []
        if kind == "Header":
            text = changed(c[2], lambda y: y["c"][1] if y["t"] == "Link" else [y])
            return [header(c[0] + bool(page.section), self.place(page, c[1][0]), text)]
        if kind == "CodeBlock":
            if not c[1].strip() or "python" in c[0][1] and only_tests(c[1]): return []
            c[0] = ["", [name for name in c[0][1] if name in ("python", "bash", "output")], []]
        if kind == "Span" and "equation" in c[0][1]:
            before, after = f"#numbered({string(plain(c[1][1:]).strip('()'))})[", f" <{c[0][0]}>]"
            return [{"t": "RawInline", "c": ["typst", before]}, c[1][0], {"t": "RawInline", "c": ["typst", after]}]
        if kind == "Div" and "lead" in c[0][1]: return [raw("#lead["), *c[1], raw("]")]
        if kind in ("Span", "Div"): return c[1]
        if kind == "Figure" or kind == "Table" and LABEL.match(c[0][0]): return self.figure(x)
        if kind == "Table": return tabled(x)
        if kind == "Image": self.picture(page, c)
        if kind == "Link": x["c"] = [["", [], []], c[1], [self.link(page, c[2][0]), ""]]
        return [x]

    def figure(self, x):
        "A figure, or a table with a caption."
        label, caption = x["c"][0][0], x["c"][1][1]
        inside = tabled(x) if x["t"] == "Table" else x["c"][2]
        caption[0]["c"][:1] = [{"t": "Strong", "c": caption[0]["c"][:1]}]
        kind = "table" if label.startswith("tbl") else "figure"
        return [raw(f"#fig({string(kind)}, ["), *caption, raw("])["), *inside, raw(f"] <{label}>")]

    def picture(self, page, image):
        "A picture at four fifths of the size that it has on a screen, and no wider than the text."
        at = image[2][0]
        path = (page.path.parent/at).resolve()
        if at not in page.files and not path.is_file(): return  # a fault of the site
        data, name = page.files.get(at) or path.read_bytes(), f"files/{page.name}-{Path(at).name}"
        self.files[name] = data
        if drawn := re.search(rb'<svg[^>]* width="([\d.]+)pt"', data): points = float(drawn[1])
        elif at.endswith(".svg"): points = WIDTH
        else:
            with Image.open(io.BytesIO(data)) as picture: points = 72*picture.width/picture.info.get("dpi", (80, 80))[0]
        wide = min(1, .8*points/WIDTH)
        image[0], image[2] = ["", [], [["width", f"{wide*100:.0f}%"]]], [name, ""]

    def link(self, page, url):
        "Where a link leads: to a place in this document, or to an address."
        at, _, anchor = url.partition("#")
        if re.match(r"[a-z][a-z0-9+.-]*:|//", at): return url
        out = posixpath.normpath(posixpath.join(posixpath.dirname(page.out), at)) if at else page.out
        if out not in self.by_out: return f"{self.site.url}/{out}{anchor and '#'}{anchor}"
        return "#" + self.place(self.by_out[out], anchor if anchor in self.places[out] else "")

    def written(self, blocks):
        "Pandoc's complaints, and the whole for Typst."
        cfg, bib = self.site.cfg, self.site.folder/"references.bib"
        said = {"title": TITLE, "subtitle": SUBTITLE, "author": cfg.get("author", ""), "version": cfg.get("version", ""), "note": NOTE}
        front = [raw(f"#title-page({', '.join(f'{k}: {string(v)}' for k,v in said.items())}, abstract: ["), *self.abstract,
            raw("], keywords: ["), *self.keywords, raw("])\n#contents()\n#show: chapters")]
        back = [raw("#show: sources"), header(1, "references", words("References")), {"t": "Div", "c": [["refs", [], []], []]}]
        tree = {"pandoc-api-version": self.pages[0].tree["pandoc-api-version"] if self.pages else [1, 23], "meta": {}, "blocks": front + blocks + back}
        cite = ["--citeproc", "-M", "link-citations=true", *(["--bibliography", str(bib)] if bib.is_file() else [])]
        text, said = pandoc(json.dumps(tree), "-f", "json", "-t", "typst-citations", "--wrap=none", "--syntax-highlighting=idiomatic", *cite)
        return said, (Path(__file__).parent/"report.typ").read_text(encoding="utf-8") + "\n" + mathematics(text)

    def pdf(self, out):
        "Set the text: writes `out`, with what it is made from in a folder of that name and `.source`; returns the number of pages."
        import typst
        out, source = Path(out), Path(f"{out}.source")
        shutil.rmtree(source, ignore_errors=True)
        (source/"files").mkdir(parents=True)
        for name,data in self.files.items(): (source/name).write_bytes(data)
        (source/"report.typ").write_text(self.text, encoding="utf-8")
        try: data, warnings = typst.compile_with_warnings(str(source/"report.typ"), root=str(source), ignore_system_fonts=True)
        except typst.TypstError as e:
            self.faults.append(f"typst: {e}")
            return 0
        self.faults += [f"typst: {w.message}" for w in warnings]
        out.write_bytes(data)
        return len(re.findall(rb"/Type\s*/Page\b", data))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=root/"_pdf/audioclust.pdf", help="the file to write")
    out = Path(parser.parse_args(arguments).out)
    book = Book(Site(root/"nbs", pdf=True))
    pages = book.pdf(out)
    for f in book.faults: print(f, file=sys.stderr)
    if pages: print(f"{len(book.pages)} notebooks on {pages} pages: {out}")
    print(f"pdf: {len(book.faults)} faults")
    return 1 if book.faults else 0


if __name__ == "__main__": sys.exit(main())
