"""Rows of the table: losses on ranks and on the top k."""

from functools import partial

import torch

from benchmarks.pairs import Call, Row
from benchmarks.rows_updates import update
from newton_core import build_loss

RANKING: dict[str, object] = {"name": "ranking", "n": 10}
TOP_K: dict[str, object] = {"name": "top_k", "k": 5}
LOSSES: tuple[tuple[dict[str, object], dict[str, object]], ...] = (
    (RANKING, {"name": "soft_rank"}),
    (RANKING, {"name": "soft_rank", "objective": "ndcg"}),
    (RANKING, {"name": "soft_rank", "regularization": "entropic"}),
    (RANKING, {"name": "approx_ndcg"}),
    (TOP_K, {"name": "top_k_cross_entropy", "relaxation": "neuralsort"}),
    (TOP_K, {"name": "top_k_cross_entropy", "relaxation": "softsort"}),
    (TOP_K, {"name": "top_k_cross_entropy", "relaxation": "cauchy_dsn"}),
)


def many_items(regularization: str, quick: bool) -> tuple[Call, None]:
    """A forward and a backward pass of 100 samples of 1,000 items."""
    loss = build_loss("soft_rank", regularization=regularization)
    draw = torch.Generator().manual_seed(0)
    y, truth = torch.randn(2, 100, 50 if quick else 1000, generator=draw)

    def call() -> None:
        leaf = y.clone().requires_grad_(True)
        torch.autograd.backward(loss(leaf, truth).mean())

    return call, None


ROWS = [
    *(
        Row(f"soft_rank {regularization}, 100 x 1,000 items, forward + backward", "",
            partial(many_items, regularization), milliseconds=10, turns=30)
        for regularization in ("l2", "entropic")
    ),
    *(
        Row(f"{' '.join(str(word) for word in loss.values())}, whole update, {curvature}",
            "its plain update", partial(update, task, loss, curvature), ratio=ratio, turns=200)
        for task, loss in LOSSES
        for curvature, ratio in (("hessian", 3.0), ("fisher", 1.5))
    ),
]  # fmt: skip
