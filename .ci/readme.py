"Write README.md from index.ipynb: what nbdev_readme does, without Quarto, so that every machine writes the same."
import json, re
from pathlib import Path

root = Path(__file__).resolve().parent.parent


def output(o):
    "An output of a cell as Markdown."
    data = o.get("data", {})
    text = "".join(o.get("text") or data.get("text/html") or data.get("text/markdown") or data.get("text/plain") or "")
    if "text/html" in data: return re.sub(r"<style.*?</style>\n?| border=\"1\" class=\"dataframe\"| style=\"text-align: right;\"", "", text, flags=re.S).strip()
    if "text/markdown" in data: return text.strip()
    return "\n".join("    " + line for line in text.rstrip().splitlines())


def cell(c):
    "A cell as Markdown, or nothing when it is hidden."
    source = "".join(c["source"])
    if c["cell_type"] == "markdown": return source
    directives, code = re.match(r"((?:#\|[^\n]*\n?)*)(.*)", source, re.S).groups()
    if "hide" in directives or not code.strip(): return ""
    shown = "" if "echo: false" in directives else f"```python\n{code.strip()}\n```"
    return "\n\n".join(filter(None, [shown, *(output(o) for o in c["outputs"])]))


def readme(notebook):
    text = "\n\n".join(filter(None, map(cell, json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"])))
    text = re.sub(r"\]\((?!https?:|#|/)", "](nbs/", text)  # links are relative to the notebook
    return "<!-- Made from nbs/index.ipynb by make readme: edit there. -->\n\n" + text.replace("](nbs/../", "](") + "\n"


if __name__ == "__main__": (root/"README.md").write_text(readme(root/"nbs"/"index.ipynb"), encoding="utf-8")
