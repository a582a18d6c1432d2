"The glossary: in order, every term once, and each used on the page that it leads to."
import json, re
from pathlib import Path

import pytest

nbs = Path(__file__).parents[2]/"nbs"
if not (nbs/"reference/02_glossary.ipynb").is_file():
    pytest.skip("needs the checkout", allow_module_level=True)


def prose(name):
    return "\n".join("".join(c["source"]) for c in json.loads((nbs/name).read_text(encoding="utf-8"))["cells"])

def rows(text):
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in re.findall(r"^\| \[.*\|$", text, re.M)]

def plain(term): return re.sub(r"[^a-z]", "", term.lower())

TERMS = {m[1]: m[2] for row in rows(prose("reference/02_glossary.ipynb"))
    for m in [re.match(r"\[([^\]]+)\]\(([\w./]+\.ipynb)", row[0])]}


def test_terms_are_in_order_and_unique():
    found = re.findall(r"^\| \[([^\]]+)\]", prose("reference/02_glossary.ipynb"), re.M)
    assert len(found) > 60 and len(set(map(str.lower, found))) == len(found)
    assert [plain(t) for t in found] == sorted(plain(t) for t in found)


def test_every_row_is_whole():
    text = prose("reference/02_glossary.ipynb")
    lines = [l for l in text.splitlines() if l.startswith("|")]
    width = 4
    for line in lines:
        if line.startswith("| symbol"): width = 3
        assert line.count("|") == width + 1, line
        assert line.rstrip("| ").split("|")[-1].strip(), f"nothing is said: {line}"


def test_each_page_uses_the_terms_that_lead_to_it():
    pages = {page: prose("reference/" + page).lower() for page in TERMS.values()}
    words = {"log-mel": "log-mel", "normalised mutual information": "nmi", "adjusted mutual information": "ami",
        "adjusted rand index": "ari", "signal-to-noise ratio": "snr", "reseeding": "reseed"}
    assert [(term, page) for term,page in TERMS.items()
        if words.get(term.lower(), term.lower()) not in pages[page]] == []


def test_the_terms_that_a_user_meets_are_there():
    said = set(map(str.lower, TERMS))
    words = ["accuracy", "clip", "cluster", "confidence", "content", "contingency table", "embedding", "encoder",
        "head", "hop", "log-mel", "mel", "noise", "prototype", "pseudo-label", "purity", "silhouette", "source",
        "stability", "strangeness", "view", "whitening", "window"]
    for word in words: assert word in said, word
