"""The charts of curves over training: who is ahead, and why."""

import plotly.graph_objects as go

from app.figures.chart import choice, curves
from app.figures.template import Choice
from newton_core.metrics import (
    COSINE,
    DIRECTION_NORM,
    LARGEST_GRADIENT_NORM,
    LOSS,
    NEWTON_LOSS,
    OUTPUT_GRADIENT_NORM,
    OWN_LOSS,
    PARAMETER_GRADIENT_NORM,
    TIKHONOV,
    TURN,
    MetricDescription,
)
from newton_core.tasks import TASKS

PAPER_TASKS = ("ranking", "shortest_path")
"""Their metrics come first, and the first one's title stands until the page knows the run."""


def _evaluations() -> tuple[Choice, ...]:
    """The metrics of every task; one that several tasks describe alike stands once."""
    known: dict[str, MetricDescription] = {}
    choices = []
    for task in dict.fromkeys((*PAPER_TASKS, *TASKS)):
        for metric in TASKS.get(task).metrics:
            if metric.name not in known:
                choices.append(choice(metric))
            elif known[metric.name] != metric:
                choices.append(choice(metric, task=task))
            known.setdefault(metric.name, metric)
    return tuple(choices)


LOSSES = tuple(choice(metric) for metric in (LOSS, OWN_LOSS, NEWTON_LOSS))
GRADIENTS = tuple(
    choice(metric)
    for metric in (
        OUTPUT_GRADIENT_NORM,
        LARGEST_GRADIENT_NORM,
        DIRECTION_NORM,
        PARAMETER_GRADIENT_NORM,
    )
)
CURVATURES = (
    Choice(
        metric="own.condition",
        title="Curvature",
        unit="condition of C + λI",
        hover="%{y:.3r}",
        log=True,
        description="Largest over smallest size of the eigenvalues of the arm's own damped matrix;"
        " an arm without curvature has none.",
    ),
    Choice(
        metric="own.complement_condition",
        title="Curvature without damping",
        unit="condition of C where the loss is not blind",
        hover="%{y:.3r}",
        log=True,
        description="Largest over smallest size of C's eigenvalues, without damping, leaving out"
        " directions along which the loss never changes: at 1 curvature cannot turn a gradient,"
        " only rescale it.",
    ),
    choice(TIKHONOV, source="metrics"),
    Choice(
        metric="hessian.largest",
        title="Hessian, largest",
        unit="eigenvalue",
        hover="%{y:.3r}",
        log=True,
        description="Largest eigenvalue of the Hessian at the arm's outputs, undamped.",
    ),
    Choice(
        metric="hessian.smallest",
        title="Hessian, smallest",
        unit="eigenvalue",
        hover="%{y:.3r}",
        description="Smallest eigenvalue of the Hessian; below zero the loss curves downwards.",
    ),
    Choice(
        metric="hessian.negative",
        title="Hessian, negative",
        unit="number of eigenvalues below 0",
        hover="%{y:.0f}",
        bounds=(0.0, None),
        description="Number of directions in output space along which the loss curves downwards.",
    ),
    Choice(
        metric="fisher.largest",
        title="Fisher, largest",
        unit="eigenvalue",
        hover="%{y:.3r}",
        log=True,
        description="Largest eigenvalue of the empirical Fisher matrix, undamped.",
    ),
    Choice(
        metric="fisher.smallest",
        title="Fisher, smallest",
        unit="eigenvalue",
        hover="%{y:.3r}",
        log=True,
        description="Smallest eigenvalue of the empirical Fisher matrix, undamped.",
    ),
)
TURNS = (
    choice(TURN),
    choice(COSINE),
    Choice(
        metric="direction_cosine",
        title="Hessian against Fisher",
        unit="cosine of their directions",
        hover="%{y:.3f}",
        bounds=(-1.0, 1.0),
        description="Cosine between the two Newton directions at the same outputs.",
        source="curvature",
    ),
)


def accuracy() -> go.Figure:
    """Test metrics with their standard error; the page starts with the task's primary one."""
    return curves(
        "accuracy",
        _evaluations(),
        source="evaluation",
        span="hero",
        roles=("ghost", "band", "smooth", "label"),
    )


def loss() -> go.Figure:
    """Batch losses, raw under smoothed."""
    return curves("loss", LOSSES, source="metrics")


def gradients() -> go.Figure:
    """Norms of the four gradients between loss and optimizer."""
    return curves("gradients", GRADIENTS, source="metrics")


def curvature() -> go.Figure:
    """Condition number, extreme eigenvalues and the count of negative ones."""
    return curves(
        "curvature", CURVATURES, source="curvature", roles=("ghost", "band", "smooth", "label")
    )


def cosine() -> go.Figure:
    """How far curvature turns the gradient, and how far its two kinds agree."""
    return curves("cosine", TURNS, source="metrics")
