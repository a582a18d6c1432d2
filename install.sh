#!/bin/sh
# Install audioclust as a command, in an environment of its own, with a Python of its own where there is none. Git is not needed.
#   sh install.sh            from its repository
#   sh install.sh FOLDER     from a clone or a wheel
set -eu
PATH="$HOME/.local/bin:$PATH"
command -v uv >/dev/null || curl -LsSf https://astral.sh/uv/install.sh | sh
uv tool install --python '>=3.10' "audioclust @ ${1:-https://github.com/audioclust/audioclust/archive/refs/heads/main.zip}"
uv tool update-shell || true
echo "Open a new terminal and type:  audioclust demo"
