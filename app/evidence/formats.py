"""How metrics and their values stand in tables and sentences."""

from newton_core.metrics import MetricDescription


def words(metric: MetricDescription) -> str:
    """A metric's title in the middle of a sentence."""
    return metric.title[:1].lower() + metric.title[1:]


def heading(metric: MetricDescription) -> str:
    """What stands over a column of a metric's values."""
    return words(metric) + (", %" if metric.kind == "share" else "")


def number(metric: MetricDescription, value: float, sign: str = "") -> str:
    """A value as it stands under :func:`heading`; with ``sign`` "+" the sign is always shown."""
    if metric.kind == "share":
        return f"{100 * value:{sign}.1f}"
    decimals = metric.decimals
    if decimals is None:
        decimals = 1 if abs(value) >= 100 else 3
    return f"{value:{sign}.{decimals}f}"


def with_unit(metric: MetricDescription, value: float) -> str:
    """A value that stands alone."""
    return number(metric, value) + (" %" if metric.kind == "share" else "")
