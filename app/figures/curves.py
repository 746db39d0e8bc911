"""The charts of curves over training: who is ahead, and why."""

import plotly.graph_objects as go

from app.figures.chart import Choice, curves, share

EXACT_MATCH = share(
    "exact_match",
    "Exact match",
    "test sets ranked right, ± standard error",
    "Share of test sets in which every item has its right place.",
)
EVALUATIONS = (
    EXACT_MATCH,
    share(
        "elementwise",
        "Elementwise",
        "items in their right place, ± standard error",
        "Share of single items that have their right place.",
    ),
    share(
        "optimal",
        "Optimal paths",
        "test maps, ± standard error",
        "Share of test maps on which the predicted path costs as little as the best.",
    ),
    share(
        "perfect_match",
        "Perfect match",
        "test maps, ± standard error",
        "Share of test maps on which the predicted path is the labelled one.",
    ),
    Choice(
        metric="cost_ratio",
        title="Cost ratio",
        unit="predicted path's cost over the best, ± standard error",
        hover="%{y:.3f}",
        bounds=(1.0, None),
        description="True cost of the predicted path over the cost of the best one; 1 is best.",
    ),
    share(
        "accuracy",
        "Accuracy",
        "test samples classified right, ± standard error",
        "Share of test samples whose class is predicted right.",
    ),
    Choice(
        metric="arrived",
        title="Arrived",
        unit="1 at a minimum, 0 elsewhere",
        hover="%{y:.0f}",
        bounds=(0.0, 1.0),
        description="Whether the point is within 0.05 of a known minimum of the surface.",
    ),
    Choice(
        metric="value",
        title="Height",
        unit="of the surface at the point",
        hover="%{y:.3r}",
        log=True,
        description="Value of the surface where the point stands.",
    ),
    Choice(
        metric="distance",
        title="Distance",
        unit="to the nearest minimum",
        hover="%{y:.3r}",
        log=True,
        description="Distance from the point to the nearest known minimum of the surface.",
    ),
    Choice(
        metric="x",
        title="x",
        unit="coordinate of the point",
        hover="%{y:.3r}",
        description="First coordinate of the point.",
    ),
    Choice(
        metric="y",
        title="y",
        unit="coordinate of the point",
        hover="%{y:.3r}",
        description="Second coordinate of the point.",
    ),
)
LOSSES = (
    Choice(
        metric="loss",
        title="Loss",
        unit="the run's own, batch mean",
        hover="%{y:.3r}",
        log=True,
        description="The run's loss, evaluated for every arm: what all of them are compared by.",
    ),
    Choice(
        metric="own_loss",
        title="Arm's loss",
        unit="each arm's own, batch mean",
        hover="%{y:.3r}",
        log=True,
        description="The loss that the arm itself trains; differs from the run's if overridden.",
    ),
    Choice(
        metric="newton_loss",
        title="Newton loss",
        unit="half squared distance to z*, batch mean",
        hover="%{y:.3r}",
        log=True,
        description="1/2 of the mean squared distance between outputs and their Newton target z*.",
    ),
)
GRADIENTS = (
    Choice(
        metric="output_gradient_norm",
        title="Output gradient",
        unit="norm, mean over samples",
        hover="%{y:.3r}",
        log=True,
        description="Norm of the loss's gradient with respect to the network's outputs.",
    ),
    Choice(
        metric="largest_gradient_norm",
        title="Largest gradient",
        unit="norm, largest sample of the batch",
        hover="%{y:.3r}",
        log=True,
        description="Norm of the output gradient of the batch's most extreme sample.",
    ),
    Choice(
        metric="direction_norm",
        title="Direction",
        unit="norm, mean over samples",
        hover="%{y:.3r}",
        log=True,
        description="Norm of what is sent back into the network in place of the gradient.",
    ),
    Choice(
        metric="parameter_gradient_norm",
        title="Parameter gradient",
        unit="norm, all weights",
        hover="%{y:.3r}",
        log=True,
        description="Norm of the gradient that the optimizer sees.",
    ),
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
COSINES = (
    Choice(
        metric="cosine",
        title="Gradient against direction",
        unit="cosine, 1 is parallel",
        hover="%{y:.3f}",
        bounds=(-1.0, 1.0),
        description="Cosine between the gradient and the Newton direction sent back in its place.",
    ),
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
        EVALUATIONS,
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
    return curves("curvature", CURVATURES, source="curvature", roles=("ghost", "smooth", "label"))


def cosine() -> go.Figure:
    """How far curvature turns the gradient."""
    return curves("cosine", COSINES, source="metrics")
