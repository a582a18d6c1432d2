"The notation of the report: one row for each letter, and no letter in an old meaning."
import json, re, sys
from pathlib import Path

import pytest

nbs = Path(__file__).parents[2]/"nbs"
if not (nbs/"report/04_notation.ipynb").is_file(): pytest.skip("needs the checkout", allow_module_level=True)
sys.path.insert(0, str(nbs.parent/".ci"))
import llms


def prose(page):
    cells = json.loads((nbs/page).read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")

LETTERS = re.findall(r"(?m)^\| (\$.*?|\$p\$ with indices) \| .* \| \[.*\|$", prose("report/04_notation.ipynb"))
EPSILON = r"\\varepsilon(?!\$, \$m\$)" # not as in the table itself
OLD = {r"(?<!group of )\$n\$ (clips|points|sounds|recordings)": "N is the number of clips", r"\\phi\b": "an encoder is f",
    r"\bJ\(": "a loss is L", r"\\lambda_": "eigenvalues are nu", EPSILON: "epsilon is the radius of DBSCAN",
    r"\(no unit\)": "an axis without unit says nothing of it"}


def symbols(row):
    "The letters of a row, without indices: x and z of x_i and z_i."
    return {re.match(r"\\Sigma_w|\\mathcal \w|\\[A-Za-z]+|\w", formula)[0] for formula in re.findall(r"\$(.+?)\$", row)}


def test_a_letter_stands_in_one_row():
    found = [letter for row in LETTERS for letter in symbols(row)]
    twice = {letter for letter in found if found.count(letter) > 1}
    assert len(LETTERS) > 25 and twice == {"N"} # N is the number of clips, and N_11 one of pairs


@pytest.mark.parametrize("page", [nb for _,nbs_ in llms.core(nbs) for nb in nbs_])
def test_no_page_uses_a_letter_in_an_old_meaning(page):
    text, of_density = prose(page), page.startswith("03_classical/")
    found = [why for pattern,why in OLD.items() if re.search(pattern, text) and not (of_density and pattern == EPSILON)]
    assert found == []
