"""Entropic transport between n items and n places: plans whose rows and columns sum to one.

For scores x in units of the temperature, the plan that maximises <x, P> + H(P) over all doubly
stochastic P (H: the entropy) is P = exp(x + u 1^T + 1 v^T) with potentials u and v. For any v the
rows are normalised exactly by a softmax, P_i = softmax(x_i + v), so that v alone is looked for: it
minimises the convex sum_i logsumexp(x_i + v) - sum_j v_j, whose gradient is the column sums - 1.
A constant may be added to v; the last entry is pinned where a system is solved, which has rank
n - 1 (of both potentials together 2 n - 1).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

Plans = Float64[Tensor, "N n n"]
Places = Float64[Tensor, "N n"]

PLAIN_SWEEPS = 4
"""Sweeps before Newton steps are tried: those of Sinkhorn alone cost less."""
EASY = 10.0
"""Greatest range of scores that is not approached from higher temperatures."""
LONGEST = 3.0
"""Longest Newton step in any potential that is trusted where a longer one fails."""
APPROACH = 20
"""Sweeps at each higher temperature, which need not end."""
MOST_HALVINGS = 40
SETTLED = 1e-7
"""Last Newton step, in any potential, after which the next one would be lost in rounding."""
PATIENCE = 60
"""Sweeps after which balanced columns suffice, whatever the potentials still do."""
EMPTY = -0.9
"""Excess of a column's sum over 1 below which the sum is found from logarithms."""
ROUNDING = 1e-14
TINY = 1e-200
"""Weight below which a column answers to nothing: it is filled by one item alone."""


@dataclass(frozen=True)
class Balance:
    """Potentials of the columns, and how well they balance them.

    Attributes:
        potentials: (N, n) of the columns.
        error: (N,) largest distance of a column's sum to 1; rows sum to 1.
    """

    potentials: Places
    error: Float64[Tensor, " N"]


def row_plans(logits: Plans) -> tuple[Plans, Places]:
    """The plans whose rows are the softmax of logits, and the excess of their columns' sums over 1.

    Differentiable. The excess does not cancel where plans are close to permutations: of each row's
    largest entry only its distance to 1 enters, the sum of the row's other entries.
    """
    plan = logits.softmax(2)
    top = logits.argmax(2, keepdim=True)
    others = plan.scatter(2, top, 0.0)
    rest = others.sum(2, keepdim=True)
    count = torch.zeros_like(plan).scatter(2, top, 1.0).sum(1)
    excess = torch.zeros_like(others).scatter(2, top, -rest) + others
    return plan, excess.sum(1) + (count - 1)


@dataclass(frozen=True)
class _Sweep:
    """The plans at some potentials, with what is minimised there.

    Attributes:
        potentials: (N, n) v.
        height: (N,) sum_i logsumexp(x_i + v) - sum_j v_j.
        plan: (N, n, n), its rows normalised.
        excess: (N, n) of the columns' sums over 1.
        log_columns: (N, n) logarithms of these sums.
    """

    potentials: Places
    height: Float64[Tensor, " N"]
    plan: Plans
    excess: Places
    log_columns: Places

    @classmethod
    def at(cls, x: Plans, v: Places) -> "_Sweep":
        v = v - v.mean(1, keepdim=True)
        logits = x + v[:, None]
        rows = logits.logsumexp(2)
        plan, excess = row_plans(logits)
        log_columns = excess.clamp(min=EMPTY).log1p()
        if bool((excess < EMPTY).any()):  # the sums of such columns may round to nothing
            found = (logits - rows[:, :, None]).logsumexp(1)
            log_columns = torch.where(excess < EMPTY, found, log_columns)
        return cls(v, rows.sum(1), plan, excess, log_columns)

    @property
    def error(self) -> Float64[Tensor, " N"]:
        return self.excess.abs().amax(1)

    def or_better(self, other: "_Sweep") -> "_Sweep":
        """The lower of the two for each sample; within rounding the better balanced."""
        near = ROUNDING * (1 + self.height.abs())
        lower = other.height < self.height - near
        level = (other.height <= self.height + near) & (other.error < self.error)
        return self.where(lower | level, other)

    def where(self, taken: Tensor, other: "_Sweep") -> "_Sweep":
        """The other's samples where ``taken``."""
        row = taken[:, None]
        return _Sweep(
            torch.where(row, other.potentials, self.potentials),
            torch.where(taken, other.height, self.height),
            torch.where(row[:, None], other.plan, self.plan),
            torch.where(row, other.excess, self.excess),
            torch.where(row, other.log_columns, self.log_columns),
        )


def balance(x: Plans, tolerance: float, limit: int) -> Balance:
    """Potentials that balance the columns, by Sinkhorn's sweeps with Newton steps.

    A sweep normalises the columns, then the rows (Sinkhorn 1967; Cuturi 2013), in the log domain.
    Alone it converges as slowly as the plan is close to a permutation, so that a Newton step is
    tried beside it, and the lower of the two is kept: never worse than the sweep, and quadratic at
    the end. Scores of a wide range are first solved at higher temperatures. The potentials of a
    sample depend on its own scores alone.

    Args:
        x: (N, n, n) finite scores over the temperature.
        tolerance: largest distance of a column's sum to 1.
        limit: most sweeps at the temperature itself.
    """
    v = torch.zeros_like(x[:, 0])
    width = (x.amax((1, 2)) - x.amin((1, 2))).clamp(min=EASY)
    halvings = (width / EASY).log2().ceil().clamp(max=MOST_HALVINGS)
    for k in range(int(halvings.max()) if len(x) else 0, 0, -1):
        higher = halvings >= k
        scale = torch.where(higher, 2.0**k, 1.0)[:, None]
        found = _balance(x / scale[:, :, None], v / scale, 1e-2, APPROACH, PLAIN_SWEEPS // 4)
        v = torch.where(higher[:, None], found.potentials * scale, v)
    return _balance(x, v, tolerance, limit, PLAIN_SWEEPS)


def _balance(x: Plans, v: Places, tolerance: float, limit: int, plain: int) -> Balance:
    now = _Sweep.at(x, v)
    left = torch.ones(len(x), dtype=torch.bool, device=x.device)
    for k in range(limit):
        following = _Sweep.at(x, now.potentials - now.log_columns)
        if k >= plain:
            step = column_solve(now.plan, now.excess[..., None])[..., 0]
            step = step - step.mean(1, keepdim=True)
            following = following.or_better(_Sweep.at(x, now.potentials - step))
            longest = step.abs().amax(1)
            if bool((longest[left] > LONGEST).any()):
                short = step * (LONGEST / longest).clamp(max=1)[:, None]
                following = following.or_better(_Sweep.at(x, now.potentials - short))
            settled = (now.error <= tolerance) & ((longest <= SETTLED) | (k >= PATIENCE))
        else:
            settled = torch.zeros_like(left)
        now = now.where(left, following)
        left &= ~settled & now.error.isfinite()
        if not bool(left.any()):
            break
    return Balance(now.potentials, now.error)


def column_solve(plan: Plans, right: Float64[Tensor, "N n k"]) -> Float64[Tensor, "N n k"]:
    """L^+ right with L = diag(column sums) - P^T P and the last entry pinned at 0.

    L is the Laplacian of a graph between columns, of weight (P^T P)_jl: its diagonal is the sum of
    these, which does not cancel where P is close to a permutation. ``right`` sums to 0 along n.
    """
    weight = plan.mT @ plan
    weight.diagonal(dim1=1, dim2=2).zero_()
    own = weight.sum(2)[:, :-1]
    matrix = torch.diag_embed(own * (1 + ROUNDING) + TINY)
    matrix -= weight[:, :-1, :-1]
    factor, _ = torch.linalg.cholesky_ex(matrix)
    solved = torch.cholesky_solve(right[:, :-1], factor)
    return torch.nn.functional.pad(solved, (0, 0, 0, 1))
