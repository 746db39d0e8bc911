"""Rows of the table: a slice through the weights of the costliest network that a page shows."""

from functools import partial

import torch

from benchmarks.pairs import Call, Row
from newton_core import build_loss
from newton_core.landscape import Grid, ParameterFunction, filter_normalised_plane, model_weights
from newton_core.tasks import RankingParameters, RankingTask
from newton_core.training.landscapes.weights import ArmLandscape

SETS = 100


def slice_of_cnn(whole: bool, quick: bool) -> tuple[Call, None]:
    """The loss of 100 sets of five images over a plane, its first picture or all of them."""
    parameters = RankingParameters.model_validate({"model": {"name": "cnn"}})
    task = RankingTask(parameters, target_kind="permutation", seed=0, device=torch.device("cpu"))
    model, loss = task.build_model(), build_loss("neuralsort")
    plane = filter_normalised_plane(model_weights(model), seed=0)

    def function_on(samples: int) -> ParameterFunction:
        return ParameterFunction(model, plane, loss, task.batch(0, samples), channels_last=True)

    def call() -> None:
        landscape = ArmLandscape((0,), plane, function_on, 2 if quick else SETS, ())
        for _ in landscape.values(Grid(points=21) if quick else Grid()):
            if not whole:
                break

    return call, None


ROWS = [
    Row(f"slice of the weights, cnn, {SETS} x 5 images, {what}", "", partial(slice_of_cnn, whole),
        milliseconds=milliseconds, turns=turns, is_call=False)
    for what, whole, milliseconds, turns in (
        ("first picture", False, 1000, 3), ("all pictures", True, 75_000, 1),
    )
]  # fmt: skip
