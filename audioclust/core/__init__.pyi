# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .estimator import Clusterer as Clusterer
from .files import atomic_write as atomic_write, read_csv as read_csv, shared_folder as shared_folder, write_table as write_table
