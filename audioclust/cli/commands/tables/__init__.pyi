# The face of the package, read at import and by type checkers.
from . import (
    count as count,
    diff as diff,
)
