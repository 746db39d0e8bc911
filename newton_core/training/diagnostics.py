"""What a run measures beside training: metrics, spectra, the spread of gradient norms."""

from dataclasses import replace
from typing import TypedDict

import torch
from torch import Tensor, nn

from newton_core.curvature import (
    CurvatureError,
    NewtonStep,
    Spectrum,
    TikhonovRule,
    fisher_spectrum,
    hessian_spectrum,
)
from newton_core.curvature.damping import damped
from newton_core.experiment.events import NormHistogram, SpectrumRecord
from newton_core.losses.base import Derivatives
from newton_core.metrics import VALIDATION
from newton_core.records import finite
from newton_core.tasks import Task

LOG10_EDGES = [edge / 2 for edge in range(-24, 13)]
"""Bins half a decade wide from 1e-12 (vanished) to 1e6 (exploded)."""


class CurvatureFields(TypedDict):
    """What a ``curvature`` event holds beside its place in the run."""

    hessian: SpectrumRecord | None
    fisher: SpectrumRecord | None
    direction_cosine: float | None
    complement_condition: float | None
    gradient_norms: NormHistogram


def evaluation_fields(task: Task, model: nn.Module) -> dict[str, float | None]:
    """Each metric and its standard error under ``NAME_se``, NaN and infinity as None.

    Those of the test part have their own names, those of the validation part ``validation_`` before
    them, where there is one.
    """
    fields: dict[str, float | None] = {}
    measured = task.evaluate(model)
    measured |= {f"{VALIDATION}{name}": found for name, found in task.validate(model).items()}
    for name, metric in measured.items():
        fields[name] = finite(metric.value)
        fields[f"{name}_se"] = finite(metric.standard_error)
    return fields


def curvature_fields(
    derivatives: Derivatives,
    step: NewtonStep,
    blind: Tensor | None = None,
    rule: TikhonovRule = "fixed",
) -> CurvatureFields:
    """The fields of a ``curvature`` event, from derivatives with a Hessian if there is one.

    ``blind`` are the loss's invariant directions (k, m); ``rule`` says what sets the damping.

    It has the spectra of both curvatures under the step's other settings. A part that is not
    finite becomes null: the event says what could be measured.
    """
    gradient, hessian = derivatives.gradient, derivatives.hessian
    hessian_record = fisher_record = cosine = None
    try:
        step = damped(step, derivatives, rule)
        fisher_record = _record(fisher_spectrum(gradient, step.tikhonov, blind))
        if hessian is not None:
            hessian_record = _record(
                hessian_spectrum(hessian, step.tikhonov, step.definiteness, blind)
            )
            cosine = _cosine(
                replace(step, curvature="hessian").direction(derivatives),
                replace(step, curvature="fisher").direction(derivatives),
            )
    except CurvatureError:
        cosine = None
    own = {"hessian": hessian_record, "fisher": fisher_record}.get(step.curvature)
    return CurvatureFields(
        hessian=hessian_record,
        fisher=fisher_record,
        direction_cosine=cosine,
        complement_condition=None if own is None else own.complement_condition,
        gradient_norms=norm_histogram(torch.linalg.vector_norm(gradient, dim=1)),
    )


def norm_histogram(norms: Tensor) -> NormHistogram:
    """Counts of (N,) norms in the bins of LOG10_EDGES, zero and non-finite apart."""
    norms = norms.detach().double().cpu()
    is_finite = torch.isfinite(norms)
    positive = norms[is_finite & (norms > 0)].log10()
    inside = positive.clamp(LOG10_EDGES[0], LOG10_EDGES[-1])
    counts = torch.histogram(inside, torch.tensor(LOG10_EDGES, dtype=torch.float64)).hist
    return NormHistogram(
        log10_edges=LOG10_EDGES,
        counts=[int(count) for count in counts],
        zero=int((norms == 0).sum()),
        non_finite=int((~is_finite).sum()),
    )


def _record(spectrum: Spectrum) -> SpectrumRecord:
    return SpectrumRecord(
        eigenvalues=[finite(value) for value in spectrum.eigenvalues.tolist()],
        condition=finite(spectrum.condition),
        negative=spectrum.negative,
        complement_condition=finite(spectrum.complement_condition),
    )


def _cosine(a: Tensor, b: Tensor) -> float | None:
    """Cosine between two (N, m) directions over the whole batch; None where one vanishes."""
    product = torch.linalg.vector_norm(a.double()) * torch.linalg.vector_norm(b.double())
    return finite(((a.double() * b.double()).sum() / product).item())
