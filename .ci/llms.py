"Write llms.txt, a map of the docs for language models (llmstxt.org), from the sidebar and the first cell of each notebook."
import configparser, json, re
from pathlib import Path

import yaml

root = Path(__file__).resolve().parent.parent
REPORT = "Part I "  # how the title of the report's sidebar begins


def settings(root=root):
    "What settings.ini says."
    parser = configparser.ConfigParser(delimiters=["="]); parser.read(root/"settings.ini", encoding="utf-8")
    return parser["DEFAULT"]


def contents(folder):
    "The sidebars: (part, section, notebooks) in order. A part is a sidebar, and called what its title says; the section is empty for what stands in none."
    found = []
    def add(items, part, section):
        for item in items:
            if isinstance(item, dict): add(item["contents"], part, item["section"])
            else:
                if not found or found[-1][:2] != (part, section): found.append((part, section, []))
                found[-1][2].append(item)
    for sidebar in yaml.safe_load((folder/"_quarto.yml").read_text(encoding="utf-8"))["website"]["sidebar"]: add(sidebar["contents"], sidebar["title"], "")
    return found


def core(folder):
    "The chapters of the report, Part I: (section, notebooks), in order. A section is a chapter, and so is a notebook in none."
    parts = [(section, nbs) for part,section,nbs in contents(folder) if part.startswith(REPORT)]
    return [chapter for section,nbs in parts for chapter in ([(section, nbs)] if section else [("", [nb]) for nb in nbs])]


def opening(cells):
    "Title, the sentence below it, and what the first cell holds beside them: of a notebook, or of one that nbdev has processed."
    first = "".join(cells[0]["source"]) if cells else ""
    if cells and cells[0]["cell_type"] == "raw" and first.startswith("---"):
        front = yaml.safe_load(first.strip().strip("-")) or {}
        return str(front.get("title", "")), str(front.get("description", "")), ""
    title, sentence, rest = re.match(r"(?:# ([^\n]*)\n*)?(?:> ([^\n]*(?:\n> [^\n]*)*)\n*)?(.*)", first, re.S).groups()
    return title or "", re.sub(r"\n> ", " ", sentence or ""), rest


def page_of(notebook):
    "Where the site has a notebook, named relative to `nbs`: nbdev drops the number before the name, and keeps that of the folder."
    path = Path(notebook)
    return path.with_name(re.sub(r"^\d+[a-zA-Z0-9]*_", "", path.stem) + ".html").as_posix()


def llms(folder=root/"nbs", cfg=None):
    "The text of llms.txt."
    cfg = cfg or settings(); site = cfg["doc_host"] + cfg["doc_baseurl"]
    lines = [f"# {cfg['title']}", "", f"> {cfg['description']}", "",
             f"{cfg['title']} is a Python library and a command, written in notebooks: each page below is one notebook, the module of the same name that it exports, and the report on both. In a checkout of {cfg['git_url']}, `make demo` sets everything up and clusters sounds that it makes itself; `pip install .` installs it into an environment of one's own."]
    for part, section, notebooks in contents(folder):
        lines += ["", f"## {': '.join(filter(None, [part, section]))}", ""]
        for nb in notebooks:
            title, sentence, _ = opening(json.loads((folder/nb).read_text(encoding="utf-8"))["cells"])
            lines.append(f"- [{title}]({site}/{page_of(nb)}.md): {sentence}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__": (root/"llms.txt").write_text(llms(), encoding="utf-8")
