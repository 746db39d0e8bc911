"""Which data sets this machine has, for people who wonder why a run does not start."""

from newton_core.data.base import DataParameters, DatasetStatus
from newton_core.data.registry import IMAGES, MAPS, NUMBERS, SERIES


def describe_datasets() -> list[DatasetStatus]:
    """What every registered data set says of itself, the user's own last.

    One of several kinds is described once.
    """
    described: dict[str, type[DataParameters]] = {}
    for registry in (IMAGES, MAPS, NUMBERS, SERIES):
        for name, dataset in zip(registry.names(), registry.values(), strict=True):
            described.setdefault(name, dataset)
    ordered = sorted(described.values(), key=lambda dataset: dataset.own_files)
    return [status for dataset in ordered for status in dataset.status()]
