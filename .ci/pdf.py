"""Build the report, Part I of the sidebar, as one PDF: python .ci/pdf.py writes _pdf/audioclust.pdf.

The pages, as pandoc's trees from docs.py, become one tree: a section of the sidebar is a chapter whose pages are its
sections, and a page that stands alone is a chapter, too. pandoc writes it for Typst, and the package `typst` sets it.
"""
import json, posixpath, re, sys, tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from docs import LABEL, Site, changed, every, name_of, pandoc, plain, uncited, words
from llms import root
from mend import aligned

LOOKS = r"""#set par(justify: true)
#show heading.where(level: 1): it => { pagebreak(weak: true); it }
#show link: set text(fill: rgb("#0a4a90"))
#show raw.where(block: true): set text(size: 8pt)
#show figure: set block(breakable: true)
#show figure.caption: it => align(left, text(size: 9pt, it.body))
#set table(stroke: (_, y) => if y == 1 { (top: .5pt) }, inset: (x: 3pt, y: 2.5pt))
#show table: it => align(left, { set par(justify: false); it })
#show table: it => { set text(if it.columns.len() > 9 { 4.6pt } else { 7.5pt }, hyphenate: false); it }
#let numbered(n, it) = { set math.equation(numbering: _ => "(" + n + ")"); it }
"""
META = {"title": "Clustering audio without labels", "subtitle": "The report of audioclust", "papersize": "a4",
    "toc": "true", "toc-depth": "2", "section-numbering": "1.1", "fontsize": "10pt", "header-includes": LOOKS,
    "abstract": "Part I of the site, without the code that a page exports, folded code, and sounds."}


def header(level, label, inlines): return {"t": "Header", "c": [level, [label, [], []], inlines]}


class Book:
    "The report of a site as one text for Typst; `faults` is what is wrong with it."
    def __init__(self, site):
        self.site, self.files, blocks, chapter = site, {}, [], None
        self.by_out = {page.out: page for page in site.core}
        self.places = {page.out: set(map(name_of, every(page.tree["blocks"]))) for page in site.core}
        for page in site.core:
            deep = bool(page.section)
            if deep and page.section != chapter: blocks.append(header(1, "", words(page.section)))
            chapter = page.section
            title = json.loads(pandoc(f"# {page.title}", "-t", "json")[0])["blocks"][0]["c"][2]
            blocks += [header(1 + deep, page.name, title), *self.blocks(page)]
        said, self.text = self.written([*blocks, header(1, "", words("References"))])
        self.faults = list(dict.fromkeys([*site.faults, *map(uncited, said)]))

    def place(self, page, anchor):
        "The name of a place: labels have one meaning on all pages, headings may have the same name on two."
        return anchor if LABEL.match(anchor) else f"{page.name}--{anchor}" if anchor else page.name

    def blocks(self, page):
        "The blocks of a page for Typst: without what only the site shows, and with its HTML as pandoc reads it."
        blocks = changed(page.tree["blocks"], lambda x: [] if x["t"] == "Div" and "site" in x["c"][0][1] else [x])
        htmls = [x["c"][1] for x in every(blocks) if x["t"] == "RawBlock"]
        htmls = ["<div class=piece>" + aligned(html if "<audio" not in html else "") + "</div>" for html in htmls]
        text, _ = pandoc("\n".join(htmls), "-f", "html", "-t", "json")
        pieces = iter([x["c"][1] for x in json.loads(text)["blocks"] if x["t"] == "Div" and "piece" in x["c"][0][1]])
        blocks = changed(blocks, lambda x: next(pieces) if x["t"] == "RawBlock" else [x])
        for x, after in zip(blocks, [*blocks[1:], {"t": "Header"}]):
            announces = x["t"] == "Para" and x["c"][-1]["t"] == "Str" and x["c"][-1]["c"].endswith(":")
            if announces and after["t"] == "Header": x["c"][-1]["c"] = x["c"][-1]["c"][:-1] + "."
        return changed(blocks, lambda x: self.element(page, x))

    def element(self, page, x):
        "What stands for an element in the PDF."
        kind, c = x["t"], x.get("c")
        if kind == "RawInline": return [{"t": "LineBreak"}] if c[1].startswith("<br") else []
        if kind == "Header": return [header(c[0] + bool(page.section), self.place(page, c[1][0]), c[2])]
        if kind == "CodeBlock": c[0] = ["", c[0][1][:1], []]
        if kind == "Span" and "equation" in c[0][1]:
            before, after = f"#numbered({json.dumps(plain(c[1][1:]).strip('()'))})[", f" <{c[0][0]}>]"
            return [{"t": "RawInline", "c": ["typst", before]}, c[1][0], {"t": "RawInline", "c": ["typst", after]}]
        if kind in ("Span", "Div"): return c[1]
        if kind == "Image":
            at, name = c[2][0], f"{page.name}-{Path(c[2][0]).name}"
            if at in page.files or (page.path.parent/at).is_file():  # else it is a fault of the site
                self.files[name] = page.files.get(at) or (page.path.parent/at).read_bytes()
                x["c"] = [["", [], []], c[1], [name, ""]]
        if kind == "Link": x["c"] = [["", [], []], c[1], [self.link(page, c[2][0]), ""]]
        return [x]

    def link(self, page, url):
        "Where a link leads: to a place in this document, or to an address."
        at, _, anchor = url.partition("#")
        if re.match(r"[a-z][a-z0-9+.-]*:|//", at): return url
        out = posixpath.normpath(posixpath.join(posixpath.dirname(page.out), at)) if at else page.out
        if out not in self.by_out: return f"{self.site.url}/{out}{anchor and '#'}{anchor}"
        return "#" + self.place(self.by_out[out], anchor if anchor in self.places[out] else "")

    def written(self, blocks):
        "Pandoc's complaints, and the whole for Typst."
        margin = {"t": "MetaMap", "c": {side: {"t": "MetaString", "c": "2.2cm"} for side in "xy"}}
        tree = self.site.core[0].tree | {"meta": {"margin": margin}, "blocks": blocks}
        values = [f"--variable={key}={value}" for key, value in META.items()]
        values += ["--citeproc", "-M", "link-citations=true", f"--bibliography={self.site.folder/'references.bib'}"]
        text, said = pandoc(json.dumps(tree), "-f", "json", "-t", "typst-citations", "-s", "--wrap=none", *values)
        return said, re.sub(r"\bsect\b", "inter", re.sub(r"\b(dot|times)\.circle\b", r"\1.o", text))  # today's names

    def pdf(self):
        "The bytes of the PDF."
        import typst
        with tempfile.TemporaryDirectory() as folder:
            for name, data in self.files.items(): (Path(folder)/name).write_bytes(data)
            (Path(folder)/"report.typ").write_text(self.text, encoding="utf-8")
            data, warnings = typst.compile_with_warnings(str(Path(folder)/"report.typ"), ignore_system_fonts=True)
        self.faults += [f"typst: {warning.message}" for warning in warnings]
        return data


def main(out=root/"_pdf/audioclust.pdf"):
    book = Book(Site(root/"nbs"))
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_bytes(book.pdf())
    for fault in book.faults: print(fault, file=sys.stderr)
    print(f"{out}: {len(book.faults)} faults")
    return 1 if book.faults else 0


if __name__ == "__main__": sys.exit(main(*sys.argv[1:]))
