"""Entropic transport as a loss: a plan between items and places, compared with the true one."""

import math
import warnings
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.autograd import forward_ad

from newton_core.algorithms.permutations import check_permutations
from newton_core.algorithms.transport import balance, column_solve, row_plans
from newton_core.labels import Labels
from newton_core.losses.base import Derivatives, Loss, LossParameters, TargetKind, register_loss
from newton_core.losses.row_cross_entropy import log_rows, row_derivatives
from newton_core.settings import setting
from newton_core.tensors import check_floating, to_float64

CLOSE, CLOSE_ELSE = {torch.float64: 1e-10}, 1e-6
"""Distance of the marginals to 1 at which a plan counts as balanced, by the dtype of y."""


class SinkhornParameters(LossParameters):
    """Parameters of :class:`Sinkhorn`."""

    title = "Optimal transport (Sinkhorn)"
    name: Literal["sinkhorn"] = "sinkhorn"
    temperature: float = setting(
        1.0,
        "Softness of the plan, in units of the scores: it becomes a permutation as this falls.",
        title="Temperature τ", scale="log", ge=1e-4, le=1e4,
    )  # fmt: skip
    compare: Annotated[
        Literal["binary", "categorical"],
        Labels(binary="Every entry (binary)", categorical="True entries alone (convex)"),
    ] = setting(
        "binary", "What is compared with the true permutation: the binary cross-entropy of every"
        " entry, as in the other sorting losses, or −log of the true entries alone, which is"
        " convex.",
        title="Cross-entropy",
    )  # fmt: skip
    sweeps: int = setting(
        200, "Most sweeps over rows and columns; a warning says where they do not suffice.",
        title="Most sweeps", unit="sweeps", scale="log", ge=1, le=100_000,
    )  # fmt: skip


STEEPEST = 300.0
"""Logarithm of odds P / (1 - P) up to which their square is finite."""


@dataclass(frozen=True)
class _Plan:
    """A balanced plan P = softmax of the rows of x + v, in float64 and detached.

    Attributes:
        potentials: (N, n) v.
        logits: (N, n, n) x + v.
        plan: (N, n, n) P.
        log_plan: its logarithm.
        log_rest: log(1 - P), exact where P rounds to 1.
    """

    potentials: Float64[Tensor, "N n"]
    logits: Float64[Tensor, "N n n"]
    plan: Float64[Tensor, "N n n"]
    log_plan: Float64[Tensor, "N n n"]
    log_rest: Float64[Tensor, "N n n"]

    def answer(self, columns: Float64[Tensor, "N n"]) -> Float64[Tensor, "N n"]:
        """L^+ columns: the change of the potentials that takes such an excess away."""
        return column_solve(self.plan, columns[..., None])[..., 0]

    def away(self) -> Float64[Tensor, "N n n n"]:
        """C_i = I - 1 p_i^T of each row, the derivative of log p_i in the row's logits."""
        away = -self.plan[:, :, None].expand(-1, -1, self.plan.shape[1], -1).contiguous()
        away.diagonal(dim1=2, dim2=3).copy_(self.log_rest.exp())
        return away


@register_loss
class Sinkhorn(Loss[SinkhornParameters]):
    """Cross-entropy of an entropic transport plan (Cuturi 2013; Mena et al. 2018).

    The plan P maximises <S, P> + τ H(P) over all matrices whose rows and columns sum to one (H: the
    entropy): P = exp((S + f 1^T + 1 g^T) / τ). y is one of two things:

    - (N, n, n) scores S of items (rows) at places (columns), a free assignment; the target marks
      each item's true place.
    - (N, n) scores to be ranked by transport (Cuturi et al. 2019): S_rj = c_r y_j with
      c_r = 2 r - n - 1 for the ranks r = 1..n. That is transport at the squared distances between y
      and evenly spaced ranks, and also NeuralSort's logits with both marginals balanced: what they
      differ in, potentials take up. Row r of the target marks the r-th smallest item.

    ``categorical`` compares by the mean of -log P over the true entries: the Fenchel-Young loss of
    transport, convex, with the gradient (P - Q) / (n τ). ``binary``, the mean binary cross-entropy
    of all n x n entries, is not convex.

    Gradient and Hessian follow from the implicit function theorem at the balanced plan, with one
    potential pinned (the marginals' system has rank 2n - 1), and are exact. The Hessian is zero
    along 2n - 1 shifts of S, of rows and of columns. All is computed in float64 and balanced until
    the marginals agree to 1e-10, to 1e-6 if y has another dtype. Where scores are some hundred
    temperatures apart, that leaves potentials of ``binary`` open: log(1 - P) of a nearly certain
    entry depends on entries too small for any marginal. ``categorical`` does not read them.
    """

    Parameters = SinkhornParameters
    target_kind: ClassVar[TargetKind] = "permutation"
    further_kinds: ClassVar[tuple[TargetKind, ...]] = ("assignment",)
    _shortfall: str | None = None

    def invariant_directions(self, outputs: int) -> Tensor:
        """Scores (N, n) to be ranked: a shift of all of them, which shifts the rows of S."""
        return torch.ones((1, outputs), dtype=torch.float64)

    def invariant_directions_of(self, kind: TargetKind, outputs: int) -> Tensor:
        """Of scores (N, n, n) of items at places: shifts of n rows and of n - 1 columns.

        Potentials take them up, and P stays. The last column's shift is a sum of the others.
        """
        if kind != "assignment":
            return self.invariant_directions(outputs)
        n = math.isqrt(outputs)
        one, places = torch.ones(n, dtype=torch.float64), torch.eye(n, dtype=torch.float64)
        rows = torch.einsum("ki,j->kij", places, one)
        columns = torch.einsum("i,kj->kij", one, places[:-1])
        return torch.cat((rows, columns)).flatten(1)

    def shortfall(self) -> str | None:
        """The marginal error of the latest plans, where the sweeps did not suffice."""
        return self._shortfall

    def plan(self, y: Float[Tensor, " N *S"]) -> Float[Tensor, "N n n"]:
        """The transport plan of each sample, detached."""
        return self._balanced(self._scaled(y), y.dtype).plan.to(y.dtype)

    def forward(self, y: Float[Tensor, " N *S"], target: Tensor | None = None) -> Tensor:
        """The loss of each sample, twice differentiable.

        Args:
            y: (N, n, n) scores of items at places, or (N, n) scores to be ranked; n >= 2.
            target: (N, n, n) permutation matrices.

        Raises:
            TypeError: y is not a floating-point tensor.
            ValueError: y or the target has another shape, or the target is no number somewhere.
        """
        x, truth = self._scaled(y), _truth(y, target)
        found = self._balanced(x, y.dtype)
        logits = found.logits
        forward_mode = forward_ad._current_level >= 0  # whose tangents need no requires_grad
        if forward_mode or (torch.is_grad_enabled() and y.requires_grad):
            # Two Newton steps with a constant matrix, from potentials without a graph: the first
            # has their first derivative in x (the implicit function theorem), both have the second.
            v = found.potentials
            for _ in range(2):
                v = v - found.answer(row_plans(x + v[:, None])[1])
            logits = x + v[:, None]
        log_plan, log_rest = (rows.mT for rows in log_rows(logits.mT))
        value = -truth * log_plan
        if self.settings.compare == "binary":
            value = (value - (1 - truth) * log_rest).mean((1, 2))
        else:
            value = value.sum((1, 2)) / x.shape[1]
        return _seen(value, x).to(y)

    def derivatives(
        self, y: Float[Tensor, " N *S"], target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """In closed form at the balanced plan; the Hessian is one product of m x m matrices."""
        with torch.no_grad():
            x, truth = self._scaled(y), _truth(y, target)
            found = self._balanced(x, y.dtype)
            value, row = self._row_gradient(found, truth)
            # What a row's logits do to the columns, potentials undo: d v = -L^+ d(columns).
            undone = (found.away() @ found.answer(row.sum(1))[:, None, :, None])[..., 0]
            gradient = _seen(row - found.plan * undone, x)
            second = self._hessian(found, truth, gradient, ranked=y.ndim == 2) if hessian else None
            return Derivatives(
                _seen(value, x).to(y),
                self._pull(gradient, y).to(y),
                None if second is None else second.to(y),
            )

    def _row_gradient(self, found: _Plan, truth: Tensor) -> tuple[Tensor, Tensor]:
        """The value, and its derivative in the logits of each row while potentials stay."""
        if self.settings.compare == "binary":
            rows = row_derivatives(
                found.logits.permute(1, 2, 0).contiguous(),
                truth.permute(1, 2, 0).contiguous(),
                hessian=False,
            )
            return rows.value, rows.gradient.permute(2, 0, 1)
        n = truth.shape[1]
        row = (1 - truth) * found.plan - truth * found.log_rest.exp()
        return -(truth * found.log_plan).sum((1, 2)) / n, row / n

    def _hessian(
        self, found: _Plan, truth: Tensor, gradient: Tensor, *, ranked: bool
    ) -> Float64[Tensor, "N m m"]:
        """J^T diag(e) J / τ^2, with J the derivative of log P in x.

        log P is curved, but only within the range of the potentials: its second derivative adds to
        e what balances the marginals. Together e = Q + (1 - Q) (P / (1 - P))^2, over n^2, and the
        gradient in x. Rows of J are scaled up as P / (1 - P) grows and 1 - P, their size, falls.
        """
        n = truth.shape[1]
        J = _jacobian(found, ranked=ranked)
        log_odds = found.log_plan - found.log_rest
        scale = log_odds.clamp(0, STEEPEST).exp()
        small = log_odds.clamp(max=0).exp()
        if self.settings.compare == "binary":
            weight = (truth / scale.square() + (1 - truth) * small.square()) / n**2
        else:
            weight = truth / scale.square() / n
        weight = weight + gradient / scale.square()
        J = J * scale.flatten(1)[..., None]
        if bool((log_odds > STEEPEST).any()):
            J = torch.where((log_odds > STEEPEST).flatten(1)[..., None], _steep_rows(found, J), J)
        H = J.mT @ (weight.flatten(1)[..., None] * J)
        return (H + H.mT) / (2 * self.settings.temperature**2)

    def _scaled(self, y: Tensor) -> Float64[Tensor, "N n n"]:
        """The scores of items at places over the temperature, in float64."""
        check_floating(y, "scores")
        if y.ndim not in (2, 3) or y.shape[1] < 2 or (y.ndim == 3 and y.shape[1] != y.shape[2]):
            raise ValueError(
                "sinkhorn assigns n >= 2 items to as many places: scores must be (N, n, n), or"
                f" (N, n) to be ranked, got {tuple(y.shape)}"
            )
        x = to_float64(y) / self.settings.temperature
        return x if y.ndim == 3 else _ranks(y.shape[1], x)[:, None] * x[:, None]

    def _pull(self, gradient: Float64[Tensor, "N n n"], y: Tensor) -> Float64[Tensor, "N m"]:
        """The derivative in y of what has this derivative in the scaled scores."""
        if y.ndim == 2:
            gradient = _ranks(y.shape[1], gradient) @ gradient
        return gradient.flatten(1) / self.settings.temperature

    def _balanced(self, x: Float64[Tensor, "N n n"], dtype: torch.dtype) -> _Plan:
        """The plan of scores, of zeros where one of a sample is not finite."""
        with torch.no_grad():
            x = x.detach()
            x = torch.where(x.isfinite().all(2).all(1)[:, None, None], x, 0.0)
            tolerance = CLOSE.get(dtype, CLOSE_ELSE)
            found = balance(x, tolerance, self.settings.sweeps)
            missed = ~(found.error <= tolerance)
            self._shortfall = None
            if bool(missed.any()):
                furthest = found.error.nan_to_num(torch.inf).max()
                self._shortfall = (
                    f"{int(missed.sum())} of {len(x)} plans are not balanced to"
                    f" {tolerance:g} after {self.settings.sweeps} sweeps (a column's sum is off by"
                    f" {furthest:.1g}), so that derivatives are not exact; raise the temperature or"
                    " the sweeps"
                )
                warnings.warn(f"sinkhorn: {self._shortfall}", RuntimeWarning, stacklevel=4)
            logits = x + found.potentials[:, None]
            log_plan, log_rest = (rows.mT for rows in log_rows(logits.mT))
            return _Plan(found.potentials, logits, log_plan.exp(), log_plan, log_rest)


def _truth(y: Tensor, target: Tensor | None) -> Float64[Tensor, "N n n"]:
    """The true permutations in float64.

    Raises:
        ValueError: they have another shape, or are no permutations.
    """
    size = (y.shape[0], y.shape[1], y.shape[1])
    if target is None or target.shape != size:
        got = "none" if target is None else str(tuple(target.shape))
        raise ValueError(
            f"sinkhorn compares with permutation matrices of shape (N, n, n) = {size}, got {got}"
        )
    check_permutations(target, "target")
    return to_float64(target.detach())


def _seen(tensor: Tensor, x: Float64[Tensor, "N n n"]) -> Tensor:
    """``tensor``, NaN for samples with a score that is not finite."""
    unseen: Tensor = (0 * x).sum((1, 2))
    return tensor + unseen.view(-1, *(1 for _ in tensor.shape[1:]))


def _ranks(n: int, like: Tensor) -> Float64[Tensor, " n"]:
    """c_r = 2 r - n - 1."""
    return 2 * torch.arange(n, dtype=like.dtype, device=like.device) + (1 - n)


def _steep_rows(found: _Plan, J: Float64[Tensor, "N nn m"]) -> Float64[Tensor, "N nn m"]:
    """-d log(1 - P), which is P / (1 - P) d log P, from the rows of J for the rest of each row.

    Where 1 - P is too small for the product of both factors: log P of the rest is not.
    """
    N, n = found.plan.shape[:2]
    share = (found.log_plan[:, :, None] - found.log_rest[..., None]).exp()
    share.diagonal(dim1=2, dim2=3).zero_()
    return -(share @ J.view(N, n, n, -1)).flatten(1, 2)


def _jacobian(found: _Plan, *, ranked: bool) -> Float64[Tensor, "N nn m"]:
    """The derivative of log P at (i, j) in y, without the factor 1 / τ.

    A row's own logits move log p_i by C_i; the columns' potentials answer with -C_i L^+ R_k to row
    k, where R_k = diag(p_k) C_k.
    """
    away = found.away()
    N, n = away.shape[:2]
    moves = found.plan[..., None] * away
    if ranked:
        ranks = _ranks(n, away)
        moves = torch.einsum("k,zkjl->zjl", ranks, moves)
        own = ranks[:, None, None] * away
    else:
        moves = moves.transpose(1, 2).reshape(N, n, n * n)
        own = away.new_zeros(N, n, n, n, n)
        own.diagonal(dim1=1, dim2=3).copy_(away.permute(0, 2, 3, 1))
    answers = away.reshape(N, n * n, n) @ column_solve(found.plan, moves)
    return own.reshape(answers.shape) - answers
