"Names of files that are no text stay whole, also where pandas could keep its texts in Arrow's memory."
import subprocess, sys

CODE = """
import pyarrow, pandas as pd
before = pd.get_option("mode.string_storage")
import audioclust.core.files
odd = b"latin \\xe9.wav".decode(errors="surrogateescape")
assert list(pd.DataFrame(dict(path=[odd, "b"])).path) == [odd, "b"]
pd.set_option("mode.string_storage", "pyarrow")
import importlib; importlib.reload(audioclust.core.files)
assert pd.get_option("mode.string_storage") == "pyarrow" # what somebody chose stays
"""

def test_a_name_that_is_no_text():
    subprocess.run([sys.executable, "-c", CODE], check=True)
