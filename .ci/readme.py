"Write README.md from index.ipynb: what nbdev_readme does, without Quarto, so that every machine writes the same."
import re, sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from docs import Page, root


def readme(notebook):
    "The text of README.md; links are relative to the notebook."
    page = Page(notebook, notebook.parent)
    text = re.sub(r"\]\((?!https?:|#|/)", "](nbs/", page.markdown).replace("](nbs/../", "](")
    return f"<!-- Made from nbs/index.ipynb by make readme: edit there. -->\n\n# {page.title}\n\n> {page.description}\n\n{text}"


if __name__ == "__main__": (root/"README.md").write_text(readme(root/"nbs/index.ipynb"), encoding="utf-8")
