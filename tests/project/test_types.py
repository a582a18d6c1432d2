"Types: public functions say them, a type checker is content with the package, and the stubs are in step."
import ast, importlib, inspect, subprocess, sys, textwrap
from pathlib import Path

import pytest

import audioclust

root = Path(__file__).parents[2]
checkout = pytest.mark.skipif(not (root/".ci/typed.py").is_file(), reason="needs the checkout")


def public(module):
    "The public functions of a module by name, methods that @patch adds among them; without what a library's base class has named already."
    for name in module.__all__:
        o = getattr(module, name)
        if not inspect.isclass(o):
            if inspect.isfunction(f := inspect.unwrap(o)): yield name, f
            continue
        theirs = {k for base in o.__mro__ if not base.__module__.startswith("audioclust") for k in vars(base)} - {"__init__", "__call__", "fit", "transform", "predict", "score"}
        for k,f in vars(o).items():
            f = inspect.unwrap(getattr(f, "fget", None) or getattr(f, "__func__", f))
            if inspect.isfunction(f) and f.__module__.startswith("audioclust") and k not in theirs and (not k.startswith("_") or k in ("__init__", "__call__")): yield f"{name}.{k}", f


def gives(node):
    "Does a function return or yield something?"
    for n in ast.iter_child_nodes(node):
        if isinstance(n, (ast.FunctionDef, ast.Lambda, ast.ClassDef)): continue
        if isinstance(n, (ast.Yield, ast.YieldFrom)) or isinstance(n, ast.Return) and n.value is not None and ast.unparse(n.value) != "None" or gives(n): return True
    return False


def untold(name, f):
    "What a function does not say: the type of a parameter, what a parameter is for, in a comment on its line, the type of what comes back."
    source = textwrap.dedent(inspect.getsource(f)); lines = source.splitlines(); node = ast.parse(source).body[0]
    if not isinstance(node, ast.FunctionDef) or f.__name__ == "encodes": return  # which fastcore calls by its annotations
    args = [a for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs) if a.arg not in ("self", "cls")]
    if len(node.args.args) and "@patch" in source: args = [a for a in args if a is not node.args.args[0]]
    for a in args:
        if a.arg == "y" and f.__defaults__: continue  # scikit-learn's place for labels, ignored
        if a.annotation is None: yield f"{name}: what type has {a.arg}?"
        if "#" not in lines[a.end_lineno-1]: yield f"{name}: what is {a.arg} for?"
    if node.returns is None and gives(node): yield f"{name}: what type comes back?"


@pytest.mark.parametrize("module", audioclust._modules)
def test_public_functions_say_their_types(module):
    m = importlib.import_module(f"audioclust.{module}")
    assert [u for name,f in public(m) for u in untold(name, f)] == []


@pytest.fixture(scope="module")
def typed():
    pytest.importorskip("mypy")
    sys.path.insert(0, str(root/".ci"))
    import typed
    return typed

@pytest.fixture(scope="module")
def faults(typed, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return lambda one=TestChecker.ONE, two=TestChecker.TWO: typed.check(dict(one=one, two=two), tmp_path_factory.mktemp("copy"), cache=cache)


@checkout
class TestChecker:
    "What .ci/typed.py does, on small packages; `make types` has it check the whole."
    ONE = """
# %% ../nbs/10_one.ipynb #aaaa
from fastcore.basics import patch

class One:
    "A thing."
    def __init__(self, n:int): self.n = n

# %% ../nbs/10_one.ipynb #bbbb
@patch
def double(self:One)->int:
    "Twice."
    self.seen_ = True
    return 2*self.n

@patch(as_prop=True)
def size(self:One)->int: return self.n
"""
    TWO = """
# %% ../nbs/20_two.ipynb #cccc
from pathlib import Path
from fastcore.basics import patch

from .one import One

# %% ../nbs/20_two.ipynb #dddd
@patch(cls_method=True)
def load(cls:One, path:Path|None=None)->One:
    return cls(3)

def use(one:One)->int: return one.double() + one.size + One.load(Path("x")).n
"""

    def test_patched_methods_are_understood(self, faults): assert faults() == []

    @pytest.mark.parametrize("old, new, fault", [("one.double()", "one.doubled()", 'nbs/20_two.ipynb cell dddd line 5 (audioclust/two.py:13): error: "One" has no attribute "doubled"'),
        ("+ one.size", "+ one.size()", 'nbs/20_two.ipynb cell dddd line 5 (audioclust/two.py:13): error: "int" not callable'), ('Path("x")', "3", 'nbs/20_two.ipynb cell dddd line 5 (audioclust/two.py:13): error: Argument 1 to "load" of "One" has incompatible type "int"'),
        ("cls(3)", 'cls("3")', 'nbs/20_two.ipynb cell dddd line 3 (audioclust/two.py:11): error: Argument 1 to "One" has incompatible type "str"'), ("2*self.n", "2*self.m", 'nbs/10_one.ipynb cell bbbb line 5 (audioclust/one.py:14): error: "One" has no attribute "m"'),
        ("n:int)", "n:int=None)", 'nbs/10_one.ipynb cell aaaa line 5 (audioclust/one.py:7): error: Incompatible default')])
    def test_a_wrong_module_is_found_by_cell_and_line(self, faults, old, new, fault):
        found = faults(self.ONE.replace(old, new), self.TWO.replace(old, new))
        assert found and found[0].startswith(fault)

    @pytest.mark.parametrize("asked, python", [(">=3.12", "3.12"), (">=3.11,<3.15", "3.11"), (">= 3.9", "3.10"), ("<4", "3.10")])
    def test_numpy_says_for_which_python_its_types_are(self, typed, asked, python):
        assert typed.oldest(asked) == python
        assert sys.version_info[:2] >= tuple(map(int, typed.oldest().split(".")))

    def test_the_command_fails_on_a_wrong_module(self, tmp_path):
        pytest.importorskip("mypy")
        for name in (".ci", "audioclust"): (tmp_path/name).mkdir()
        for name in (".ci/typed.py", "pyproject.toml"): (tmp_path/name).write_text((root/name).read_text())
        run = lambda: subprocess.run([sys.executable, tmp_path/".ci/typed.py"], capture_output=True, text=True)
        (tmp_path/"audioclust/one.py").write_text(self.ONE)
        assert (good := run()).returncode == 0 and good.stdout.endswith("types: 1 modules, 0 faults\n")
        (tmp_path/"audioclust/one.py").write_text(self.ONE + "\nOne('x')\n")
        assert (bad := run()).returncode == 1 and "audioclust/one.py" in bad.stdout and "1 faults" in bad.stdout

    def test_stubs_hold_patched_methods_and_attributes(self, typed, tmp_path):
        made = typed.stubs(dict(one=self.ONE, two=self.TWO), tmp_path)
        assert set(made) == {"one"}
        for line in ("def double(self) -> int: ...", "@property\n    def size(self) -> int: ...", "@classmethod\n    def load(cls, path: Path | None = ...) -> One: ...", "seen_: "): assert line in made["one"]

    def test_stubs_are_in_step(self, typed, tmp_path):
        "`make readme` writes them."
        assert typed.stubs(typed.modules(), tmp_path) == {p.stem: p.read_text(encoding="utf-8") for p in (root/"audioclust").glob("*.pyi")}

    def test_the_checker_of_a_user_sees_patched_methods(self, typed, tmp_path):
        "Other packages are left out, to be quick."
        (tmp_path/"user.py").write_text("from audioclust.pipeline import AudioClusterer\nm = AudioClusterer(n_clusters='auto').fit('x')\nreveal_type(m)\nreveal_type(m.predict)\nreveal_type(m.assign('y', []))\nreveal_type(AudioClusterer.load('run'))\nm.save()\nm.keep_ids(3, 4)\nAudioClusterer(window='3')\n")
        (tmp_path/"mypy.ini").write_text("[mypy]\n" + "\n".join(f"[mypy-{p}.*]\nfollow_imports = skip\nfollow_imports_for_stubs = True" for p in ("numpy", "pandas", "torch", "sklearn", "fastcore", "scipy")))
        r = subprocess.run([sys.executable, "-m", "mypy", "--cache-dir", tmp_path/"cache", "user.py"], cwd=tmp_path, capture_output=True, text=True, env={"MYPYPATH": str(root), "PYTHONPATH": ":".join(sys.path), "PATH": ""})
        lines = {int(l.split(":")[1]): l for l in r.stdout.splitlines() if l.startswith("user.py")}
        for n, says in {3: "audioclust.pipeline.AudioClusterer", 4: "def (source:", 6: "audioclust.pipeline.AudioClusterer", 7: 'Missing positional argument "path"', 8: "Too many arguments", 9: 'incompatible type "str"; expected "float | None"'}.items(): assert says in lines[n], r.stdout + r.stderr
        assert 2 not in lines and "error" not in lines[5]


class TestMoved:
    @pytest.mark.parametrize("module, name, home", [("pipeline", "METHODS", "methods"), ("pipeline", "method_class", "methods"), ("pipeline", "load_clusterer", "kept"), ("pipeline", "load_whitening", "kept"), ("pipeline", "save_figure", "kept"), ("cli", "table_text", "terminal"), ("cli", "score_run", "commands"),
                                                    ("deepcluster", "balanced", "pseudolabels"), ("deepcluster", "Say", "training"), ("spice", "AsIs", "answer")])
    def test_an_old_import_works_and_says_the_new_one(self, module, name, home):
        with pytest.warns(DeprecationWarning, match=f"audioclust.{module}.{name} is audioclust.{home}.{name} now") as said: exec(f"from audioclust.{module} import {name}", got := {})
        assert got[name] is getattr(importlib.import_module(f"audioclust.{home}"), name)
        assert len(said) == 1 and said[0].filename == "<string>"  # the line that asks, not one of ours

    def test_a_name_that_never_was_is_not_there(self):
        with pytest.raises(ImportError): exec("from audioclust.pipeline.clusterer import nothing")

    def test_nothing_of_ours_asks_for_an_old_name(self):
        code = "import audioclust\nfor m in audioclust._modules: getattr(audioclust, m)"
        r = subprocess.run([sys.executable, "-W", "error:audioclust:DeprecationWarning", "-c", code], capture_output=True, text=True)
        assert r.returncode == 0, r.stderr
        for old in ("METHODS", "method_class", "load_clusterer", "load_whitening", "save_figure"):
            for p in Path(audioclust.__file__).parent.glob("*.py"): assert f"pipeline.{old}" not in p.read_text(encoding="utf-8")
