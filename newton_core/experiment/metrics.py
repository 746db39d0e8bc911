"""What is measured at every logged step, and from where on a gradient counts as out of order."""

METRIC_NAMES = (
    "loss",  # the run's own loss, batch mean
    "own_loss",  # the arm's loss, batch mean
    "newton_loss",  # 1/(2N) sum ||z* - y||^2; null without curvature
    "output_gradient_norm",  # mean over samples of the gradient's norm in output space
    "largest_gradient_norm",  # the largest of them
    "direction_norm",  # mean over samples of the norm of what is sent back in its place
    "parameter_gradient_norm",  # norm of the gradient that the optimizer sees
    "cosine",  # between gradient and direction, over the batch
    "seconds",  # the arm's own compute up to this step
)

VANISHING = 1e-6
"""Norm of a sample's output gradient below which nothing is learned from it."""
EXPLODING = 10.0
"""Norm above which one sample outweighs a batch: a mean cross-entropy's own is of order 1."""
