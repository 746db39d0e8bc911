"""The parts that all data sets of one long series share."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float64
from torch import Tensor

from newton_core.data.base import DataParameters


@dataclass(frozen=True)
class Series:
    """Numbers in the order of time, at even distances. Users share them: never change them.

    Attributes:
        values: (T,) finite values, in the data's own units.
        test_steps: how many of the last values are kept for the test.
        name: what the series is called in messages.
    """

    values: Float64[Tensor, " T"]
    test_steps: int
    name: str


class SeriesDataParameters(DataParameters, ABC):
    """A data set of one long series: what forecasting takes."""

    def is_quick(self) -> bool:
        """Whether :meth:`load` takes less than a quarter of a second."""
        return True

    @abstractmethod
    def load(self) -> Series:
        """The series.

        Raises:
            DatasetError: it is missing or damaged; the message names the file.
        """
