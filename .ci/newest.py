"""Try the installed package with the newest libraries that its requirements allow, whatever build of torch comes with them.

Prints the versions, imports every module, and fits each kind of method to sounds that it makes; `make newest` runs it.
"""
import importlib, pkgutil, platform, tempfile, warnings
from importlib.metadata import version

import audioclust
from audioclust.audio import synthetic_words
from audioclust.pipeline import AudioClusterer, Options

import torch

print(f"Python {platform.python_version()}, torch {torch.__version__} ({'CUDA ' + torch.version.cuda if torch.version.cuda else 'CPU build'}), "
      + ", ".join(f"{name} {version(name)}" for name in ("torchaudio", "fastai", "fastcore", "scikit-learn", "pandas", "numpy")))
warnings.simplefilter("ignore")
modules = [m.name for m in pkgutil.walk_packages(audioclust.__path__, "audioclust.") if not m.name.endswith("__main__")]
for name in modules: importlib.import_module(name)
with tempfile.TemporaryDirectory() as folder:
    synthetic_words(3, 2, 8).save(f"{folder}/words")
    brief = {"deepcluster": dict(epochs=1, passes=1, views=2),
             "nf-spice": dict(epochs=1, bs=16, views=2, head_epochs=2, heads=2, match_epochs=0, n_other=(2,))}
    for method in ("kmeans", "agglomerative", "hdbscan", "spectral", "consensus", "deepcluster", "nf-spice"):
        model = AudioClusterer(method, n_clusters=3, options=Options(params=brief.get(method), stability=0, num_workers=0)).fit(f"{folder}/words")
        assert len(model.labels_) == 48, method
    AudioClusterer(encoder="untrained", n_clusters=3).fit(f"{folder}/words")
print(f"newest: {len(modules)} modules import, and every method finds groups")
