"""The check that all losses on shortest paths make first."""

from torch import Tensor

from newton_core.algorithms.shortest_path import check_costs


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
