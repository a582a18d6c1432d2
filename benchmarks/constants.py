"""All constants on which groups depend, in one file: benchmarks/constants.json.

    python benchmarks/constants.py            compare the file with the package; fail where they differ
    python benchmarks/constants.py --freeze   write the file anew
    python benchmarks/constants.py --moved F  compare with another such file by the names without their modules: what was moved has not changed

The file holds the default of each parameter of the classes, functions and option objects, and each constant of a module, of
the packages that embed and cluster. It was written before the recordings of results/unopened.csv were opened, and the result
tables made after that name a commit that has it. A change of a constant fails the tests until the file is written anew,
which shows in the history that results of before are of other constants.
"""
import argparse, inspect, json, re, sys
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

PACKAGES = "classical", "kmeans", "ensembles", "encoders", "training", "deepcluster", "nf_spice", "published", "runs", "pipeline"
FILE = Path(__file__).parent/"constants.json"


def plain(value):
    "A value as JSON holds it; None for what is no constant."
    if isinstance(value, str) and len(value.split()) > 3: return None # a message, on which no group depends
    if isinstance(value, (bool, int, float, str)): return value
    if is_dataclass(value) and not isinstance(value, type): return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (tuple, list)) and all(plain(v) is not None for v in value): return [plain(v) for v in value]
    if isinstance(value, dict) and all(isinstance(k, (str, int)) and plain(v) is not None for k,v in value.items()): return {str(k): plain(v) for k,v in value.items()}
    return None

def defaults(f):
    "Default of each parameter that has a plain one."
    try: parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError): return {}
    return {p.name: plain(p.default) for p in parameters if p.default is not p.empty and plain(p.default) is not None}

def modules(package):
    "Modules of a package, those of its folders too; stranger's models and data, which hold no constants, left out."
    module = import_module(f"audioclust.{package}")
    for info in iter_modules(module.__path__):
        name = f"{package}.{info.name}"
        if info.ispkg: yield from modules(name)
        else: yield import_module(f"audioclust.{name}")

def constants():
    "Name → value, or name of a class or function → its defaults."
    found = {}
    for package in PACKAGES:
        for module in modules(package):
            for name,value in vars(module).items():
                own = getattr(value, "__module__", None) == module.__name__
                if own and (inspect.isclass(value) or inspect.isfunction(value)) and not name.startswith("_"): kept = defaults(value)
                elif re.fullmatch(r"_?[A-Z][A-Z0-9_]+", name): kept = plain(value)
                else: continue
                if kept not in (None, {}): found[f"{module.__name__.removeprefix('audioclust.')}.{name}"] = kept
    return dict(sorted(found.items()))

def differences(frozen, now):
    "Lines that say what changed."
    return [f"{name}: {frozen.get(name, 'not there')} in the file, {now.get(name, 'not there')} in the package" for name in sorted({*frozen, *now}) if frozen.get(name) != now.get(name)]

def moved(frozen, now):
    "Lines that say what differs when the module of each name is left out, so that code that was only moved does not count."
    def by_name(found):
        names = {}
        for name, value in found.items():
            if plain(value) is not None: names.setdefault(name.rsplit(".", 1)[1], []).append(json.dumps(value, sort_keys=True))
        return {name: sorted(values) for name, values in names.items()}
    before, after = by_name(frozen), by_name(json.loads(json.dumps(now)))
    return [f"{name}: {before.get(name, 'not there')} before, {after.get(name, 'not there')} now"
            for name in sorted({*before, *after}) if before.get(name) != after.get(name)]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--freeze", action="store_true")
    p.add_argument("--moved", metavar="FILE")
    args, now = p.parse_args(), constants()
    if args.moved: return print("\n".join(moved(json.loads(Path(args.moved).read_text(encoding="utf-8")), now)) or "no value differs")
    if args.freeze: return FILE.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    found = differences(json.loads(FILE.read_text(encoding="utf-8")), now)
    if found: sys.exit("\n".join([*found, "results of before are of other constants: write the file anew (--freeze), and say so in the changelog"]))


if __name__ == "__main__": main()
