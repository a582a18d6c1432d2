__version__ = "0.1.0"

# Submodules are imported when they are first used, so `import audioclust` stays quick.
_modules = tuple("anchors answer assign audio augment auto both bounds cache choose classical cli coarse commands compare consensus contrastive counts crossed datasets deepcluster density duplicates effects em encoders errands estimators even evidence exports figures frontend guidance heads kept kmeans listen loaders logmels members methods metrics modes moved names nearest neighbours networks pictures pipeline pretrained processes pseudolabels refined rows runs search semi sources spectral spice stability stopped stream synthetic terminal training trees whiten within".split())

def __getattr__(name):
    if name in _modules:
        from importlib import import_module
        return import_module(f"audioclust.{name}")
    raise AttributeError(f"module 'audioclust' has no attribute {name!r}")

def __dir__(): return sorted([*globals(), *_modules])
