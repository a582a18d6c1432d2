# Install audioclust as a command, in an environment of its own, with a Python of its own where there is none. Git is not needed.
#   powershell -ExecutionPolicy ByPass -File install.ps1            from its repository
#   powershell -ExecutionPolicy ByPass -File install.ps1 FOLDER     from a clone or a wheel
param([string]$From = "https://github.com/audioclust/audioclust/archive/refs/heads/main.zip")
$ErrorActionPreference = "Stop"
$env:Path = "$HOME\.local\bin;$env:Path"
if (-not (Get-Command uv -ErrorAction SilentlyContinue)) { Invoke-RestMethod https://astral.sh/uv/install.ps1 | Invoke-Expression }
uv tool install --python ">=3.10" "audioclust @ $From"
if ($LASTEXITCODE) { exit $LASTEXITCODE }
uv tool update-shell
Write-Output "Open a new terminal and type:  audioclust demo"
exit 0
