"""The paper's tables and figures, and ours, as lists of what to run; one file each.

What is which in the paper (Petersen et al., NeurIPS 2024, arXiv:2410.19055): Table 1 is ranking
supervision, Table 2 relaxed Bellman-Ford, Table 3 smoothing and perturbed optimizers, Figure 3 the
accuracy during training by smoothing of the loss with ten samples, Figure 4 the Tikhonov strength
for NeuralSort and SoftSort, Figure 6 the gradients over one score. The classification control and
the runtimes stand in its appendix.
"""

from newton_core.evidence.protocols import (
    components,
    figure3,
    figure4,
    figure6,
    runtimes,
    table1,
    table2,
    table3,
    table4,
)
from newton_core.evidence.protocols.base import (
    PAPER_SEEDS,
    SCALES,
    Budget,
    GradientRow,
    Plan,
    Protocol,
    Published,
    Record,
    Row,
    ScaleName,
)

PROTOCOLS: dict[str, Protocol] = {
    module.PROTOCOL.name: module.PROTOCOL
    for module in (
        table1, table2, table3, table4, figure3, figure4, figure6, runtimes, components,
    )
}  # fmt: skip
"""All protocols by name, in the order of the command's help."""

__all__ = [
    "PAPER_SEEDS",
    "PROTOCOLS",
    "SCALES",
    "Budget",
    "GradientRow",
    "Plan",
    "Protocol",
    "Published",
    "Record",
    "Row",
    "ScaleName",
]
