"""The checks that all losses on shortest paths make first."""

from jaxtyping import Bool, Float
from torch import Tensor

from newton_core.algorithms.shortest_path import are_costs, check_costs


def all_are_costs(y: Float[Tensor, "N h w"]) -> Bool[Tensor, " N"]:
    """Which grids have a positive finite cost on every tile."""
    return are_costs(y).flatten(1).all(dim=1)


def check_path_inputs(y: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
    """Detached costs (N, h, w), and the path in their dtype and on their device.

    Raises:
        ValueError: a cost is not positive or not finite, or y and target do not fit.
    """
    if y.dim() != 3:
        raise ValueError(f"costs have shape (N, h, w), got {tuple(y.shape)}")
    if target is None:
        raise ValueError(f"a path of shape {tuple(y.shape)} is needed as the target, got None")
    if target.shape != y.shape:
        raise ValueError(
            f"the target path has the shape of the costs {tuple(y.shape)},"
            f" got {tuple(target.shape)}"
        )
    check_costs(y)
    return y.detach(), target.detach().to(y)
