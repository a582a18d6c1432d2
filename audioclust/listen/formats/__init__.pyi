# The face of the package: names that other packages use.
from .new_clips import check_place as check_place
