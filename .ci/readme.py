"Write README.md from index.ipynb: what nbdev_readme does, without Quarto, so that every machine writes the same."
import re, sys
from posixpath import normpath
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from docs import Page, page_of, root, settings


def readme(notebook):
    "The text of README.md: notebooks are linked as pages of the site, and pictures have the first words of their caption below."
    page, cfg = Page(notebook, notebook.parent), settings()
    def link(m):
        at, mark, anchor = m[1].partition("#")
        if at.endswith(".ipynb"): return f"]({cfg['doc_host']}{cfg['doc_baseurl']}/{page_of(at)}{mark}{anchor})"
        return f"]({normpath('nbs/' + m[1])})"
    text = re.sub(r"\]\((?!https?:|#|/)([^)]+)\)", link, re.sub(r"(?ms)^:::: \{\.cards\}$.*?^::::\n+", "", page.markdown))
    text = re.sub(r"(?m)^\[?!\[([^].:]+).*\)$", r"\g<0>\n\n*\1.*", text)
    return f"<!-- Made from nbs/index.ipynb by make readme: edit there. -->\n\n# {page.title}\n\n> {page.description}\n\n{text}"


if __name__ == "__main__": (root/"README.md").write_text(readme(root/"nbs/index.ipynb"), encoding="utf-8")
