"""Any command line ends in a result, or in one line that says why.

Options are those that the parser knows, and values make sense or do not."""
import contextlib
import hashlib
import io
import os
import re
import shutil
import tempfile
import warnings
from pathlib import Path

import pytest
from hypothesis import given, HealthCheck, seed, settings, strategies as st

from audioclust.audio import synthetic_words
from audioclust.cli import main
from audioclust.cli.parser import COMMANDS, parser_of

SEED = int(os.environ.get("AUDIOCLUST_FUZZ_SEED", 0)) # that of the nightly job is the date
TABLE, RUN = "{world}/labels.csv", ["{tmp}/run"]*5 + ["{world}/sounds", "{world}/nothing"]
PLACES = ["{tmp}/new", "{tmp}/new.csv", "{tmp}/run"]
VALUES = { # of an option, or of what a command needs: those that make sense
    "n_clusters": ["1", "3", "24", "auto", "2,3"], "method": ["kmeans", "hdbscan", "consensus", "spectral"],
    "encoder": ["fixed", "untrained"], "window": ["0.1", "5"], "hop": ["0.1"], "ignore": ["order,level", "pitch"],
    "event": ["low=300", "edge=1"], "rate": ["8000"], "stability": ["2"],
    "set": ["eps=0.4", "linkage='average'", "x=1"],
    "labels": ["parent", r"word(\d)", TABLE], "clips": [TABLE], "seeds": [TABLE, "{world}/run"],
    "edits": ["{world}/edits.json"], "query": ["{world}/sounds"],
    "folder": ["{world}/sounds"]*5 + ["{world}/sounds/*/*.wav", "{world}/sounds/broken.wav"],
    "run": RUN, "before": RUN, "now": RUN, "grow": RUN, "config": RUN,
    "out": PLACES, "page": PLACES, "delete_list": PLACES}
ODD = ["", "0", "-1", "1e9", "nan", "x", "é\n", "--", "{world}/nothing", "{world}/edits.json", "/dev/null", "3,3",
    "\x1b[31m", "=1+1", "9"*30]
NOT_DRAWN = {"help", "help_all", "verbose", "quiet", "remote_code", "workers", "epochs", "cache"}


@st.composite
def command_lines(draw):
    "The words of a command: what it needs, and up to three options, one in five with a value that makes no sense."
    command = draw(st.sampled_from([*(name for name in COMMANDS if name != "demo"), *["cluster"]*6]))
    actions = [a for a in parser_of(command)._actions if a.dest not in NOT_DRAWN]
    needed = [a for a in actions if a.required or not a.option_strings]
    further = [a for a in actions if a not in needed]
    chosen = draw(st.lists(st.sampled_from(further), max_size=3, unique=True)) if further else []
    words = [command]
    for action in [*needed, *chosen]:
        sensible = VALUES.get(action.dest) or list(action.choices or ())
        is_odd = not sensible or sensible is not PLACES and action in chosen and draw(st.integers(0, 4)) == 4
        value = draw(st.sampled_from(ODD if is_odd else sensible))
        if not action.option_strings: words.append(value)
        else: words.append(action.option_strings[-1] + (f"={value}" if action.nargs != 0 else ""))
    return words


def status_of(words):
    "Status of a command, and what it says on stderr."
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try: status = main(words)
        except SystemExit as e: status = e.code
    return status, said.getvalue()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    "Sounds, tables, edits and a run."
    folder = tmp_path_factory.mktemp("world")
    synthetic_words(2, 2, 3).save(folder/"sounds")
    (folder/"sounds/broken.wav").write_bytes(b"RIFF")
    (folder/"edits.json").write_text('{"schema": 1, "edits": {"content": {"names": {"0": "wren"}}}}')
    paths = sorted((folder/"sounds").rglob("word*.wav"))
    (folder/"labels.csv").write_text("path,start,end,label\n" + "".join(f"{p},0,0.3,{p.parent.name}\n" for p in paths))
    made = ["cluster", str(folder/"sounds"), "--out", str(folder/"run"), "--n-clusters", "2", "--stability", "0"]
    assert status_of([*made, "--no-page", "--cache", str(folder/"cache")])[0] == 0
    return folder


def files(folder):
    "Path → hash of what is in a folder, but for the cache."
    return {p: hashlib.blake2b(p.read_bytes()).digest() for p in folder.rglob("*")
        if p.is_file() and folder/"cache" not in p.parents}


def carried_out(words, world):
    "The status of a command line; an error where it breaks a rule."
    before, home = files(world), os.getcwd()
    with tempfile.TemporaryDirectory() as tmp:
        shutil.copytree(world/"run", Path(tmp)/"run")
        typed = [word.replace("{world}", str(world)).replace("{tmp}", tmp) for word in words]
        if words[0] == "cluster": typed += ["--no-page", f"--cache={world/'cache'}"]
        os.chdir(tmp)
        try: status, said = status_of(typed)
        finally: os.chdir(home)
        assert status in (0, 2) and "Traceback" not in said and "should not happen" not in said, (status, said)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f]", said), "control characters"
        assert len(re.findall("^audioclust.*: ", said, re.M)) == (status == 2), (status, said)
        temporary = [p for p in Path(tmp).rglob("*") if p.suffix == ".tmp" or p.name == ".lock"]
        assert not temporary, "a temporary file is left"
    assert files(world) == before, "something was changed that was there"
    return status


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n", [15, pytest.param(250, marks=pytest.mark.slow)])
def test_any_command_line_ends_in_a_result_or_in_one_line(world, n):
    print(f"AUDIOCLUST_FUZZ_SEED={SEED} repeats this")
    statuses = []
    @seed(SEED)
    @settings(max_examples=n, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False)
    @given(command_lines())
    def each(words): statuses.append(carried_out(words, world))
    each()
    assert len(statuses) >= n and statuses.count(0) > n//8
