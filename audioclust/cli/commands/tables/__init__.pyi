# The face of the package, read at import and by type checkers.
from . import (
    diff as diff,
)
