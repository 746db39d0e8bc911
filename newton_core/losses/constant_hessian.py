"""A Hessian that is the same everywhere, kept as its eigenvectors along each axis."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.tensors import to_float64


@dataclass(frozen=True)
class ConstantHessian:
    """The matrix Q diag(e) Q^T over outputs of shape S, where Q turns each axis by itself.

    Q is the Kronecker product of one U for each axis, so that a solve costs one small product an
    axis and, beyond the U, only as much memory as the right-hand side. A general matrix is the
    case of one axis.

    Attributes:
        shape: S, of a sample's outputs; (m,) where the matrix is over flat outputs.
        vectors: for each axis of S, its orthogonal U, square, one eigenvector a column, in
            float64; None where U is the identity.
        eigenvalues: of shape S, or one that broadcasts to it, in float64, none negative.
    """

    shape: torch.Size
    vectors: tuple[Tensor | None, ...]
    eigenvalues: Tensor

    @classmethod
    def of_matrix(cls, matrix: Float[Tensor, "m m"]) -> "ConstantHessian":
        """A positive semidefinite matrix over flat outputs, by its eigendecomposition."""
        eigenvalues, vectors = torch.linalg.eigh(to_float64(matrix))
        return cls(eigenvalues.shape, (vectors,), eigenvalues.clamp(min=0))

    def solve(self, right: Float[Tensor, "N m"], tikhonov: float) -> Float[Tensor, "N m"]:
        """(this + tikhonov I)^-1 of each row, in float64; a new ``tikhonov`` costs nothing."""
        turned = self._turn(to_float64(right).view(len(right), *self.shape), back=False)
        return self._turn(turned / (self.eigenvalues + tikhonov), back=True).flatten(1)

    def matrix(self) -> Float[Tensor, "m m"]:
        """All of it, (m, m) in float64."""
        m = self.shape.numel()
        rows = torch.eye(m, dtype=torch.float64, device=self.eigenvalues.device)
        turned = self._turn(rows.view(m, *self.shape), back=False)
        return self._turn(turned * self.eigenvalues, back=True).reshape(m, m)

    def _turn(self, rows: Float[Tensor, " N *S"], *, back: bool) -> Float[Tensor, " N *S"]:
        """Each row in the basis of the eigenvectors, or ``back`` from it."""
        for axis, vectors in enumerate(self.vectors, start=1):
            if vectors is not None:
                basis = vectors.mT if back else vectors
                rows = torch.tensordot(rows, basis, dims=([axis], [0])).movedim(-1, axis)
        return rows
