# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .parser import main as main
