# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .original_deepcluster import PublishedDeepCluster as PublishedDeepCluster
from .spice import PublishedOptions as PublishedOptions, SPICE as SPICE
from .scan import SCAN as SCAN, ScanOptions as ScanOptions
