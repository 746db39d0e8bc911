"""The checks that all losses on shortest paths and other oracles make first."""

from jaxtyping import Bool, Float
from torch import Tensor

from newton_core.algorithms.oracles import Oracle, ShortestPathOracle
from newton_core.algorithms.shortest_path import are_costs
from newton_core.tensors import check_finite, check_floating, is_transformed


def all_are_costs(y: Float[Tensor, "N h w"]) -> Bool[Tensor, " N"]:
    """Which grids have a positive finite cost on every tile."""
    return are_costs(y).flatten(1).all(dim=1)


def check_path_inputs(y: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
    """Detached costs (N, h, w), and the true paths in their dtype and on their device.

    Inside a transform of ``torch.func``, which hides the numbers, paths are not looked at.

    Raises:
        ValueError: a cost is not positive or not finite, y and target do not fit, or a target is
            no path from corner to corner.
    """
    oracle = ShortestPathOracle()
    costs, path = _fitting(y, target, oracle, "path")
    if not is_transformed(path):
        oracle.check_target(path)
    return costs, path


def check_oracle_inputs(y: Tensor, target: Tensor | None, oracle: Oracle) -> tuple[Tensor, Tensor]:
    """Detached costs (N, *S), and the oracle's answer in their dtype and on their device.

    Raises:
        TypeError: the costs are not floating-point numbers.
        ValueError: the oracle does not take the costs, y and target do not fit, or the target is
            no answer of the oracle's.
    """
    word = "path" if isinstance(oracle, ShortestPathOracle) else "solution"
    costs, answer = _fitting(y, target, oracle, word)
    oracle.check_target(answer)
    return costs, answer


def _fitting(y: Tensor, target: Tensor | None, oracle: Oracle, word: str) -> tuple[Tensor, Tensor]:
    oracle.check_shape(tuple(y.shape))
    if target is None:
        raise ValueError(f"a {word} of shape {tuple(y.shape)} is needed as the target, got None")
    if target.shape != y.shape:
        raise ValueError(
            f"the target {word} has the shape of the costs {tuple(y.shape)},"
            f" got {tuple(target.shape)}"
        )
    check_floating(y, "costs")
    check_finite(target, f"the target {word}")
    oracle.check_costs(y)
    return y.detach(), target.detach().to(y)
