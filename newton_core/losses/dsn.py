"""The five differentiable sorting networks (DSN): one distribution each."""

from typing import ClassVar, Literal

from newton_core.losses.base import register_loss
from newton_core.losses.distributions import (
    Cauchy,
    Distribution,
    Gaussian,
    Logistic,
    Optimal,
    Reciprocal,
)
from newton_core.losses.sorting_network import SortingNetworkLoss, SortingNetworkParameters


class LogisticDsnParameters(SortingNetworkParameters):
    """Parameters of :class:`LogisticDsn`."""

    title = "Logistic sorting network"
    name: Literal["logistic_dsn"] = "logistic_dsn"


@register_loss
class LogisticDsn(SortingNetworkLoss):
    """Sorting network with logistic comparators (Petersen et al. 2021).

    Its light tails saturate in float32. Not monotonic: the relaxed minimum may fall as an input
    rises.
    """

    Parameters = LogisticDsnParameters
    distribution: ClassVar[Distribution] = Logistic()


class CauchyDsnParameters(SortingNetworkParameters):
    """Parameters of :class:`CauchyDsn`."""

    title = "Cauchy sorting network"
    name: Literal["cauchy_dsn"] = "cauchy_dsn"


@register_loss
class CauchyDsn(SortingNetworkLoss):
    """Sorting network with Cauchy comparators (Petersen et al. 2022).

    Monotonic: the relaxed minimum never falls as an input rises. The heavy tails hardly saturate,
    so that gradients neither explode nor vanish.
    """

    Parameters = CauchyDsnParameters
    distribution: ClassVar[Distribution] = Cauchy()


class GaussianDsnParameters(SortingNetworkParameters):
    """Parameters of :class:`GaussianDsn`."""

    title = "Gaussian sorting network"
    name: Literal["gaussian_dsn"] = "gaussian_dsn"


@register_loss
class GaussianDsn(SortingNetworkLoss):
    """Sorting network with Gaussian comparators (Petersen et al. 2022).

    The lightest tails, which saturate first. Not monotonic: the relaxed minimum may fall as an
    input rises.
    """

    Parameters = GaussianDsnParameters
    distribution: ClassVar[Distribution] = Gaussian()


class ReciprocalDsnParameters(SortingNetworkParameters):
    """Parameters of :class:`ReciprocalDsn`."""

    title = "Reciprocal sorting network"
    name: Literal["reciprocal_dsn"] = "reciprocal_dsn"


@register_loss
class ReciprocalDsn(SortingNetworkLoss):
    """Sorting network with the reciprocal CDF v / (1 + 2 abs(v)) + 1/2 (Petersen et al. 2022).

    Monotonic, with tails of 1 / (4 abs(v)).
    """

    Parameters = ReciprocalDsnParameters
    distribution: ClassVar[Distribution] = Reciprocal()


class OptimalDsnParameters(SortingNetworkParameters):
    """Parameters of :class:`OptimalDsn`."""

    title = "Optimal sorting network"
    name: Literal["optimal_dsn"] = "optimal_dsn"


@register_loss
class OptimalDsn(SortingNetworkLoss):
    """Sorting network with the monotonic CDF of least error (Petersen et al. 2022).

    Linear near 0, with tails of 1 / (16 abs(v)).
    """

    Parameters = OptimalDsnParameters
    distribution: ClassVar[Distribution] = Optimal()
