"audioclust encoders --install: what it runs, and in which environment."
import subprocess
import sys

from audioclust import encoders
from audioclust.cli import main
from audioclust.cli.commands import encoders as command
from audioclust.cli.parser import parser_of

WANTED = "pip install --no-deps voices==1.2 music==0.1.0"


def ran(monkeypatch, wanted=WANTED, **there):
    "The programs that `--install` starts; `there`: is pip, is uv found?"
    started = []
    monkeypatch.setattr(encoders, "install_command", lambda: wanted)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: there.get(name))
    monkeypatch.setattr("shutil.which", lambda name: there.get(name))
    def run(words):
        started.append(words)
        return subprocess.CompletedProcess(words, 7)
    monkeypatch.setattr(subprocess, "run", run)
    args = parser_of("encoders").parse_args(["--install"])
    return command.run(args), started


def test_pip_of_this_environment_installs(monkeypatch, capsys):
    status, started = ran(monkeypatch, pip=True, uv="/bin/uv")
    assert (status, started) == (7, [[sys.executable, "-m", "pip", "install", "--no-deps", "voices==1.2", "music==0.1.0"]])
    assert capsys.readouterr().out == WANTED + "\n"


def test_uv_installs_where_there_is_no_pip(monkeypatch):
    _, started = ran(monkeypatch, uv="/bin/uv")
    assert started == [["/bin/uv", "pip", "install", "--no-deps", "voices==1.2", "music==0.1.0", "--python", sys.executable]]


def test_neither_pip_nor_uv(monkeypatch, capsys):
    monkeypatch.setattr(encoders, "install_command", lambda: WANTED)
    monkeypatch.setattr(command, "importlib", type("none", (), {"util": type("none", (), {"find_spec": lambda name: None})}))
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert main(["encoders", "--install"]) == 2
    assert WANTED in capsys.readouterr().err


def test_nothing_is_left_to_install(monkeypatch, capsys):
    status, started = ran(monkeypatch, wanted="", pip=True)
    assert (status, started) == (0, [])
    assert "installed" in capsys.readouterr().out
