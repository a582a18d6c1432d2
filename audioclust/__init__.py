__version__ = "0.1.0"

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["core", "audio", "metrics", "classical", "kmeans", "ensembles", "encoders", "training", "deepcluster",
                "spice", "published", "runs", "pipeline", "listen", "cli"],
    submod_attrs={"pipeline": ["AudioClusterer"]},
)
