"""How a renderer's Hessians are made, and how far they turn its gradient, while a network learns.

    python -m benchmarks.disc_hessians [--seeds 3]

The plain Adam arm of the preset discs-sgd is trained. Printed at a few steps, of one batch each:
the share of samples whose exact Hessian has a negative eigenvalue, the median condition (of the
eigenvalues' sizes), and the median angle between the gradient and the per-sample saddle-free
Newton step at three values of the damping.
"""

import argparse
import math

import torch
from torch import Tensor

from app.specs import read_spec
from newton_core.curvature.step import NewtonStep
from newton_core.losses import Derivatives, build_loss
from newton_core.training.context import build_task

STEPS = (0, 20, 100)
DAMPINGS = (30.0, 3.0, 0.3)


def angle(derivatives: Derivatives, tikhonov: float) -> float:
    """Median over the samples, in degrees."""
    step = NewtonStep("hessian", tikhonov, "per_sample", "saddle_free").direction(derivatives)
    cosine = torch.cosine_similarity(step, derivatives.gradient, dim=1).clamp(-1, 1)
    return math.degrees(cosine.acos().median().item())


def describe(eigenvalues: Tensor) -> str:
    """How many samples have a negative one, and the median condition."""
    sizes = eigenvalues.abs()
    negative = (eigenvalues[:, 0] < 0).double().mean().item()
    condition = (sizes.amax(1) / sizes.amin(1)).median().item()
    return f"negative {negative:4.0%}, condition {condition:4.1f}"


def main() -> None:
    """Trains and prints, one line a seed and step."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    preset = read_spec("discs-sgd")
    plain = next(arm for arm in preset.arms if (arm.curvature, arm.optimizer) == ("none", "adam"))
    loss = build_loss("soft_disc", **preset.loss.model_dump(exclude={"name"}))
    for seed in range(options.seeds):
        task = build_task(preset.model_copy(update={"seed": seed}))
        model = task.build_model()
        optimizer = torch.optim.Adam(model.parameters(), lr=plain.lr)
        for step in range(max(STEPS) + 1):
            batch = task.batch(step, preset.batch_size)
            y = model(batch.inputs)
            if step in STEPS:
                found = loss.derivatives(y.detach(), batch.target)
                assert found.hessian is not None
                turned = ", ".join(
                    f"{angle(found, tikhonov):.0f}° at λ {tikhonov:g}" for tikhonov in DAMPINGS
                )
                words = describe(torch.linalg.eigvalsh(found.hessian))
                print(f"seed {seed}, step {step:3}: {words}, turned by {turned}", flush=True)
            optimizer.zero_grad()
            loss(y, batch.target).mean().backward()
            optimizer.step()


if __name__ == "__main__":
    main()
