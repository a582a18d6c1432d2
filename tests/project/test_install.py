"The ways to install that no other test walks, with stand-ins for the programs that they start."
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
no_shell = sys.platform == "win32" or not (ROOT/"Dockerfile").is_file()
pytestmark = pytest.mark.skipif(no_shell, reason="needs a checkout and a shell")


def said(command, folder, **programs):
    "What a command prints in a folder where these programs do what their shell lines say."
    (folder/"bin").mkdir(exist_ok=True)
    for name,line in programs.items():
        (folder/"bin"/name).write_text(f"#!/bin/sh\n{line}\n")
        (folder/"bin"/name).chmod(0o755)
    where = {"PATH": f"{folder/'bin'}:{os.environ['PATH']}", "HOME": str(folder)}
    return subprocess.run(command, cwd=folder, env=where, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("user", [0, 1000])
def test_the_container_writes_as_the_owner_of_the_folder(tmp_path, user):
    (line,) = re.findall("(?m)^ENTRYPOINT (.*)", (ROOT/"Dockerfile").read_text(encoding="utf-8"))
    owner, group = 1234, 5678
    found = said([*json.loads(line), "cluster", "a b"], tmp_path, id=f"echo {user}", audioclust='echo "$#" "$@"', setpriv='echo setpriv "$@"',
                 stat=f'case "$2" in %u) echo {owner};; %g) echo {group};; esac')
    expected = "2 cluster a b" if user else f"setpriv --reuid {owner} --regid {group} --clear-groups audioclust cluster a b"
    assert found == [expected]


def test_the_scripts_install_the_archive_or_what_is_named(tmp_path):
    script, uv = ["sh", str(ROOT/"install.sh")], 'echo "uv $*"; test "$2" != update-shell'
    archive = "https://github.com/audioclust/audioclust/archive/refs/heads/main.zip"
    first, _, last = said(script, tmp_path, uv=uv)
    assert first == f"uv tool install --python >=3.10 audioclust @ {archive}" and last.endswith("audioclust demo")
    assert said([*script, "a.whl"], tmp_path, uv=uv)[0].endswith("audioclust @ a.whl")
    windows = (ROOT/"install.ps1").read_text(encoding="utf-8")
    assert f'$From = "{archive}"' in windows and 'uv tool install --python ">=3.10" "audioclust @ $From"' in windows
