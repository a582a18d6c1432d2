# The face of the package: one module for each command. Read at import, and by type checkers.
from . import (
    assign as assign,
    cluster as cluster,
    compare as compare,
    demo as demo,
    duplicates as duplicates,
    embed as embed,
    encoders as encoders,
    export as export,
    listen as listen,
    similar as similar,
)
