"The notation of the report: one row for each letter, and no letter in an old meaning."
import json, re
from pathlib import Path

import pytest

nbs = Path(__file__).parents[2]/"nbs"
if not (nbs/"report/04_notation.ipynb").is_file(): pytest.skip("needs the checkout", allow_module_level=True)


def prose(page):
    cells = json.loads((nbs/page).read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")

LETTERS = re.findall(r"(?m)^\| (\$.*?|\$p\$ with indices) \| .* \| \[.*\|$", prose("report/04_notation.ipynb"))
OLD = {r"\$n\$ (clips|rows|points|sounds|recordings)": "N is the number of clips", r"\\phi\b": "an encoder is f",
    r"\bJ\(": "a loss is L", r"\\lambda_": "eigenvalues are nu", r"\\varepsilon(?!\$, \$m\$)": "epsilon is the radius of DBSCAN",
    r"\(no unit\)": "an axis without unit says nothing of it"}


def symbols(row):
    "The letters of a row, without indices: x and z of x_i and z_i."
    return {re.match(r"\\Sigma_w|\\mathcal \w|\\[A-Za-z]+|\w", formula)[0] for formula in re.findall(r"\$(.+?)\$", row)}


def test_a_letter_stands_in_one_row():
    found = [letter for row in LETTERS for letter in symbols(row)]
    twice = {letter for letter in found if found.count(letter) > 1}
    assert len(LETTERS) > 25 and twice == {"N"} # N is the number of clips, and N_11 one of pairs


PAGES = [*(nbs/"report").glob("*.ipynb"), nbs/"01_audio/06_logmel.ipynb"]

@pytest.mark.parametrize("page", sorted(path.relative_to(nbs).as_posix() for path in PAGES))
def test_no_page_uses_a_letter_in_an_old_meaning(page):
    text = prose(page)
    assert [why for pattern,why in OLD.items() if re.search(pattern, text)] == []
