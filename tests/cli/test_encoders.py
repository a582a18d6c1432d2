"audioclust encoders --install: what it runs, and in which environment."
import subprocess
import sys

import pytest

from audioclust import encoders
from audioclust.cli.commands import encoders as command
from audioclust.cli.parser import parser_of

WANTED = "pip install --no-deps voices==1.2"


@pytest.fixture
def install(monkeypatch):
    "Install what is wanted, where pip or uv is found: the exit status, and the programs that were started."
    def installed(wanted=WANTED, **there):
        started = []
        monkeypatch.setattr(encoders, "install_command", lambda: wanted)
        monkeypatch.setattr("importlib.util.find_spec", there.get)
        monkeypatch.setattr("shutil.which", there.get)
        monkeypatch.setattr(subprocess, "run", lambda words: started.append(words) or subprocess.CompletedProcess(words, 7))
        return command.run(parser_of("encoders").parse_args(["--install"])), started
    return installed


def test_pip_of_this_environment_installs_or_uv_into_it(install, capsys):
    assert install(pip=True, uv="/bin/uv") == (7, [[sys.executable, "-m", "pip", *WANTED.split()[1:]]])
    assert capsys.readouterr().out == WANTED + "\n"
    assert install(uv="/bin/uv")[1] == [["/bin/uv", *WANTED.split(), "--python", sys.executable]]


def test_where_there_is_neither_or_nothing_to_install_nothing_is_started(install, capsys):
    with pytest.raises(ValueError, match=WANTED): install()
    assert install("", pip=True) == (0, []) and "installed" in capsys.readouterr().out


def test_encoders_of_others_are_listed(stranger, capsys):
    assert command.run(parser_of("encoders").parse_args([])) == 0
    assert "\nstranger          for this test\n" in capsys.readouterr().out
