"""What soft-DTW's Hessians are like while a network learns to forecast.

    python -m benchmarks.alignment_hessians [--seeds 2]

Trains the first arm of the preset ``forecast`` and prints, of a few batches, how many samples'
Hessians have a negative eigenvalue, the median of the largest one, and the median condition (of the
eigenvalues' sizes).
"""

import argparse

import torch

from app.specs import read_spec
from newton_core import build_loss
from newton_core.training.arm import Arm
from newton_core.training.context import build_task

LOOKS = (0, 20, 100, 300)
"""Steps after which the Hessians are described."""


def describe(seed: int) -> None:
    """Prints a line for each look."""
    preset = read_spec("forecast")
    loss = build_loss("soft_dtw", **preset.loss.model_dump(exclude={"name"}))
    task = build_task(preset.model_copy(update={"seed": seed}))
    arm = Arm(preset, 0, task.build_model())
    for step in range(max(LOOKS) + 1):
        batch = task.batch(step + 1, preset.batch_size)
        if step in LOOKS:
            hessians = loss.derivatives(arm.model(batch.inputs).double(), batch.target).hessian
            assert hessians is not None
            eigenvalues = torch.linalg.eigvalsh(hessians)
            sizes = eigenvalues.abs()
            negative = (eigenvalues[:, 0] < 0).double().mean().item()
            condition = (sizes.amax(1) / sizes.amin(1)).median().item()
            print(
                f"seed {seed}, step {step:3}: negative {negative:4.0%}, largest"
                f" {eigenvalues[:, -1].median():4.1f}, condition {condition:4.0f}",
                flush=True,
            )
        arm.update(batch, step + 1, observe=False)


def main() -> None:
    """Describes the Hessians of each seed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for seed in range(options.seeds):
        describe(seed)


if __name__ == "__main__":
    main()
