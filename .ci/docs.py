"""Make and check the docs.

    python .ci/docs.py           process the notebooks, check them, write a preview into _preview, render the site with Quarto into _docs where Quarto is installed
    python .ci/docs.py --check   only check the notebooks as they are, in a few seconds
    python .ci/docs.py --words   only count the words of the report, page by page

A fault is a line that names the page and what is wrong; with any fault the exit status is 1. The preview is made with pandoc alone and opens from disk.
"""
import argparse, base64, copy, json, os, posixpath, re, runpy, shutil, subprocess, sys, tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import yaml

sys.path.insert(0, str(Path(__file__).parent))
from llms import REPORT, contents, core, llms, opening, page_of, root, settings
from mend import declared, mend
from norms import caption_faults, panel_faults, table_faults, text_faults, unit_faults

MOST = 40_000  # words of prose that the report, the first part of the sidebar, may have
KINDS = {"fig": "Figure", "tbl": "Table", "eq": "Equation", "sec": "Section"}
DOCMENTS = re.compile("Type.*Details")  # the table of a function's arguments, which nbdev makes
LABEL = re.compile(r"(fig|tbl|eq|sec)-[\w-]+$")


# ---- notebook to Markdown

def options(source):
    "The directives at the head of a cell, and the code below them."
    found, lines = {}, source.split("\n")
    while lines and lines[0].startswith("#|"):
        key, colon, value = lines.pop(0)[2:].strip().partition(":")
        found[key if colon else key.split()[0]] = yaml.safe_load(value) if colon else True
    return found, "\n".join(lines).strip("\n")


def fence(text, attributes):
    "A code block, whatever backticks are in it."
    ticks = "`"*max([3, *(len(t) + 1 for t in re.findall("`+", text))])
    return f"{ticks} {{{attributes}}}\n{text}\n{ticks}"


def count(text):
    "The words of prose in Markdown: without code blocks, display equations, tables with their captions, and the targets of links."
    for pattern in (r"(?ms)^(`{3,}|~{3,}).*?^\1\s*?$", r"(?s)\$\$.*?\$\$", r"(?m)^\s*(?:\||: ).*$", r"\{[#.][^}\n]*\}", r"(?<=\])\([^)\s]*\)"): text = re.sub(pattern, " ", text)
    return sum(bool(re.search(r"\w", word)) for word in re.sub(r"\$[^$\n]+\$", "x", text).split())  # a formula in a sentence is a word


class Page:
    "A notebook on its way to a page: Markdown, then pandoc's tree, then HTML."
    def __init__(self, path, folder):
        self.path, self.rel, self.faults, self.files, self.labels, self.counts, self.used, self.names, self.cites, self.norms = path, path.relative_to(folder).as_posix(), [], {}, {}, Counter(), set(), set(), False, []
        self.out = page_of(self.rel); self.name = self.out[:-5].replace("/", "-")
        self.up = "../"*self.rel.count("/")  # from the page to the root of the site
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        self.title, self.description, rest = opening(cells)
        if not self.title: self.fault("the first cell has no title")
        self.markdown = "\n\n".join(filter(None, [rest, *map(self.cell, cells[1:])])) + "\n"
        self.words = sum(map(count, [self.title, self.description, rest, *("".join(c["source"]) for c in cells[1:] if c["cell_type"] == "markdown")]))
        self.part = self.section = self.number = ""  # of the sidebar; before the numbers of figures and the like

    def fault(self, message): self.faults.append(f"{self.rel}: {message}")

    def cell(self, cell):
        "A cell as Markdown, with what its directives say."
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown": self.norms += table_faults(source); return source
        if cell["cell_type"] == "raw": return ""
        try: found, code = options(source)
        except yaml.YAMLError: return self.fault(f"a directive cannot be read: {source.splitlines()[0]}")
        if found.keys() & {"hide", "default_exp"} or found.get("include") is False: return ""
        if "export" in found or "exporti" in found or not code:
            shown = ""; self.names |= {name.lower() for name in re.findall(r"(?m)^(?:def|class) (\w+)", code)}  # nbdev puts the signatures there, each with its name as a place
        else: shown = fence(code, ".python") if found.get("echo", True) else ""
        if shown and found.get("code-fold"): shown = f"{raw('<details class=code><summary>Code</summary>')}\n\n{shown}\n\n{raw('</details>')}"
        if found.get("output") is False: outputs = []
        else: outputs = [self.output(o, found) for o in cell.get("outputs", [])]
        label, caption = found.get("label"), found.get("fig-cap") or found.get("tbl-cap")
        self.norms += unit_faults(label or "a cell", code) + text_faults(code, cell.get("outputs", []))
        streams = [text for text,kind in outputs if kind == "stream"]; shows = [text for text,kind in outputs if kind != "stream"]
        if label or caption:
            if not label: self.fault(f"a cell has a caption and no label: {caption[:60]}")
            elif not LABEL.match(label): self.fault(f"{label}: a label begins with fig-, tbl- or eq- and holds letters, digits and hyphens")
            if not shows: self.fault(f"{label}: its cell shows nothing")
            is_figure = str(label).startswith("fig-")
            for f in panel_faults(label, code) if is_figure else (): self.fault(f)
            if label and caption: self.norms += caption_faults(label, caption, code if is_figure else "".join(shows))
            shows = [f"::::: {{#{label or ''}}}\n" + (f":::: {{.caption}}\n{caption}\n::::\n\n" if caption else "") + "\n\n".join(shows) + "\n:::::"]
        elif self.rel != "index.ipynb" and any(kind == "html" and "<table" in text for text,kind in outputs): self.fault(f"a table has neither label nor caption: {code.strip().splitlines()[-1][:80]}")  # the first page is the README, too
        elif any(kind == "picture" for _,kind in outputs): self.fault(f"a picture has neither label nor caption: {code.strip().splitlines()[-1][:80]}")
        return "\n\n".join(filter(None, [shown, *streams, *shows]))

    def output(self, o, found):
        "An output as (Markdown, kind)."
        data = o.get("data", {})
        joined = lambda key: re.sub(r"\x1b\[[0-9;]*m", "", "".join(data.get(key, ""))).rstrip()
        if o["output_type"] == "error": self.fault(f"a cell ended in an error: {o['ename']}: {o['evalue']}"[:160])
        if o["output_type"] == "stream": return fence(re.sub(r"\x1b\[[0-9;]*m", "", "".join(o["text"])).rstrip(), ".output"), "stream"
        if "text/html" in data: return raw('<div class="output html">\n' + re.sub(r"<style.*?</style>\n?", "", joined("text/html"), flags=re.S).replace(" ± ", "\u00a0±\u00a0") + "\n</div>"), "html"
        if "text/markdown" in data: return joined("text/markdown"), "markdown"
        for kind in ("png", "jpeg", "svg+xml"):
            if f"image/{kind}" in data:
                at = f"{self.up}files/{self.name}-{len(self.files) + 1}.{kind[:3]}"
                self.files[at] = joined(f"image/{kind}").encode() if kind == "svg+xml" else base64.b64decode("".join(data[f"image/{kind}"]))
                alt = str(found.get("fig-alt", "")).replace("]", "").replace("[", "")
                return f"![{alt}]({at})\\ ", "picture"  # the space keeps pandoc from making a second figure of it
        return (fence(joined("text/plain"), ".output"), "text") if joined("text/plain") else ("", "text")


def raw(html): return fence(html, "=html")


# ---- pandoc's tree

def pandoc(text, *arguments):
    "What pandoc writes, and its complaints."
    import pypandoc
    r = subprocess.run([pypandoc.get_pandoc_path(), *arguments], input=text, capture_output=True, text=True, encoding="utf-8")
    said = [" ".join(w.split()) for w in re.split(r"(?m)^\[WARNING\] ", r.stderr) if w.strip()]
    return r.stdout, said


def every(x):
    "All elements of a tree, parents first, in the order of the page."
    if isinstance(x, list):
        for y in x: yield from every(y)
    elif isinstance(x, dict):
        if "t" in x: yield x
        yield from every(x.get("c", []))


def attr(x):
    "The attributes of an element: [id, classes, pairs], or nothing."
    c = x.get("c")
    if x["t"] == "Header": return c[1]
    if x["t"] in ("Div", "Span", "Figure", "Table", "CodeBlock", "Code", "Link", "Image"): return c[0]


def plain(x): return "".join({"Str": lambda y: y["c"], "Space": lambda y: " ", "SoftBreak": lambda y: " ", "Code": lambda y: y["c"][1], "Math": lambda y: y["c"][1]}.get(y["t"], lambda y: "")(y) for y in every(x))


def words(text): return [y for word in text.split(" ") for y in ({"t": "Space"}, {"t": "Str", "c": word})][1:]


def parse(page):
    "Read the Markdown; give figures, tables, equations and sections their numbers."
    tree, said = pandoc(page.markdown, "-f", "markdown-yaml_metadata_block", "-t", "json")
    page.faults += [f"{page.rel}: pandoc: {s}" for s in said]
    page.tree = json.loads(tree) if tree else {"blocks": [], "meta": {}, "pandoc-api-version": [1, 23]}
    for x in every(page.tree["blocks"]):
        if x["t"] in ("Para", "Plain"): equations(page, x)
        label = (attr(x) or [""])[0]
        if not LABEL.match(label) or label.startswith("eq-") or x["t"] in ("Span", "Image"): continue
        number = numbered(page, label, x)
        if x["t"] == "Header": continue
        kind = KINDS[label[:3]]; before = [{"t": "Str", "c": f"{kind}\u00a0{number}:"}, {"t": "Space"}]
        if x["t"] == "Div":
            caption = next((y for y in x["c"][1] if y["t"] == "Div" and "caption" in y["c"][0][1]), None) or (x["c"][1][-1] if len(x["c"][1]) > 1 and x["c"][1][-1]["t"] == "Para" else None)
            if caption:
                x["c"][1].remove(caption); blocks = caption["c"][1] if caption["t"] == "Div" else [caption]
                caption = {"t": "Div", "c": [["", ["caption"], []], blocks]}
                x["c"][1].insert(0 if kind == "Table" else len(x["c"][1]), caption)
            x["c"][0][1].append(kind.lower())
        else: blocks = caption = x["c"][1][1]
        if not caption or not plain(caption).strip(): page.fault(f"{label}: has no caption")
        else: blocks[0]["c"] = before + blocks[0]["c"]
        if x["t"] == "Table":  # the caption outside, so that it stays where it is when a wide table is moved
            inner = copy.deepcopy(x); inner["c"][0], inner["c"][1] = ["", [], []], [None, []]
            x["t"], x["c"] = "Div", [[label, ["table"], []], [{"t": "Div", "c": [["", ["caption"], []], x["c"][1][1]]}, inner]]
    counted = {id(y) for x in every(page.tree["blocks"]) if x["t"] == "Div" and LABEL.match(x["c"][0][0]) for y in every(x["c"][1])}
    for x in every(page.tree["blocks"]):
        if x["t"] == "Table" and id(x) not in counted and page.rel != "index.ipynb" and not DOCMENTS.search(plain(x)[:60]): page.fault(f"a table has neither label nor caption: {plain(x)[:60]}")
    page.ids = page.names | {(attr(x) or [""])[0] for x in every(page.tree["blocks"])} | {i for x in every(page.tree["blocks"]) if x["t"] in ("RawBlock", "RawInline") for i in re.findall(r'\bid="?([\w.-]+)', x["c"][1])}
    for x in every(page.tree["blocks"]): loose(page, x)
    for formula in bare(page.markdown): page.fault(f"an equation has no number: {formula[:60]} (write it between $$ and $$ {{#eq-…}})")
    for x in every(page.tree["blocks"]):
        if x["t"] == "Cite": refer(page, x)
    for label in page.labels:
        if label not in page.used and not label.startswith("sec-"): page.fault(f"{label}: is never referred to")


def numbered(page, label, x=None):
    "The number of a label on its page."
    if label in page.labels: page.fault(f"{label}: stands twice on the page")
    kind = label.split("-")[0]; page.counts[kind] += 1
    page.labels[label] = plain(x["c"][2]) if kind == "sec" else f"{page.number}{page.counts[kind]}"
    return page.labels[label]


def equations(page, x):
    "A display with {#eq-…} behind it becomes a numbered one."
    c = x["c"]; i = 0
    while i < len(c):
        if c[i]["t"] == "Math" and c[i]["c"][0]["t"] == "DisplayMath":
            after = next((j for j in range(i + 1, len(c)) if c[j]["t"] not in ("Space", "SoftBreak")), len(c))
            label = re.match(r"\{#([\w-]+)\}(.*)", c[after]["c"]) if after < len(c) and c[after]["t"] == "Str" else None
            inside = [c[i]]
            if not label: page.fault(f"an equation has no number: {c[i]['c'][1].strip()[:60]}")
            else:
                inside.append({"t": "Span", "c": [["", ["number"], []], words(f"({numbered(page, label[1])})")]})
                c[after:after + 1] = [{"t": "Str", "c": label[2]}] if label[2] else []; del c[i + 1:after]
            c[i] = {"t": "Span", "c": [[label[1] if label else "", ["equation"], []], inside]}
        i += 1


def bare(markdown):
    "Display equations as LaTeX writes them, which pandoc drops or shows as text: lines outside code and $$."
    text = re.sub(r"(?ms)^(`{3,}|~{3,}).*?^\1\s*?$|\$\$.*?\$\$", "", markdown)
    return [line.strip() for line in re.findall(r"(?m)^ *(?:\\\[|\\begin\{).*", text)]


def loose(page, x):
    "Marks that were meant to be markup and are not."
    if x["t"] == "Str" and re.search(r"\$|\*\*|\{#|\]\(|^#+$", x["c"]): page.fault(f"stray markup in the text: {x['c']}")
    if x["t"] in ("Para", "Plain"):
        for a,b,c in zip(x["c"], x["c"][1:], x["c"][2:]):
            if a["t"] == "SoftBreak" and c["t"] == "Space" and b["t"] == "Str" and re.fullmatch(r"[-*+]|\d+[.)]", b["c"]): page.fault(f"a list needs an empty line before it: {plain(x)[:60]}")
    if x["t"] in ("Image", "Figure") and not LABEL.match(attr(x)[0]) and x["t"] == "Image" and not x["c"][1] and x["c"][2][0] not in page.files: page.fault(f"the image {x['c'][2][0]} has no caption")


def refer(page, x):
    "References to figures and the like become links with a number; citations are left to pandoc."
    cited = x["c"][0]; ours = [c for c in cited if LABEL.match(c["citationId"])]
    if not ours: page.cites = True; return
    if len(ours) < len(cited): page.fault(f"{plain(x['c'][1])}: cites and refers in one bracket")
    inside = []
    for c in ours:
        label = c["citationId"]; page.used.add(label)
        if label not in page.labels: page.fault(f"@{label}: there is no such label on the page")
        kind, number = KINDS[label.split("-")[0]], page.labels.get(label, "?")
        name = words(number if c["citationMode"]["t"] == "SuppressAuthor" else f"{kind}\u00a0{number}")
        if c["citationPrefix"]: name = [*c["citationPrefix"], {"t": "Space"}, *words(number)]
        inside += [*([{"t": "Str", "c": ","}, {"t": "Space"}] if inside else []), {"t": "Link", "c": [["", ["reference"], []], name, ["#" + label, ""]]}, *c["citationSuffix"]]
    x["t"], x["c"] = "Span", [["", [], []], inside]


# ---- links

class Site:
    "All pages of a folder of notebooks; `faults` is what is wrong with them."
    def __init__(self, folder, top=root, colours=False, workers=2):
        self.folder, self.top, self.cfg, self.colours = Path(folder), Path(top), settings(Path(top)), colours
        self.url, self.git = self.cfg.get("doc_host", "") + self.cfg.get("doc_baseurl", ""), self.cfg.get("git_url", "")
        self.sections = contents(self.folder)
        at = {nb: (part, section) for part,section,nbs in self.sections for nb in nbs}
        listed, there = [nb for *_,nbs in self.sections for nb in nbs], {p.relative_to(self.folder).as_posix() for p in self.folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts}
        self.faults = [f"_quarto.yml: {nb} is in the sidebar and not in the folder" for nb in listed if nb not in there]
        self.faults += [f"_quarto.yml: {nb} is not in the sidebar" for nb in sorted(there - set(listed))]
        self.faults += [f"_quarto.yml: {nb} is in the sidebar {n} times" for nb,n in Counter(listed).items() if n > 1]
        self.pages = [Page(self.folder/nb, self.folder) for nb in dict.fromkeys(listed) if nb in there]
        for page in self.pages: page.part, page.section = at[page.rel]
        self.core = [page for page in self.pages if page.part.startswith(REPORT)]
        for page in self.core:
            for f in page.norms: page.fault(f)  # the other pages are notes on code, whose captions may be short
        self.words = sum(page.words for page in self.core)
        if self.words > MOST: self.faults.append(f"_quarto.yml: the report has {self.words:,} words of prose, which is more than {MOST:,}: shorten pages, or move one to another part")
        self.by_name = {p.rel: p for p in self.pages} | {p.out: p for p in self.pages}
        with ThreadPoolExecutor(workers) as pool: list(pool.map(parse, self.pages))
        where = {}
        for page in self.pages:
            for label in page.labels:
                if not label.startswith("sec-") and where.setdefault(label, page) is not page: page.fault(f"{label}: stands on {where[label].rel}, too")
        for page in self.pages: self.follow(page)
        with tempfile.TemporaryDirectory() as made, ThreadPoolExecutor(workers) as pool:
            self.bibliography, bib = Path(made)/"references.json", self.folder/"references.bib"
            text, said = pandoc(bib.read_text(encoding="utf-8"), "-f", "biblatex", "-t", "csljson") if bib.is_file() else ("[]", [])  # read once, not once a page
            self.bibliography.write_text(text, encoding="utf-8"); self.faults += [f"references.bib: {s}" for s in said]
            list(pool.map(self.render, self.pages))
        for page in self.pages: self.faults += dict.fromkeys(page.faults)

    def follow(self, page):
        "Check each link and image of a page, and turn links between notebooks into links between pages."
        for x in every(page.tree["blocks"]):
            if x["t"] in ("Link", "Image"): x["c"][2][0] = self.target(page, x["c"][2][0])
            elif x["t"] in ("RawBlock", "RawInline"):
                for url in re.findall(r"""\b(?:href|src)=["']([^"']+)""", x["c"][1]): self.target(page, url)

    def target(self, page, url):
        "Where a link leads from the page; one that leads nowhere is a fault."
        at, _, anchor = url.partition("#")
        if self.url and at in {f"{self.url}/play/{name}.html" for name in ("digits", "samples", "field")}: return url  # made by play.py
        if self.url and at.startswith(self.url + "/"): at = page.up + (at[len(self.url) + 1:] or "index.html")
        elif self.git and (m := re.match(re.escape(self.git) + r"/(?:blob|tree)/\w+/?([^?]*)", at)):
            path, line = self.top/unquote(m[1]), re.match(r"L(\d+)", anchor)
            if not path.exists(): page.fault(f"dead link: {url}")
            elif line and path.is_file() and int(line[1]) > len(path.read_text(encoding="utf-8").splitlines()): page.fault(f"dead link, the file is shorter: {url}")
            return url
        elif re.match(r"[a-z][a-z0-9+.-]*:|//", at): return url
        other = self.by_name.get(posixpath.normpath(posixpath.join(posixpath.dirname(page.rel), at))) if at else page
        if other:
            if anchor and unquote(anchor) not in other.ids: page.fault(f"dead link, the page has no such place: {url}")
            return (posixpath.relpath(other.out, posixpath.dirname(page.out) or ".") if at else "") + ("#" + anchor if anchor else "")
        if at in page.files or at.startswith("data:"): return url
        path = (page.path.parent/unquote(at)).resolve()
        if path.is_relative_to(self.folder.resolve()):
            if not path.is_file(): page.fault(f"{'missing image' if re.search('(?i)[.](png|jpe?g|svg|gif)$', at) else 'dead link'}: {url}")
            return url
        path = self.top/re.sub(r"^(\.\./)+", "", unquote(at))  # beside the notebooks in the repository, not on the site
        if not path.exists(): page.fault(f"dead link: {url}")
        return f"{self.git}/blob/{self.cfg.get('branch', 'main')}/{path.relative_to(self.top)}"

    def render(self, page):
        "The HTML of a page's body, with citations and a bibliography, formulas as MathML."
        tree = copy.copy(page.tree)
        if page.cites: tree["blocks"] = tree["blocks"] + [{"t": "Header", "c": [2, ["references", [], []], words("References")]}, {"t": "Div", "c": [["refs", [], []], []]}]
        cite = ["--citeproc", "-M", "link-citations=true", "--bibliography", str(self.bibliography)] if page.cites else []
        page.html, said = pandoc(json.dumps(tree), "-f", "json", "-t", "html5", "--mathml", "--wrap=none", *cite, *([] if self.colours else ["--syntax-highlighting=none"]))  # colours take most of the time
        for s in said: page.fault(re.sub(r"Citeproc: citation (\S+) not found", r"@\1: is not in the bibliography", s))

    def write(self, out):
        "The preview: a page for each notebook, with sidebar and the way on."
        import jinja2
        from markupsafe import Markup, escape
        out = Path(out); shutil.rmtree(out, ignore_errors=True); (out/"files").mkdir(parents=True)
        template = jinja2.Environment(autoescape=True).from_string((Path(__file__).parent/"preview.html").read_text(encoding="utf-8"))
        shown = lambda text: Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))
        parts = {}
        for part,section,nbs in self.sections: parts.setdefault(part, []).append((section, [self.by_name[nb] for nb in nbs if nb in self.by_name]))
        for page in self.pages: (out/page.out).parent.mkdir(parents=True, exist_ok=True)
        for before,page,after in zip([None, *self.pages], self.pages, [*self.pages[1:], None]):
            (out/page.out).write_text(template.render(site=self.cfg.get("title", ""), parts=parts, page=page, before=before, after=after, shown=shown), encoding="utf-8")
            for at,data in page.files.items(): ((out/page.out).parent/at).write_bytes(data)
        if (self.folder/"images").is_dir(): shutil.copytree(self.folder/"images", out/"images")


# ---- nbdev and Quarto

def process(top=root):
    "Let nbdev process the notebooks into _proc, and mend what it does to links and signatures."
    from nbdev.quarto import refresh_quarto_yml  # nbdev_proc_nbs would try to install Quarto
    from nbdev.serve import proc_nbs
    os.chdir(top); refresh_quarto_yml()
    folder, index = Path(proc_nbs(n_workers=2)), runpy.run_path(str(top/settings(top)["lib_path"]/"_modidx.py"))["d"]["syms"]
    for path in folder.rglob("*.ipynb"):
        if not (top/"nbs"/path.relative_to(folder)).is_file(): path.unlink()
    shown, lib = {}, settings(top)["lib_path"]  # what each page shows of the package
    for nb in (top/"nbs").rglob("*.ipynb"):
        module = re.search(r'"#\s*\| *default_exp ([\w.]+)', nb.read_text(encoding="utf-8"))
        if module: path = f"{lib}/{module[1].replace('.', '/')}.py"; shown[page_of(nb.relative_to(top/"nbs"))] = declared((top/path).read_text(encoding="utf-8"), path)
    for path in sorted(folder.rglob("*.ipynb")):
        before, page = path.read_text(encoding="utf-8"), page_of(path.relative_to(folder))
        after = mend(before, page, index, settings(top), shown.get(page, {}))
        if after != before: path.write_text(after, encoding="utf-8")
    return folder


# what Quarto adds to pages with tables in HTML, in case they were widgets of Jupyter; and what a page loads from elsewhere
WIDGETS = re.compile(r'<script src="https://[^"]*/(?:requirejs|jquery)@[^"]*"[^>]*></script>\s*|<script type="application/javascript">define\(\'jquery\'[^<]*</script>\s*')
LOADS = re.compile(r'<(?:script|img|audio|source|iframe)\b[^>]*?\bsrc="((?:https?:)?//[^"]*)"|<link\b(?=[^>]*\brel="stylesheet")[^>]*?\bhref="((?:https?:)?//[^"]*)"')


SIGNPOSTS = {"start/01_install.ipynb": "install pip uv docker", "start/03_questions.ipynb": "cite citation questions", "tutorials/02_field.ipynb": "birds bats frogs field recordings bioacoustics",
             "tutorials/01_samples.ipynb": "samples drums loops sampler music", "tutorials/03_speech.ipynb": "speakers speech words voices"}  # what people search for, and where it is


def searched(pages):
    "What the site's search finds: each name of the index of the API, then each section of a page, with its prose alone. Code, tests and outputs would stand before the pages that explain them."
    found = []
    def add(page, anchor, title, section, text):
        href = page.out + (f"#{anchor}" if anchor else "")
        found.append(dict(objectID=f"{href} {title}", href=href, title=title, section=section, text=" ".join(text.split()), crumbs=[page.part, page.section][:1 + bool(page.section)]))
    there = {p.out: p for p in pages}
    for page in pages:
        for word in SIGNPOSTS.get(page.rel, "").split(): add(page, "", word, page.title, page.description)
        if page.rel != "start/04_api.ipynb": continue
        for name,at,anchor,text in re.findall(r"(?m)^- \[`(\w+)`\]\(\.\./([^#)]+)#([^)]+)\): (.*)$", page.markdown): add(there[at], anchor, name, "API", text)
    for page in pages:
        anchor, section, text = "", "", [page.description]
        for x in page.tree["blocks"]:
            if x["t"] == "Header" and x["c"][0] <= 3:
                add(page, anchor, page.title, section, " ".join(text)); anchor, section, text = x["c"][1][0], plain(x["c"][2]), []
            elif x["t"] not in ("CodeBlock", "RawBlock"): text.append(plain(x))
        add(page, anchor, page.title, section, " ".join(text))
    return found


def quarto(folder, out, pages):
    """Render the site and move it to `out`; what Quarto warned of, and pages that it did not write, come back as faults.
    (`--fail-if-warnings` goes through to pandoc alone, and Quarto's own warnings leave the exit status at 0; so its words are read.)"""
    run = subprocess.Popen(["quarto", "render", "--no-cache"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace")
    faults = []
    for said in run.stdout:
        print(said, end="", flush=True)
        said = re.sub(r"\x1b\[[0-9;]*m", "", said).strip()
        if re.match(r"[\[(]?(WARN|ERROR)", said): faults.append(f"quarto: {said}")
    if run.wait(): faults.append(f"quarto: ended with status {run.returncode}")
    built, outs = folder/out.name, {p.path.name: Path(p.out).name for p in pages}
    for page in pages:
        html, plain = built/page.out, built/(page.out + ".md")
        for path in (html, plain):
            if not path.is_file(): faults.append(f"quarto: did not write {path.name}")
        if html.is_file():
            text = WIDGETS.sub("", html.read_text(encoding="utf-8")); html.write_text(text, encoding="utf-8")
            if "quarto-unresolved-ref" in text: faults.append(f"quarto: {page.out} holds a reference to nothing")
            faults += [f"quarto: {page.out} loads {url}, which is not there for a reader without a connection" for url in sorted({a or b for a,b in LOADS.findall(text)})]
        if plain.is_file():  # Quarto leaves the links to other notebooks here
            links = lambda m: m[1] + outs[m[2]] + ".md" if m[2] in outs else m[0]
            plain.write_text(re.sub(r'((?:\]\(|href=")(?:[\w.-]+/)*)([\w-]+\.ipynb)', links, plain.read_text(encoding="utf-8")), encoding="utf-8")
    for css in sorted(built.rglob("*.css")):
        faults += [f"quarto: {css.name} loads {url}, which is not there for a reader without a connection" for url in re.findall(r"@import\s*(?:url\()?[\"']?((?:https?:)?//[^\"')]+)", css.read_text(encoding="utf-8"))]
    if built.is_dir():
        (built/"search.json").write_text(json.dumps(searched(pages), ensure_ascii=False), encoding="utf-8")
        shutil.rmtree(out, ignore_errors=True); shutil.move(built, out)
        (out/"llms.txt").write_text(llms(), encoding="utf-8")
    return faults


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only check the notebooks as they are")
    parser.add_argument("--words", action="store_true", help="only count the words of the report")
    check, counts = (given := parser.parse_args(arguments)).check, given.words
    if counts:
        pages = [Page(root/"nbs"/nb, root/"nbs") for _,nbs in core(root/"nbs") for nb in nbs]
        for page in pages: print(f"{page.words:6,}  {page.rel}")
        total = sum(page.words for page in pages); print(f"{total:6,}  words of prose on {len(pages)} pages, of {MOST:,} at most")
        return 1 if total > MOST else 0
    site = Site(root/"nbs") if check else Site(process(), colours=True)
    faults = list(site.faults)
    if not check:
        site.write(root/"_preview"); print(f"{len(site.pages)} pages: open {(root/'_preview/index.html').relative_to(root)}")
        if shutil.which("quarto"): faults += quarto(site.folder, root/settings()["doc_path"], site.pages)
        else: print("Quarto is not installed: the site itself was not rendered")
    for f in faults: print(f, file=sys.stderr)
    print(f"the report: {site.words:,} words of prose on {len(site.core)} pages, of {MOST:,} at most")
    print(f"docs: {len(faults)} faults in {len(site.pages)} pages")
    return 1 if faults else 0


if __name__ == "__main__": sys.exit(main())
