"Flat names of parameters, and the option objects that hold them."
from dataclasses import dataclass

import pytest

from audioclust.core.registry import METHODS, flat_names, flat_params, make_clusterer, set_flat_params, split_options


@dataclass(frozen=True)
class Training:
    epochs: int = 10
    lr: float = 2e-3

@dataclass(frozen=True)
class Network:
    backbone: str = "small"

class Method:
    def __init__(self, n_clusters=10, *, training=Training(), network=Network(), device=None):
        self.n_clusters, self.training, self.network, self.device = n_clusters, training, network, device


def test_flat_names_go_into_option_objects_and_come_out_again():
    assert flat_names(Method) == ["n_clusters", "epochs", "lr", "backbone", "device"]
    assert split_options(Method, {}) == {}
    assert split_options(Method, dict(lr=.1, device="cpu")) == dict(training=Training(lr=.1), device="cpu")
    given = dict(training=Training(epochs=3, lr=1.), backbone="large", lr=.1)
    arguments = split_options(Method, given)
    assert arguments == dict(training=Training(epochs=3, lr=.1), network=Network("large")) and given["lr"] == .1
    assert list(flat_params(arguments).items()) == [("backbone", "large"), ("epochs", 3), ("lr", .1)]
    assert split_options(Method, flat_params(arguments)) == arguments


def test_make_clusterer_takes_flat_names_only():
    METHODS.register("example", Method)
    try:
        model = make_clusterer("example", 4, lr=.1, backbone="large")
        assert (model.n_clusters, model.training, model.network) == (4, Training(lr=.1), Network("large"))
        said = "no parameter 'training'; it has n_clusters, epochs, lr, backbone, device"
        with pytest.raises(ValueError, match=said): make_clusterer("example", training=Training())
    finally: METHODS.unregister("example")


def test_flat_names_are_set_and_what_was_set_before_stays():
    class Estimator(Method):
        def get_params(self, deep=True): return dict(vars(self))
        def set_params(self, **params):
            vars(self).update(params)
            return self
    model = set_flat_params(Estimator(training=Training(epochs=3)), lr=.5, n_clusters=4)
    assert (model.n_clusters, model.training, model.network) == (4, Training(epochs=3, lr=.5), Network())
