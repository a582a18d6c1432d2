"""Make and check the docs.

    python .ci/docs.py           process the notebooks, check them, write a preview into _preview;
                                 where Quarto is installed, render the site with it into _docs
    python .ci/docs.py --check   only check the notebooks as they are, in a few seconds

A fault is a line that names the page and what is wrong; with any fault the exit status is 1.
The preview is made with pandoc alone and opens from disk.
"""
import argparse, ast, base64, json, os, posixpath, re, runpy, shutil, subprocess, sys, tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import yaml

sys.path.insert(0, str(Path(__file__).parent))
from llms import REPORT, contents, core, llms, opening, page_of, root, settings
from mend import mend
from norms import axis_faults, caption_faults

MOST = 28_000  # words of prose that the report, Part I of the sidebar, may have
MOST_OF_ALL = 84_000  # and the whole site
NO_CAPTIONS = ("index.ipynb", "start/04_api.ipynb")  # the README; tables of parameters, which headings name
KINDS = {"fig": "Figure", "tbl": "Table", "eq": "Equation"}
LABEL = re.compile(r"(fig|tbl|eq)-[\w-]+$")
MADE = ("audioclust.pdf", "play/digits.html", "play/samples.html", "play/field.html")  # what else is put on the site


# ---- a notebook as Markdown

def options(source):
    "The directives at the head of a cell, and the code below them."
    found, lines = {}, source.split("\n")
    while lines and lines[0].startswith("#|"):
        key, colon, value = lines.pop(0)[2:].strip().partition(":")
        if key: found[key if colon else key.split()[0]] = yaml.safe_load(value) if colon else True
    return found, "\n".join(lines).strip("\n")


def fence(text, kind):
    "A code block, whatever backticks are in it."
    ticks = "`"*max([3, *(len(t) + 1 for t in re.findall("`+", text))])
    return f"{ticks}{kind}\n{text}\n{ticks}"


def uncited(said): return re.sub(r"Citeproc: citation (\S+) not found", r"@\1: is not in the bibliography", said)
def raw(html): return fence(html, "{=html}")


CODE = r"(?ms)^(`{3,}|~{3,}).*?^\1\s*?$"
NO_PROSE = (CODE, r"(?s)\$\$.*?\$\$", r"(?m)^\s*(?:\||: ).*$", r"\{[#.][^}\n]*\}", r"(?<=\])\([^)\s]*\)")


def count(text):
    "The words of prose in Markdown: no code, displays, tables with their captions, nor targets of links."
    for pattern in NO_PROSE: text = re.sub(pattern, " ", text)
    text = re.sub(r"\$[^$\n]+\$", "x", text)  # a formula in a sentence is a word
    return sum(bool(re.search(r"\w", word)) for word in text.split())


class Page:
    "A notebook on its way to a page: Markdown, then pandoc's tree, then HTML."
    def __init__(self, path, folder):
        self.path, self.rel = path, path.relative_to(folder).as_posix()
        self.out = page_of(self.rel)
        self.name = self.out[:-5].replace("/", "-")
        self.up = "../"*self.rel.count("/")  # from the page to the root of the site
        self.part = self.section = self.chapter = ""  # as the sidebars have them
        self.faults, self.norms = [], []
        self.files, self.labels, self.used, self.ids = {}, {}, set(), set()
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        self.title, self.description, rest = opening(cells)
        if not self.title: self.fault("the first cell has no title")
        if rest.strip(): self.fault("the first cell holds more than title and sentence: nbdev leaves the rest out, so begin a cell there")
        self.markdown = "\n\n".join(filter(None, [rest, *map(self.cell, cells[1:])])) + "\n"
        prose = ["".join(c["source"]) for c in cells[1:] if c["cell_type"] == "markdown"]
        self.words = sum(map(count, [self.title, self.description, rest, *prose]))

    def fault(self, message): self.faults.append(f"{self.rel}: {message}")

    def cell(self, cell):
        "A cell as Markdown."
        source = "".join(cell["source"])
        if cell["cell_type"] == "code": return self.code(source, cell.get("outputs", []))
        if cell["cell_type"] == "raw": return ""
        return source

    def code(self, source, outputs):
        "A cell of code with what it shows, as its directives say."
        try: found, code = options(source)
        except yaml.YAMLError: return self.fault(f"a directive cannot be read: {source.splitlines()[0]}")
        if found.keys() & {"hide", "default_exp"} or found.get("include") is False: return ""
        exported = found.keys() & {"export", "exporti"}
        if exported: self.ids |= {name.lower() for name in re.findall(r"(?m)^(?:def|class) (\w+)", code)}  # nbdev shows signatures there
        shown = fence(code, "python") if code and not exported and found.get("echo", True) else ""
        if shown and found.get("code-fold"):
            summary = f"<details class=code><summary>{found.get('code-summary', 'Code')}</summary>"
            shown = f"::::: site\n{raw(summary)}\n\n{shown}\n\n{raw('</details>')}\n:::::"
        alt = re.sub(r"[\[\]]", "", found.get("fig-alt", ""))
        parts = [self.output(o, alt) for o in outputs] if found.get("output", True) else []
        streams = [text for text,kind in parts if kind == "stream"]
        shows = [text for text,kind in parts if kind != "stream"]
        if found.keys() & {"label", "fig-cap", "tbl-cap"}: shows = [self.captioned(found, code, shows)]
        else:
            last = code.strip().split("\n")[-1][:80]
            for text,kind in parts:
                if kind == "html" and "<table" in text and self.rel not in NO_CAPTIONS or kind == "picture":
                    self.fault(f"a {'table' if kind == 'html' else kind} has neither label nor caption: {last}")
        text = "\n\n".join(filter(None, [shown, *streams, *shows]))
        return f":::::: site\n{text}\n::::::" if code.startswith("show_doc(") else text

    def captioned(self, found, code, shows):
        "What a cell shows, with its label and caption."
        label, caption = found.get("label", ""), found.get("fig-cap") or found.get("tbl-cap", "")
        if not label: self.fault(f"a cell has a caption and no label: {caption[:60]}")
        elif not LABEL.match(label): self.fault(f"{label}: a label begins with fig-, tbl- or eq- and holds letters, digits and hyphens")
        if not any(shows): self.fault(f"{label}: its cell shows nothing")
        if label.startswith("fig-"): self.norms += axis_faults(label, code)
        if label and caption: self.norms += caption_faults(label, caption, code if label.startswith("fig-") else "".join(shows))
        return "\n\n".join([f"::::: {{#{label or 'none'} .shown .{label[:3] or 'none'}}}\n:::: caption\n{caption}\n::::", *shows, ":::::"])

    def output(self, o, alt):
        "An output as (Markdown, kind); `alt` is what a picture is called."
        data = {key: "".join(value) for key,value in o.get("data", {}).items() if key != "application/json"}
        said = re.sub(r"\x1b\[[0-9;]*m", "", "".join(o.get("text", data.get("text/plain", "")))).rstrip()
        if o["output_type"] == "error": self.fault(f"a cell ended in an error: {o['ename']}: {o['evalue']}"[:160])
        if re.search(r"\w\.\.\.</td>", data.get("text/html", "")): self.fault("a table cuts its texts: say pd.set_option('display.max_colwidth', None)")
        if "text/html" in data:
            html = re.sub(r"(?s)<style.*?</style>\n?", "", data["text/html"]).replace(" ± ", "\u00a0±\u00a0")
            return raw(f'<div class="html">\n{html}\n</div>'), "html"
        if "text/markdown" in data: return data["text/markdown"].rstrip(), "markdown"
        for kind, read in ("svg+xml", str.encode), ("png", base64.b64decode):
            if picture := data.get(f"image/{kind}"):
                at = f"{self.up}files/{self.name}-{len(self.files) + 1}.{kind[:3]}"
                self.files[at] = read(picture)
                return f"![{alt}]({at})\\ ", "picture"  # the space keeps pandoc from making a second figure of it
        return fence(said, "output") if said else "", "stream" if "text" in o else "text"


# ---- pandoc's tree

def pandoc(text, *arguments):
    "What pandoc writes, and its complaints."
    import pypandoc
    command = [pypandoc.get_pandoc_path(), *arguments]
    run = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8")
    return run.stdout, [" ".join(w.split()) for w in re.split(r"(?m)^\[WARNING\] ", run.stderr) if w.strip()]


def every(x):
    "All elements of a tree, parents first, in the order of the page."
    if isinstance(x, list):
        for y in x: yield from every(y)
    elif isinstance(x, dict):
        if "t" in x: yield x
        yield from every(x.get("c", []))


def changed(x, change):
    "A copy of a tree; `change` gets each element, children first, and returns the elements that take its place."
    if isinstance(x, list):
        return [z for y in x for z in (change(changed(y, change)) if isinstance(y, dict) and "t" in y else [changed(y, change)])]
    if isinstance(x, dict): return {k: changed(v, change) for k,v in x.items()}
    return x


def name_of(x):
    "The identifier of an element."
    if x["t"] in ("Div", "Span", "Figure", "Table", "CodeBlock", "Code", "Link", "Image"): return x["c"][0][0]
    return x["c"][1][0] if x["t"] == "Header" else ""


def plain(x):
    "The text of a tree."
    texts = {"Str": lambda c: c, "Space": lambda c: " ", "SoftBreak": lambda c: " ", "Code": lambda c: c[1], "Math": lambda c: c[1]}
    return "".join(texts[y["t"]](y.get("c")) for y in every(x) if y["t"] in texts)


def words(text): return [y for word in text.split(" ") for y in ({"t": "Space"}, {"t": "Str", "c": word})][1:]


def read(page):
    "The Markdown of a page as pandoc's tree."
    tree, said = pandoc(f"::: lead\n{page.description}\n:::\n\n{page.markdown}", "-f", "markdown-yaml_metadata_block", "-t", "json")
    page.faults += [f"{page.rel}: pandoc: {s}" for s in said]
    page.tree = json.loads(tree) if tree else {"blocks": [], "meta": {}, "pandoc-api-version": [1, 23]}
    page.tree["blocks"] = changed(page.tree["blocks"], figure)
    page.ids |= set(map(name_of, every(page.tree["blocks"])))
    for x in every(page.tree["blocks"]):
        if x["t"] in ("RawBlock", "RawInline"): page.ids |= set(re.findall(r'\bid="?([\w.-]+)', x["c"][1]))


def figure(x):
    "What a cell shows under a label, as a figure of pandoc's."
    if x["t"] != "Div" or "shown" not in x["c"][0][1]: return [x]
    caption, *shown = x["c"][1]
    return [{"t": "Figure", "c": [x["c"][0], [None, caption["c"][1]], shown]}]


def number(page, counts):
    "Give the figures, tables and equations of a page their numbers; make references of what refers to them."
    blocks = page.tree["blocks"]
    inside = {id(y) for x in every(blocks) if x["t"] == "Figure" for y in every(x["c"][2])}
    for x in every(blocks):
        loose(page, x)
        if x["t"] in ("Para", "Plain"): equations(page, x["c"], counts)
        if x["t"] == "Table" and not LABEL.match(name_of(x)) and id(x) not in inside and page.rel not in NO_CAPTIONS:
            page.fault(f"a table has neither label nor caption: {plain(x)[:60]}")
        if x["t"] in ("Figure", "Table") and LABEL.match(label := name_of(x)):
            kind, caption = KINDS[label[:3]], x["c"][1][1]
            before = f"{kind}\u00a0{labelled(page, label, counts)}:"
            if plain(caption).strip(): caption[0]["c"][:0] = [{"t": "Str", "c": before}, {"t": "Space"}]
            else: page.fault(f"{label}: has no caption")
    page.ids |= page.labels.keys()
    page.cites = any([refer(page, x) for x in every(blocks) if x["t"] == "Cite"])
    for label in page.labels:
        if label not in page.used: page.fault(f"{label}: is never referred to")


def labelled(page, label, counts):
    "The number of a label."
    if label in page.labels: page.fault(f"{label}: stands twice on the page")
    counts[label.split("-")[0]] += 1
    page.labels[label] = f"{page.chapter}{'.' if page.chapter else ''}{counts[label.split('-')[0]]}"
    return page.labels[label]


def equations(page, inlines, counts):
    "A display with {#eq-…} behind it becomes a numbered one."
    for i,x in enumerate(inlines):
        if x["t"] != "Math" or x["c"][0]["t"] != "DisplayMath": continue
        after = next((j for j in range(i + 1, len(inlines)) if inlines[j]["t"] not in ("Space", "SoftBreak")), None)
        label = after and re.match(r"\{#(eq-[\w-]+)\}(.*)", str(inlines[after].get("c", "")))
        if not label:
            page.fault(f"an equation has no number: {x['c'][1].strip()[:60]}")
            continue
        shown = {"t": "Span", "c": [["", ["number"], []], words(f"({labelled(page, label[1], counts)})")]}
        inlines[i:after + 1] = [{"t": "Span", "c": [[label[1], ["equation"], []], [x, shown]]}, {"t": "Str", "c": label[2]}]


def loose(page, x):
    "Marks that were meant to be markup and are not."
    if x["t"] == "Str" and re.search(r"\$|\*\*|\{#|\]\(|^#+$", x["c"]): page.fault(f"stray markup in the text: {x['c']}")
    if x["t"] == "Image" and not x["c"][1] and x["c"][2][0] not in page.files: page.fault(f"the image {x['c'][2][0]} has no caption")
    if x["t"] in ("Para", "Plain"):
        for a,b,c in zip(x["c"], x["c"][1:], x["c"][2:]):
            if a["t"] == "SoftBreak" and c["t"] == "Space" and b["t"] == "Str" and re.fullmatch(r"[-*+]|\d+[.)]", b["c"]):
                page.fault(f"a list needs an empty line before it: {plain(x)[:60]}")


def refer(page, x):
    "References to figures and the like become links with a number; citations are left to pandoc. Whether it is one."
    cited = x["c"][0]
    ours = [c for c in cited if LABEL.match(c["citationId"])]
    if not ours: return True
    if len(ours) < len(cited): page.fault(f"{plain(x['c'][1])}: cites and refers in one bracket")
    inside = []
    for c in ours:
        label, alone = c["citationId"], c["citationMode"]["t"] == "SuppressAuthor"
        page.used.add(label)
        if label not in page.labels: page.fault(f"@{label}: there is no such label on the page")
        name = ("" if alone else KINDS[label.split("-")[0]] + "\u00a0") + page.labels.get(label, "?")
        inside += words(", ")*bool(inside) + [{"t": "Link", "c": [["", ["reference"], []], words(name), ["#" + label, ""]]}, *c["citationSuffix"]]
    x["t"], x["c"] = "Span", [["", [], []], inside]
    return False


# ---- all pages

class Site:
    "All pages of a folder of notebooks; `faults` is what is wrong with them."
    def __init__(self, folder, top=root):
        self.folder, self.top, self.cfg = Path(folder), Path(top), settings(Path(top))
        self.url = self.cfg.get("doc_host", "") + self.cfg.get("doc_baseurl", "")
        self.git = self.cfg.get("git_url", "")
        self.sections, self.chapters = contents(self.folder), core(self.folder)
        self.own_faults = self.read()
        self.core = [page for page in self.pages if page.part.startswith(REPORT)]
        for page in self.core:  # the other pages are notes on code
            for f in page.norms: page.fault(f)
        self.words = sum(page.words for page in self.core)
        self.all_words = sum(page.words for page in self.pages)
        for what, words, most in ("report", self.words, MOST), ("site", self.all_words, MOST_OF_ALL):
            if words > most and self.folder.name != "_proc": self.own_faults.append(f"_quarto.yml: the {what} has {words:,} words of prose, "
                f"which is more than {most:,}: shorten pages, or move one to another part")
        self.number()
        for page in self.pages: self.follow(page)

    @property
    def faults(self):
        return list(dict.fromkeys([*self.own_faults, *(fault for page in self.pages for fault in page.faults)]))

    def read(self):
        "Read the pages; what the sidebars and the folder do not agree on."
        listed = [nb for *_,nbs in self.sections for nb in nbs]
        paths = [p for p in self.folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts]
        there = {p.relative_to(self.folder).as_posix() for p in paths}
        self.by_name = {}
        for part,section,nbs in self.sections:
            for nb in there.intersection(nbs) - self.by_name.keys():
                page = Page(self.folder/nb, self.folder)
                page.part, page.section = part, section
                self.by_name |= {nb: page, page.out: page}
        self.pages = [self.by_name[nb] for nb in dict.fromkeys(listed) if nb in there]
        with ThreadPoolExecutor(2) as pool: list(pool.map(read, self.pages))
        faults = [f"{nb} is in the sidebar and not in the folder" for nb in listed if nb not in there]
        faults += [f"{nb} is not in the sidebar" for nb in sorted(there - set(listed))]
        faults += [f"{nb} is in the sidebar {n} times" for nb,n in Counter(listed).items() if n > 1]
        return [f"_quarto.yml: {f}" for f in faults]

    def number(self):
        "Number the figures, tables and equations of all pages; those of a chapter together."
        chapters, where = {}, {}
        for i,(_,nbs) in enumerate(self.chapters): chapters |= dict.fromkeys(nbs, (str(i + 1), Counter()))
        for page in self.pages:
            page.chapter, counts = chapters.get(page.rel, ("", Counter()))
            number(page, counts)
            for label in page.labels:
                if where.setdefault(label, page) is not page: page.fault(f"{label}: stands on {where[label].rel}, too")

    def follow(self, page):
        "Check each link and image of a page, and turn links between notebooks into links between pages."
        for x in every(page.tree["blocks"]):
            if x["t"] in ("Link", "Image"): x["c"][2][0] = self.target(page, x["c"][2][0])
            elif x["t"] in ("RawBlock", "RawInline"):
                for url in re.findall(r"""\b(?:href|src)=["']([^"']+)""", x["c"][1]): self.target(page, url)

    def target(self, page, url):
        "Where a link leads from the page; one that leads nowhere is a fault."
        at, _, anchor = url.partition("#")
        if self.url and at in {f"{self.url}/{name}" for name in MADE}: return url
        if self.url and at.startswith(self.url + "/"): at = page.up + (at[len(self.url) + 1:] or "index.html")
        elif self.git and (m := re.match(re.escape(self.git) + r"/(?:blob|tree)/\w+/?([^?]*)", at)):
            if not (self.top/unquote(m[1])).exists(): page.fault(f"dead link: {url}")
            return url
        elif re.match(r"[a-z][a-z0-9+.-]*:|//", at): return url
        other = self.by_name.get(posixpath.normpath(posixpath.join(posixpath.dirname(page.rel), at))) if at else page
        if other:
            if anchor and unquote(anchor) not in other.ids: page.fault(f"dead link, the page has no such place: {url}")
            return (posixpath.relpath(other.out, posixpath.dirname(page.out) or ".") if at else "") + ("#" + anchor if anchor else "")
        if at in page.files or at.startswith("data:"): return url
        path = (page.path.parent/unquote(at)).resolve()
        if path.is_relative_to(self.folder.resolve()):
            picture = re.search("(?i)[.](png|jpe?g|svg|gif)$", at)
            if not path.is_file(): page.fault(f"{'missing image' if picture else 'dead link'}: {url}")
            return url
        path = self.top/re.sub(r"^(\.\./)+", "", unquote(at))  # beside the notebooks in the repository, not on the site
        if not path.exists(): page.fault(f"dead link: {url}")
        return f"{self.git}/blob/{self.cfg.get('branch', 'main')}/{path.relative_to(self.top)}"

    def render(self):
        "The HTML of all pages, with citations and a bibliography, formulas as MathML."
        bib, below = self.folder/"references.bib", [{"t": "Div", "c": [["refs", [], []], []]}]
        with tempfile.TemporaryDirectory() as made, ThreadPoolExecutor(2) as pool:
            entries = Path(made)/"references.json"
            text, said = pandoc(bib.read_text(encoding="utf-8"), "-f", "biblatex", "-t", "csljson") if bib.is_file() else ("[]", [])
            entries.write_text(text, encoding="utf-8")  # read once, not once a page
            self.own_faults += [f"references.bib: {s}" for s in said]
            def one(page):
                cite = ["--citeproc", "-M", "link-citations=true", "--bibliography", str(entries)]*page.cites
                tree = {**page.tree, "blocks": page.tree["blocks"] + below*page.cites}
                page.html, said = pandoc(json.dumps(tree), "-f", "json", "-t", "html5", "--mathml", "--wrap=none", "--syntax-highlighting=none", *cite)
                for s in said: page.fault(uncited(s))
            list(pool.map(one, self.pages))

    def write(self, out):
        "The preview: a page for each notebook, with the contents of the site below it."
        import jinja2
        template = (Path(__file__).parent/"preview.html").read_text(encoding="utf-8")
        template = jinja2.Environment(autoescape=True).from_string(template)
        parts = [(part, section, [self.by_name[nb] for nb in nbs if nb in self.by_name]) for part,section,nbs in self.sections]
        shutil.rmtree(out, ignore_errors=True)
        (Path(out)/"files").mkdir(parents=True)
        for page in self.pages:
            at = Path(out)/page.out
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_text(template.render(site=self.cfg["title"], parts=parts, page=page), encoding="utf-8")
            for name,data in page.files.items(): (at.parent/name).write_bytes(data)
        if (self.folder/"images").is_dir(): shutil.copytree(self.folder/"images", Path(out)/"images")


# ---- nbdev and Quarto

def process(top=root):
    "Let nbdev process the notebooks into _proc, and mend what it does to links."
    from nbdev.quarto import refresh_quarto_yml  # nbdev_proc_nbs would try to install Quarto
    from nbdev.serve import proc_nbs
    import nbdev.processors as processors
    os.chdir(top)
    shutil.rmtree("_proc", ignore_errors=True)
    refresh_quarto_yml()
    run = processors._do_eval
    def run_alone(cell):  # an example with an import may need cells that nbdev does not run
        if cell.directives_.keys() & {"export", "exporti"} or cell.cell_type != "code": return run(cell)
        statements = cell.parsed_() or []
        return run(cell) if all(isinstance(s, (ast.Import, ast.ImportFrom)) or "show_doc" in ast.unparse(s) for s in statements) else None
    processors._do_eval = run_alone
    folder, cfg = Path(proc_nbs(n_workers=0)), settings(top)
    index = runpy.run_path(str(top/cfg["lib_path"]/"_modidx.py"))["d"]["syms"]
    for path in folder.rglob("*.ipynb"):
        page = page_of(path.relative_to(folder))
        path.write_text(mend(path.read_text(encoding="utf-8"), page, index, cfg), encoding="utf-8")
    return folder


# what Quarto adds to pages with tables in HTML, in case they were widgets of Jupyter; and what a page or a style loads from elsewhere
WIDGETS = re.compile(r'<script src="https://[^"]*/(?:requirejs|jquery)@[^"]*"[^>]*></script>\s*'
    r'|<script type="application/javascript">define\(\'jquery\'[^<]*</script>\s*')
LOADS = re.compile(r'<(?:script|img|audio|source|iframe)\b[^>]*?\bsrc="((?:https?:)?//[^"]*)"'
    r'|<link\b(?=[^>]*\brel="stylesheet")[^>]*?\bhref="((?:https?:)?//[^"]*)"|@import\s*(?:url\()?["\']?((?:https?:)?//[^"\')]+)')
PRINTED = re.compile(r"<p>\s*(?:[—–-]+\s*)?((?:crossref|title|description|output-file):|:::)")  # what is for Quarto, and no text


def quarto(folder, out, pages):
    """Render the site and move it to `out`; what Quarto warned of, and pages that it did not write, come back as faults.
    (Quarto's own warnings leave the exit status at 0; so its words are read.)"""
    run = subprocess.Popen(["quarto", "render", "--no-cache"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", errors="replace")
    faults, built, outs = [], folder/out.name, {p.path.name: Path(p.out).name for p in pages}
    for said in run.stdout:
        print(said, end="", flush=True)
        said = re.sub(r"\x1b\[[0-9;]*m", "", said).strip()
        if re.match(r"[\[(]?(WARN|ERROR)", said): faults.append(said)
    if run.wait(): faults.append(f"ended with status {run.returncode}")
    for page in pages: faults += [f"did not write {name}" for name in (page.out, page.out + ".md") if not (built/name).is_file()]
    for path in sorted(p for p in built.rglob("*") if p.suffix in (".html", ".css", ".md")):
        before = text = path.read_text(encoding="utf-8")
        if path.suffix == ".md":  # Quarto leaves the links to other notebooks here
            text = re.sub(r'((?:\]\(|href=")(?:[\w.-]+/)*)([\w-]+\.ipynb)', lambda m: m[1] + outs[m[2]] + ".md" if m[2] in outs else m[0], text)
        else:
            text = WIDGETS.sub("", text)
            if path.suffix == ".html" and "quarto-unresolved-ref" in text: faults.append(f"{path.name} holds a reference to nothing")
            faults += [f"{path.name} prints {mark}" for mark in PRINTED.findall(text)]
            faults += [f"{path.name} loads {url}, which is not there for a reader without a connection" for url in sorted({"".join(m) for m in LOADS.findall(text)})]
        if text != before: path.write_text(text, encoding="utf-8")
    if (search := built/"search.json").is_file():  # of places that fit equally well, the reader is shown the first
        places = sorted(json.loads(search.read_text(encoding="utf-8")), key=lambda p: not p["href"].startswith(("index.", "start/", "tutorials/")))
        search.write_text(json.dumps(places, ensure_ascii=False), encoding="utf-8")
    if built.is_dir():
        (built/"llms.txt").write_text(llms(), encoding="utf-8")
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(built, out)
    return [f"quarto: {f}" for f in faults]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only check the notebooks as they are")
    given = parser.parse_args(arguments)
    site = Site(root/"nbs") if given.check else Site(process())
    site.render()
    faults = site.faults
    if not given.check:
        site.write(root/"_preview")
        print(f"{len(site.pages)} pages: open _preview/index.html")
        if shutil.which("quarto"):
            faults += quarto(site.folder, root/site.cfg["doc_path"], site.pages)
        else: print("Quarto is not installed: the site itself was not rendered")
    for f in faults: print(f, file=sys.stderr)
    print(f"words of prose: {site.words:,} of {MOST:,} in the report, {site.all_words:,} of {MOST_OF_ALL:,} on the site")
    print(f"docs: {len(faults)} faults in {len(site.pages)} pages")
    return 1 if faults else 0


if __name__ == "__main__": sys.exit(main())
