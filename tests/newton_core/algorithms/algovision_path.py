"""The relaxed shortest path in AlgoVision's own language: what ours agrees with and is timed by."""

from collections.abc import Callable

import torch
from algovision import Algorithm, For, Input, LEq, Let, Output, Var, While
from torch import Tensor


def algovision_path(
    height: int, width: int, beta: float, moves: int, loop: str
) -> Callable[[Tensor], Tensor]:
    """Soft Bellman-Ford and its backtrace as statements of AlgoVision's relaxed language."""
    infinity = 1e12
    step_to = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    at_start = torch.zeros(height, width, dtype=torch.float64)
    at_start[0, 0] = 1
    at_end = at_start.flip(0, 1)
    unknown = infinity * (1 - at_start)

    def around(distance):
        padded = torch.nn.functional.pad(distance, (1, 1, 1, 1), value=infinity)
        shifted = [padded[:, 1 + i : 1 + i + height, 1 + j : 1 + j + width] for i, j in step_to]
        return torch.stack(shifted, dim=-1)

    def probabilities(distance):
        return (-beta * around(distance)).softmax(dim=-1) * (1 - at_start)[..., None]

    def relaxed(distance, cost):
        soft = ((-beta * around(distance)).softmax(dim=-1) * around(distance)).sum(dim=-1)
        return (soft + cost) * (1 - at_start)

    def moved(position, back):
        padded = torch.nn.functional.pad(position[..., None] * back, (0, 0, 1, 1, 1, 1))
        arrived = position * at_start
        for k, (i, j) in enumerate(step_to):
            arrived = arrived + padded[:, 1 - i : 1 - i + height, 1 - j : 1 - j + width, k]
        return arrived

    backtrace = [
        Let("path", lambda path, position: path + position - path * position),
        Let("position", lambda position, back: moved(position, back)),
    ]
    algorithm: Callable[[Tensor], Tensor] = Algorithm(
        Input("cost"),
        Var("distance", unknown),
        Var("back", torch.zeros(height, width, 8, dtype=torch.float64)),
        Var("position", at_end),
        Var("path", torch.zeros(height, width, dtype=torch.float64)),
        For(
            "sweep",
            moves,
            Let("back", lambda distance: probabilities(distance)),
            Let("distance", lambda distance, cost: relaxed(distance, cost)),
        ),
        For("move", moves + 1, *backtrace)
        if loop == "for"
        else While(
            LEq(lambda path: path[:, 0, 0], 1.0), *backtrace, max_iter=moves + 1, epsilon=0.0
        ),
        Output("path"),
        beta=beta,
    )
    return algorithm
