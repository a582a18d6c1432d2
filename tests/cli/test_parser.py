"The command line: help, options, errors in one line, and exit statuses."
import importlib
import os
import signal
import subprocess
import sys
import time
from argparse import Namespace

import pytest

from audioclust.cli import main
from audioclust.cli.parser import COMMANDS, error_text

HEAVY = "torch", "fastai", "pandas", "matplotlib", "sklearn"


def run(*args, cwd=None, **env):
    typed = [sys.executable, "-m", "audioclust", *map(str, args)]
    return subprocess.run(typed, capture_output=True, text=True, cwd=cwd, env={**os.environ, **env})


def test_help_fits_two_screens_and_shows_the_rest_where_it_is_asked_for():
    short, full = run("cluster", "--help", COLUMNS="80"), run("cluster", "--help-all", COLUMNS="80")
    assert short.returncode == full.returncode == 0
    assert len(short.stdout.splitlines()) <= 80
    for text in ("--max-memory", "--like", "meanshift"): assert text in full.stdout and text not in short.stdout
    version = run("--version")
    assert version.returncode == 0 and version.stdout.startswith("audioclust ")
    assert run().returncode == 2


def test_nothing_heavy_is_imported_to_help_or_to_refuse():
    typed = [["--version"], ["--help"], ["export"], *([name, "--help"] for name in COMMANDS)]
    code = f"""
import sys
from audioclust.cli import main
for typed in {typed}:
    try: main(typed)
    except SystemExit: pass
    assert not {{*{HEAVY}}} & {{*sys.modules}}, typed
"""
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)


WRONG = [
    ("--n-clusters", "many", "whole number above 0"), ("--n-clusters", "5000", "only 192 clips"),
    ("--window", "-1", "above 0 of seconds"), ("--method", "magic", "invalid choice"),
    ("--ignore", "colour", "choose from order"), ("--rate", "100", "from 2000 to 192000"),
    ("--labels", "zebra(", "not a regular expression"), ("--labels", "zebra", "match none"),
    ("--hop", "1", "hop needs window"), ("--device", "abacus", "abacus"), ("--device", "meta", "not supported"),
    ("--set", "eps", "NAME=VALUE"), ("--set", "n_clusters=5", "argument of its own"), ("--set", "tol=None", "tol"),
    ("--set", "colour=1", "no parameter 'colour'")]

@pytest.mark.parametrize("option, value, said", WRONG)
def test_wrong_options(words, tmp_path, capsys, option, value, said):
    folder, _ = words
    try: status = main(["cluster", str(folder), "--out", str(tmp_path/"run"), "--method=kmeans", option, value])
    except SystemExit as e: status = e.code
    err = capsys.readouterr().err
    assert status == 2 and said in err and "Traceback" not in err
    assert not (tmp_path/"run").exists()


def test_two_dashes_are_no_value(words, tmp_path, capsys):
    with pytest.raises(SystemExit): main(["cluster", str(words), f"--out={tmp_path/'run'}", "--encoder=--"])
    assert "-- is no value" in capsys.readouterr().err and not (tmp_path/"run").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("name, status", [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_interrupted(tmp_path, name, status):
    # a shell starts what it puts in the background with SIGINT ignored, and nohup ignores SIGHUP, so both are set anew
    code = f"""
import os, signal, sys, time
from audioclust.cli import main
from audioclust.cli.commands import encoders
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
def wait(args):
    os.kill(os.getpid(), signal.{name})
    time.sleep(5)
encoders.run = wait
sys.exit(main(["encoders"]))
"""
    r = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert r.returncode == status and r.stderr == "audioclust: interrupted\n"


def test_a_signal_that_comes_during_an_import_waits_for_its_end(tmp_path, monkeypatch, capsys):
    """An exception would be lost in a callback of the import, or abort the process where torch is half there.
    One line says at once that the command will end."""
    (tmp_path/"slow_to_load.py").write_text("import signal, sys, time\nsignal.raise_signal(signal.SIGTERM)\n"
        "print('still loading', file=sys.stderr)\ntime.sleep(.2)\nis_whole = True\n") # the signal is sent again
    monkeypatch.syspath_prepend(tmp_path)
    def load(args):
        importlib.import_module("slow_to_load")
        time.sleep(5)
    monkeypatch.setattr("audioclust.cli.commands.encoders.run", load)
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)  # what runs in the background may ignore it
    assert main(["encoders"]) == 143
    assert capsys.readouterr().err.splitlines() == ["audioclust: it ends as soon as its libraries are loaded", "still loading",
                                                    "audioclust: interrupted"]
    assert sys.modules.pop("slow_to_load").is_whole and signal.signal(signal.SIGTERM, before) == signal.SIG_DFL


def test_a_command_that_ends_with_its_imports_leaves_no_signal_behind(tmp_path, monkeypatch, capsys):
    "It came to the interpreter on its way out, and was printed with a traceback."
    (tmp_path/"last_to_load.py").write_text("import signal\nsignal.raise_signal(signal.SIGINT)\n")
    monkeypatch.syspath_prepend(tmp_path)
    def load(args):
        importlib.import_module("last_to_load")
        return 0
    monkeypatch.setattr("audioclust.cli.commands.encoders.run", load)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main(["encoders"]) == 0
        time.sleep(.2)
    except KeyboardInterrupt: pytest.fail("the signal came after the command")
    finally: signal.signal(signal.SIGINT, before)


def test_an_error_of_ours_says_its_type_and_where_to_look(tmp_path):
    assert "this should not happen (KeyError: 'x'; -v says where)" == error_text(KeyError("x"), Namespace())
    (tmp_path/"run.json").touch()
    assert f"the run in {tmp_path} is damaged" in error_text(KeyError("x"), Namespace(run=str(tmp_path)))


@pytest.mark.draws
def test_demo(tmp_path, capsys):
    demo = tmp_path/"demo"
    for name in "notes.txt", "words-by-source/old.txt", ".audioclust-demo": # an earlier demo's, and somebody's file
        (demo/name).parent.mkdir(parents=True, exist_ok=True)
        (demo/name).write_text("keep")
    assert main(["demo", "--out", str(demo), "-q"]) == 0
    said = capsys.readouterr().out
    for name in ("families-by-content", "words-by-content", "words-by-source"):
        assert (demo/name/"figures/map.png").is_file()
    assert "words" in said and str(demo) in said
    assert (demo/"notes.txt").exists() # its own results it may replace, nothing else
    assert not (demo/"words-by-source/old.txt").exists()
