"""Eight small specs which together use every feature of a run, and two that fail.

A spec takes a second or two. What it reaches must not depend on the last bit of a number, because
the committed reference is compared on other processors: learning rates are either small or so
large that an arm diverges at once, and targets are far from what is measured beside them.
"""

from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]

OWN_IMAGES = "levels"
"""Name of the folder of own images that :func:`scripts.behaviour.trees.data_folder` writes."""

_SMALL_MAPS = {
    "name": "shortest_path",
    "data": {"name": "terrain", "height": 5, "width": 6, "train_maps": 30, "test_maps": 10},
    "model": {"name": "tile_cnn", "channels": 4},
}
_SMALL_MLP = {"name": "mlp", "hidden": [16, 8]}
_SMOOTH = {"optimizer": "sgd", "lr": 1e-3}
"""For a large network: Adam takes whole steps along gradients that are nothing but rounding."""


@dataclass(frozen=True)
class Case:
    """One spec and how it is run.

    Attributes:
        name: as it is reported.
        spec: as a user would post it; defaults are left to the tree.
        resume: steps whose snapshots the run is gone on from once more.
        stop: step after whose evaluation the run is stopped; None lets it end.
    """

    name: str
    spec: Spec
    resume: tuple[int, ...] = ()
    stop: int | None = None


def _hessian(label: str, **more: Any) -> dict[str, Any]:
    return {"label": label, "curvature": "hessian", **more}


RANKING = Case(
    "ranking",
    {
        "task": {"name": "ranking", "n": 4, "test_sets": 40, "model": _SMALL_MLP},
        "loss": {"name": "neuralsort", "temperature": 0.5},
        "arms": [
            {"lr": 3e-4},
            _hessian("", tikhonov=1.0),
            _hessian("per sample", hessian="per_sample", definiteness="clip"),
            _hessian("saddle-free", definiteness="saddle_free", optimizer="sgd", lr=0.1),
            {"curvature": "fisher", "tikhonov": 0.01},
            {"label": "rounded", "loss": {"name": "softsort", "numerics": "bce_loss"}},
        ],
        "steps": 12,
        "batch_size": 6,
        "evaluate_every": 5,
        "landscape_every": 6,
        "changes": [{"step": 6, "arm": 1, "tikhonov": 10.0, "lr": 3e-3}],
        "seed": 3,
    },
    resume=(0, 6),
)

NETWORKS = Case(
    "networks",
    {
        "task": {
            "name": "ranking",
            "n": 4,
            "test_sets": 30,
            "model": {**_SMALL_MLP, "activation": "tanh"},
        },
        "loss": {"name": "logistic_dsn", "inverse_temperature": 30.0, "numerics": "bce_loss"},
        "arms": [
            {"optimizer": "sgd", "lr": 0.01, "momentum": 0.9},
            _hessian("cauchy", loss={"name": "cauchy_dsn"}, definiteness="clip"),
            {
                "curvature": "fisher",
                "loss": {"name": "gaussian_dsn", "network": "bitonic", "inverse_temperature": 3.0},
            },
            _hessian(
                "reciprocal",
                optimizer="sgd",  # Adam makes whole steps of this loss's rounding errors
                tikhonov=300.0,
                loss={"name": "reciprocal_dsn", "numerics": "bce_loss"},
            ),
            {"label": "optimal", "loss": {"name": "optimal_dsn", "network": "bitonic"}},
            {"curvature": "fisher", "loss": {"name": "softsort", "temperature": 0.3}},
        ],
        "steps": 9,
        "batch_size": 5,
        "evaluate_every": 4,
        "log_every": 2,
    },
)

CONTROLS = Case(
    "controls",
    {
        "task": {
            "name": "ranking",
            "n": 3,
            "data": {"name": "folder", "path": OWN_IMAGES, "height": 12, "width": 10},
            "model": {"name": "mlp", "hidden": [12], "activation": "sigmoid"},
            "test_sets": 12,
        },
        "loss": {"name": "softsort", "temperature": 2.0},
        "arms": [
            {"gradient": "clip", "clip_norm": 0.02},
            {"gradient": "normalise", "lr_milestones": [3, 6]},
            {"optimizer": "sgd", "lr": 0.5, "momentum": 0.5, "lr_milestones": [4]},
        ],
        "steps": 8,
        "batch_size": 7,
        "evaluate_every": 4,
        "changes": [{"step": 0, "arm": 0, "lr": 2e-3}, {"step": 5, "arm": 2, "lr": 0.05}],
    },
    stop=4,
    resume=(4,),
)

CLASSIFICATION = Case(
    "classification",
    {
        "task": {"name": "classification", "model": {"name": "cnn"}, "test_images": 60},
        "loss": {"name": "cross_entropy"},
        "arms": [
            {"lr": 3e-3},
            _hessian("", hessian="per_sample", tikhonov=1.0),
            {"curvature": "fisher"},
        ],
        "steps": 10,
        "batch_size": 30,
        "evaluate_every": 5,
        "landscape_every": 10,
    },
)

VALUES = Case(
    "values",
    {
        "task": {
            "name": "classification",
            "model": {"name": "mlp", "hidden": [20]},
            "test_images": 50,
        },
        "loss": {"name": "binary_cross_entropy"},
        "arms": [
            {"label": "mad", "optimizer": "sgd", "lr": 1e3, "loss": {"name": "squared_error"}},
            {"label": "arrives", "lr": 0.02, "loss": {"name": "squared_error"}},
            _hessian("squared", loss={"name": "squared_error"}, definiteness="saddle_free"),
            {"curvature": "fisher", "tikhonov": 10.0},
        ],
        "steps": 24,
        "batch_size": 40,
        "evaluate_every": 12,
        "log_every": 3,
        "target": 0.5,
    },
)

SURFACES = Case(
    "surfaces",
    {
        "task": {"name": "surface", "noise": 0.05, "spread": 0.1},
        "loss": {"name": "rosenbrock"},
        "arms": [
            {"optimizer": "sgd", "lr": 1e-4},
            _hessian("Newton", optimizer="sgd", lr=0.5, definiteness="saddle_free"),
            {"label": "own", "loss": {"name": "himmelblau"}, "lr": 0.01},
            {"label": "formula", "loss": {"name": "formula", "expression": "x**2 + sin(3*y)**2"}},
            {"label": "spikes, then diverges", "optimizer": "sgd", "lr": 1e-5},
        ],
        "steps": 40,
        "batch_size": 4,
        "evaluate_every": 10,
        "landscape_every": 20,
        "changes": [{"step": 25, "arm": 4, "lr": 1.0}],
        "seed": 1,
    },
    resume=(20,),
)

PERTURBED = Case(
    "perturbed",
    {
        "task": _SMALL_MAPS,
        "loss": {"name": "smoothed_loss", "samples": 4, "sigma": 0.3},
        "arms": [
            {},
            _hessian("", tikhonov=100.0, loss={"name": "smoothed_loss", "antithetic": True}),
            {"curvature": "fisher", "loss": {"name": "perturbed_fy", "samples": 3}},
            _hessian(
                "Gauss-Newton",
                tikhonov=30.0,
                loss={"name": "smoothed_algorithm", "hessian": "gauss_newton", "samples": 4},
            ),
            _hessian(
                "split",
                tikhonov=30.0,
                definiteness="clip",
                loss={"name": "smoothed_algorithm", "split_samples": True, "antithetic": True},
            ),
            _hessian("Fenchel-Young", tikhonov=3.0, loss={"name": "perturbed_fy"}),
        ],
        "steps": 6,
        "batch_size": 6,
        "evaluate_every": 3,
        "landscape_every": 6,
        "seed": 5,
    },
    resume=(3,),
)

BELLMAN_FORD = Case(
    "bellman_ford",
    {
        "task": {**_SMALL_MAPS, "model": {"name": "resnet18_block"}},
        "loss": {"name": "bellman_ford"},
        "arms": [
            {**_SMOOTH},
            _hessian("", tikhonov=10.0, **_SMOOTH),
            {
                **_SMOOTH,
                "curvature": "fisher",
                "tikhonov": 10.0,
                "loss": {"name": "bellman_ford", "loop": "while", "distance": "l2"},
            },
        ],
        "steps": 6,
        "batch_size": 5,
        "evaluate_every": 3,
        "log_every": 1,
    },
)

CASES = (
    RANKING,
    NETWORKS,
    CONTROLS,
    CLASSIFICATION,
    VALUES,
    SURFACES,
    PERTURBED,
    BELLMAN_FORD,
)

_TINY: Spec = {
    "task": {"name": "ranking", "n": 2, "test_sets": 2},
    "loss": {"name": "neuralsort"},
    "arms": [{}],
    "steps": 1,
}
FAILING = (
    Case("no_data", {**_TINY, "task": {"name": "ranking", "data": {"name": "mnist"}}}),
    Case("no_device", {**_TINY, "device": "cuda:9"}),
)
"""Runs that end with ``failed``: their messages are read by people."""
