"Run folders, edits and names that somebody made to do harm: nothing runs, and one line says what is wrong."
import json
import pickle
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import audioclust
from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.core.console import printable
from audioclust.core.files import write_json
from audioclust.encoders import load_encoder
from audioclust.runs import apply_edits, spreadsheet_safe

package = Path(audioclust.__file__).parent


RUNS_CODE = [r"(?<![\w.])eval\(", r"(?<![\w.])exec\(", r"yaml\.load", r"shell=True", r"os\.system", r"pickle\.loads?\(",
             r"joblib\.load", r"allow_pickle=True", r"weights_only=False", r"trust_remote_code=True", r"marshal\b",
             r"shelve"]

def test_nothing_in_the_package_runs_what_it_reads():
    for file in package.rglob("*.py"):
        code = "\n".join(line.split(" # ")[0] for line in file.read_text(encoding="utf-8").splitlines())
        is_ours = file.name == "streaming.py"  # unpickles what our own worker processes send
        for word in RUNS_CODE: assert is_ours and "pickle" in word or not re.search(word, code), (file, word)
        for call in re.findall(r"np\.load\([^\n]*", code): assert "allow_pickle=False" in call, (file, call)
        for call in re.findall(r"torch\.load\([^\n]*", code): assert "weights_only=True" in call, (file, call)
        for line in re.findall(r"^\s*(?:import|from) .*", code, re.M):
            assert is_ours or "pickle" not in line or "UnpicklingError" in line, (file, line)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    synthetic_words(3, 2, 4).save(folder/"sounds")
    assert main(["cluster", str(folder/"sounds"), "--out", str(folder/"run"), "--n-clusters", "3",
        "--stability", "2", "--no-cache", "-q"]) == 0
    return folder

class Harm:
    def __reduce__(self): return Path.touch, (Path("harmed"),)

def edit(name, **more):
    def change(run): (run/name).write_text(json.dumps({**json.loads((run/name).read_text()), **more}))
    return change

def entry(part, **more):
    "Other values in an entry of run.json."
    def change(run):
        record = json.loads((run/"run.json").read_text())
        record[part] |= more
        (run/"run.json").write_text(json.dumps(record))
    return change

def write(name, text):
    def change(run): (run/name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return change

def table(**columns):
    def change(run):
        t = pd.read_csv(run/"clusters.csv")
        t = t.assign(**{k: v for k,v in columns.items() if v is not None})
        t = t.drop(columns=[k for k,v in columns.items() if v is None])
        t.to_csv(run/"clusters.csv", index=False)
    return change

def without(name):
    def change(run): (run/name).unlink()
    return change

def array(x):
    def change(run): np.save(run/"embeddings.npy", x)
    return change

ODD = {
    "objects": lambda run: np.save(run/"embeddings.npy", np.array([Harm()]*24, object), allow_pickle=True),
    "pickled": write("embeddings.npy", pickle.dumps(Harm())),
    "embeddings half": write("embeddings.npy",
        b"\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999, 30), }" + b" "*50 + b"\n"),
    "embeddings few": array(np.zeros((3, 2), np.float32)),
    "embeddings words": array(np.array(["a"]*24)),
    "embeddings gone": without("embeddings.npy"),
    "embeddings not numbers": array(np.full((24, 5), np.nan, np.float32)),
    "run deep": write("run.json", "["*200_000),
    "run deep dict": write("run.json", '{"a":'*200_000),
    "run huge": write("run.json", '{"schema": 3, "x": "' + "x"*20_000_000 + '"}'),
    "asked of what is not there": edit("run.json", request={"colour": 1}),
    "by elsewhere": entry("request", by="../../elsewhere"),
    "levels without columns": entry("clustering", levels=[{"name": "fine"}]),
    "numbers gone": entry("clustering", ids=[]),
    "both of nothing": lambda run: ((run/"run.json").rename(run/"both.json")),
    "table no clusters": table(cluster=None),
    "formulas for clusters": table(cluster="=cmd|' /C calc'!A0"),
    "clusters huge": table(cluster=2**62),
    "clusters negative": table(cluster=-2**40),
    "times endless": table(end=float("inf")),
    "times backwards": table(start=9., end=1.),
    "paths elsewhere": table(path="/etc/passwd"),
    "paths devices": table(path="/dev/zero"),
    "paths up": table(path=["/tmp/../../../../etc/x.wav"] + ["/tmp/y.wav"]*23),
    "table long": write("clusters.csv", "path,cluster\n" + '"' + "x"*1_000_000),
    "table gone": without("clusters.csv"),
    "table bytes": write("clusters.csv", bytes(range(256))*40),
    "names many": lambda run: (run/"names.json").write_text(
        json.dumps(dict(schema=1, edits=dict(content=dict(names={str(i): "x" for i in range(10**5)}))))),
    "names in a circle": write("names.json", '{"schema": 1, "edits": {"content": {"merged": {"0": "1", "1": "0"}}}}'),
    "encoder of another kind": edit("model/encoder.json", **{"class": "os.system"}),
    "encoder elsewhere": edit("model/encoder.json", **{"class": "../../x"}),
    "encoder with more": edit("model/encoder.json", colour=1),
    "whitening empty": write("model/whitening.safetensors", b""),
    "clusterer of another kind": edit("model/clusterer.json", **{"class": "Harm"}),
    "clusterer a pickle": write("model/clusterer.safetensors", pickle.dumps(Harm())),
    "clusterer gone": without("model/clusterer.json"),
    "map a pickle": write("map.npy", pickle.dumps(Harm())),
    "map flat": lambda run: np.save(run/"map.npy", np.zeros(5)),
    "errors gone": without("errors.csv"),
    "errors other": write("errors.csv", "a,b\n1,2\n")}

COMMANDS = ["assign run SOUNDS --out out/assigned.csv", "export run --to audacity --out out/labels",
            "export run --to json --out out/t.json", "export run --to folders --out out/sorted",
            "compare run --labels parent",
            "listen run --page out/page.html --max-clips 6"]

@pytest.mark.parametrize("odd", ODD)
def test_a_run_folder_made_to_do_harm(made, tmp_path, capsys, monkeypatch, odd):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made/"run", "run")
    ODD[odd](Path("run"))
    before = {p for p in tmp_path.rglob("*") if "run" not in p.relative_to(tmp_path).parts}
    for command in COMMANDS:
        capsys.readouterr()
        typed = [str(made/"sounds"/"word0") if word == "SOUNDS" else word for word in command.split()]
        status, err = main([*typed, "-q"]), capsys.readouterr().err
        lines = [l for l in err.splitlines() if not l.startswith("warning: ")]
        what = odd, typed[0], status, err[-300:]
        assert status in (0, 2) and len(lines) == (status == 2), what
        assert "Traceback" not in err and "should not happen" not in err, what
    assert not Path("harmed").exists()
    written = {p for p in tmp_path.rglob("*") if "run" not in p.relative_to(tmp_path).parts} - before
    assert all(p == tmp_path/"out" or tmp_path/"out" in p.parents for p in written)


@pytest.mark.parametrize("text, said", [('{"schema": 1, "edits": {"../other": {"names": {"0": "x"}}}}', "groupings by"),
    ('{"schema": 1, "edits": {"content": {"names": {"9": "x"}}}}', "no cluster 9"),
    ('{"schema": 1, "edits": {"content": {"names": {"0": ""}}}}', "must be a text"),
    ('{"schema": 1, "edits": {"content": {"names": [1]}}}', "JSON object"),
    ("["*10**6, "not JSON"),
    ("", "not JSON"),
    (json.dumps(dict(schema=1, edits=dict(content=dict(names={str(i): "x" for i in range(3, 10**6)})))),
        "no cluster 3")], ids=range(7))
def test_edits_made_to_do_harm(made, tmp_path, capsys, text, said):
    (tmp_path/"edits.json").write_text(text)
    before = (made/"run"/"clusters.csv").read_bytes()
    assert main(["listen", str(made/"run"), "--edits", str(tmp_path/"edits.json")]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1 and len(err) < 1000
    assert (made/"run"/"clusters.csv").read_bytes() == before


def test_edits_do_not_lead_out_of_a_run_of_both_ways(made, tmp_path):
    shutil.copytree(made/"run", tmp_path/"other")
    (tmp_path/"both").mkdir()
    (tmp_path/"both/both.json").write_text("{}")
    (tmp_path/"edits.json").write_text(
        '{"schema": 1, "edits": {"../other": {"names": {"0": "x"}}, "content": {"names": {"0": "x"}}}}')
    with pytest.raises(ValueError, match="groupings by '../other'"):
        apply_edits(tmp_path/"both", tmp_path/"edits.json")
    assert not (tmp_path/"other/names.json").exists()


def test_a_name_is_no_formula_in_a_table(made, tmp_path, capsys):
    run, names = tmp_path/"run", {"0": "=cmd|' /C calc'!A0", "1": "wind = noise"}
    shutil.copytree(made/"run", run)
    (tmp_path/"edits.json").write_text(json.dumps(dict(schema=1, edits=dict(content=dict(names=names)))))
    assert main(["listen", str(run), "--edits", str(tmp_path/"edits.json"), "--max-clips", "3"]) == 0
    assert main(["export", str(run), "--to", "csv", "--out", str(tmp_path/"t.csv")]) == 0
    assert main(["export", str(run), "--to", "json", "--out", str(tmp_path/"t.json")]) == 0
    assert main(["assign", str(run), str(made/"sounds"), "--out", str(tmp_path/"a.csv"), "-q"]) == 0
    for file in run/"clusters.csv", tmp_path/"t.csv", tmp_path/"a.csv":
        t = pd.read_csv(file)
        assert {"'=cmd|' /C calc'!A0", "wind = noise"} <= set(t.name)
        assert not any(str(v)[:1] in "=+-@" for c in ("path", "name") for v in t[c])
    assert {"=cmd|' /C calc'!A0"} <= {r["name"] for r in json.loads((tmp_path/"t.json").read_text())}
    safe = {"=a": "'=a", "+a": "'+a", "-a": "'-a", "@a": "'@a", "\ta": "'\ta", "a=": "a=", "": ""}
    assert {text: spreadsheet_safe(text) for text in safe} == safe


def test_nothing_is_written_outside_of_an_export(made, tmp_path, monkeypatch):
    run = tmp_path/"a"/"run"
    shutil.copytree(made/"run", run)
    table(path=["/data/sounds/../../../escaped/x.wav"] + [f"/data/sounds/{i}.wav" for i in range(23)])(run)
    assert main(["export", str(run), "--to", "audacity", "--out", str(tmp_path/"a"/"b"/"out")]) == 0
    assert all(tmp_path/"a"/"b"/"out" in p.parents for p in tmp_path.rglob("*.txt") if run not in p.parents)


def test_a_terminal_is_not_led_astray(made, tmp_path, capsys):
    assert printable("a\x1b[31m\nb\u202e\u061cc\udcff\x9b") == "a\\x1b[31m\\nb\\u202e\\u061cc\\udcff\\x9b"
    assert printable("日本 é 🎵") == "日本 é 🎵"
    (tmp_path/"in").mkdir()
    (tmp_path/"in"/"bad\x1b[2J\r\n.wav").write_bytes(b"x")
    shutil.copy(next((made/"sounds").rglob("*.wav")), tmp_path/"in"/"good.wav")
    for command in (["assign", str(made/"run"), str(tmp_path/"in"), "--out", str(tmp_path/"a.csv")],
        ["duplicates", str(tmp_path/"in"), "--out", str(tmp_path/"d.csv")]):
        assert main(command) == 0
        said = capsys.readouterr()
        assert "\x1b" not in said.err + said.out and "bad\\x1b[2J\\r\\n.wav" in said.err
    assert pd.read_csv(tmp_path/"a.csv").path.str.endswith("good.wav").all()


def test_a_run_folder_gives_no_leave_to_run_the_code_of_a_model(tmp_path, monkeypatch):
    utils = pytest.importorskip("transformers.dynamic_module_utils")
    from audioclust.encoders.pretrained import trusting_code
    monkeypatch.setattr(utils, "HF_MODULES_CACHE", str(tmp_path/"modules"))
    monkeypatch.setattr("sys.path", list(sys.path))
    model, folder, harmed = tmp_path/"model", tmp_path/"run"/"model", tmp_path/"harmed"
    classes = dict(AutoConfig="harm.Config", AutoModel="harm.Model", AutoFeatureExtractor="harm.Front")
    write_json(dict(model_type="harm", auto_map=classes), model/"config.json")
    write_json(dict(feature_extractor_type="Front", auto_map=classes), model/"preprocessor_config.json")
    code = f"from pathlib import Path\nPath({str(harmed)!r}).touch()\nraise ValueError('it ran')\n"
    (model/"harm.py").write_text(code)
    record = {"class": "PretrainedEncoder", "name": str(model), "revision": None, "remote_code": True}
    write_json(record, folder/"encoder.json")
    with pytest.raises(ValueError, match="cannot give leave"): load_encoder(folder)
    assert not harmed.exists()
    with trusting_code(), pytest.raises(ValueError, match="it ran"): load_encoder(folder)
    assert harmed.exists()  # with leave it runs: so it would have, without the refusal
