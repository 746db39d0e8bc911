"""Inverse diffusion on pictures: what did it look like, sharp, before the heat spread?"""

import math
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from typing_extensions import TypedDict

from newton_core.data import AnyImages, DigitImagesParameters, ImageDataset
from newton_core.losses.base import Loss, TargetKind
from newton_core.losses.simulator import SimulatorLoss
from newton_core.metrics import MetricDescription
from newton_core.models import AnyModel, MlpParameters, build_seeded
from newton_core.records import finite
from newton_core.seeding import generator
from newton_core.settings import setting
from newton_core.tasks.base import (
    Batch,
    Metric,
    SampleOutputs,
    Task,
    TaskParameters,
    json_record,
    register_task,
)
from newton_core.tasks.evaluation import average, counted_as, outputs
from newton_core.tasks.images import grey, png_data_url

EXAMPLES = 8
MOST_TEST_PICTURES = 300

ERROR = MetricDescription(
    "reconstruction_error",
    "Reconstruction error",
    "root mean square over pixels, of 0 (black) to 1",
    "Root mean square difference between the reconstructed and the true picture, white counted as"
    " 1; the mean over the test pictures.",
    better="lower",
    scale="log",
    bounds=(0.0, None),
    sampled=True,
    sentence="reconstructs pictures to an error of {value}",
)
BLURRED = MetricDescription(
    "seen_error",
    "Misfit",
    "root mean square over pixels, after diffusion",
    "Root mean square difference between the reconstruction, blurred again, and what was seen: all"
    " that the loss knows of.",
    better="lower",
    scale="log",
    bounds=(0.0, None),
    sampled=True,
    sentence="explains what was seen to {value}",
)


class HeatTaskParameters(TaskParameters):
    """Sharpen a picture that heat has blurred."""

    title = "Sharpen a blurred picture"
    name: Literal["heat"] = "heat"
    data: AnyImages = setting(DigitImagesParameters(), "The sharp pictures.", title="Data")
    noise: float = setting(
        0.02, "Standard deviation of the noise on what is seen, where white is 1.",
        title="Noise", scale="linear", ge=0.0, le=1.0,
    )  # fmt: skip
    model: AnyModel = setting(
        MlpParameters(hidden=(128, 128)),
        "The network, from what is seen to the heat of each pixel before.",
        title="Network",
    )

    def outputs_per_sample(self) -> SampleOutputs:
        """One a pixel, where the data's parameters say how many there are."""
        size = self.data.chosen_size()
        return SampleOutputs() if size is None else SampleOutputs(math.prod(size), ("data",))


@json_record
class HeatExample(TypedDict):
    """One test picture: the truth, what is seen of it, and what the network makes of that.

    Pictures are PNGs in ``data:`` URLs; the first two travel in an arm's first record alone.
    ``reconstruction`` and ``error``, its root mean square error, are null where not finite.
    """

    item: int
    image: str | None
    seen: str | None
    reconstruction: str | None
    error: float | None


@register_task
class HeatTask(Task[HeatTaskParameters]):
    """Blurred, noisy pictures in, sharp ones out; only blurred again are they judged in training.

    The run's loss is the diffusion. What is seen is the sharp picture after it, with noise that
    depends on the seed and the step alone. The truth enters the metrics, never the loss.
    """

    Parameters: ClassVar[type[TaskParameters]] = HeatTaskParameters
    metrics: ClassVar[tuple[MetricDescription, ...]] = (ERROR, BLURRED)
    primary_metric: ClassVar[str] = ERROR.name
    target_kinds: ClassVar[frozenset[TargetKind]] = frozenset({"picture"})
    _simulator: SimulatorLoss | None = None

    def prepare(self) -> None:
        """See :class:`~newton_core.tasks.base.Task`."""
        self._use(self.parameters.data.load())

    def _use(self, dataset: ImageDataset) -> None:
        self._dataset = dataset
        self._white = dataset.white
        self._train = self._bright(dataset.train.pixels)
        self._test_pixels = dataset.test.pixels[:MOST_TEST_PICTURES]
        self._test = self._bright(self._test_pixels)
        self._validation = None
        if dataset.validation is not None:
            self._validation = self._bright(dataset.validation.pixels[:MOST_TEST_PICTURES])

    def _bright(self, pixels: UInt8[Tensor, "N h w"]) -> Float[Tensor, "N h w"]:
        """Pictures with white as 1."""
        return (pixels.float() / self._white).to(self.device)

    def hold_out(self, share: float) -> None:
        """See :class:`~newton_core.tasks.base.Task`."""
        dataset = self._dataset.with_validation(share)
        if dataset is not self._dataset:
            self._use(dataset)

    def use_loss(self, loss: Loss) -> None:
        """Keeps the simulator, which blurs the pictures.

        Raises:
            ValueError: the loss simulates nothing.
        """
        if not isinstance(loss, SimulatorLoss):
            raise ValueError(
                "the task heat needs a loss that simulates diffusion, a SimulatorLoss; got"
                f" {type(loss).__name__}"
            )
        self._simulator = loss

    def warnings(self) -> tuple[str, ...]:
        """See :class:`~newton_core.tasks.base.Task`."""
        return self._dataset.warnings

    def build_model(self) -> nn.Module:
        """A network (N, 1, h, w) -> (N, h, w)."""
        shape = tuple(self._train.shape[1:])
        network = build_seeded(
            self.parameters.model, (shape[0], shape[1]), shape[0] * shape[1], self.seed
        )
        return nn.Sequential(network, nn.Unflatten(1, shape)).to(self.device)

    def batch(self, step: int, size: int) -> Batch:
        """``size`` pictures as they are seen: (size, 1, h, w), and (size, h, w) as the target."""
        random = generator(self.seed, "batch", step)
        chosen = torch.randint(len(self._train), (size,), generator=random)
        seen = self._seen(self._train[chosen.to(self.device)], random)
        return Batch(inputs=seen[:, None], target=seen)

    def evaluate(self, model: nn.Module) -> dict[str, Metric]:
        """``reconstruction_error`` and ``seen_error``, NaN where a reconstruction is not finite."""
        independent = self._dataset.test.independent
        return self._measure(model, self._test, self._test_seen(), independent)

    def validate(self, model: nn.Module) -> dict[str, Metric]:
        """The same on at most as many validation pictures."""
        if self._validation is None or self._dataset.validation is None:
            return {}
        seen = self._seen(self._validation, generator(0, "heat", "validation"))
        independent = self._dataset.validation.independent
        return self._measure(model, self._validation, seen, independent)

    def _measure(
        self,
        model: nn.Module,
        true: Float[Tensor, "N h w"],
        seen: Float[Tensor, "N h w"],
        independent: float | None,
    ) -> dict[str, Metric]:
        found = self._reconstruct(model, seen)
        again = self._diffused(found.to(self.device)).cpu()
        errors = {
            ERROR.name: average(_errors(found, true.cpu()).double()),
            BLURRED.name: average(_errors(again, seen.cpu()).double()),
        }
        return {name: counted_as(one, len(true), independent) for name, one in errors.items()}

    def examples(self, model: nn.Module, *, images: bool) -> list[HeatExample]:
        """The first eight test pictures."""
        seen = self._test_seen()[:EXAMPLES]
        found = self._reconstruct(model, seen)
        errors = _errors(found, self._test[:EXAMPLES].cpu())
        return [
            HeatExample(
                item=i,
                image=png_data_url(self._test_pixels[i], self._white) if images else None,
                seen=png_data_url(grey(seen[i])) if images else None,
                reconstruction=png_data_url(grey(found[i])) if error is not None else None,
                error=error,
            )
            for i, error in enumerate(finite(error) for error in errors.tolist())
        ]

    def _diffused(self, pictures: Float[Tensor, "N h w"]) -> Float[Tensor, "N h w"]:
        if self._simulator is None:
            raise RuntimeError("the heat task needs its diffusion: call use_loss(loss) first")
        with torch.no_grad():
            return self._simulator.simulate(pictures)

    def _seen(
        self, pictures: Float[Tensor, "N h w"], random: torch.Generator
    ) -> Float[Tensor, "N h w"]:
        blurred = self._diffused(pictures)
        noise = torch.randn(blurred.shape, generator=random).to(blurred)
        return blurred + self.parameters.noise * noise

    def _test_seen(self) -> Float[Tensor, "N h w"]:
        """What is seen of the test pictures, the same for every seed."""
        return self._seen(self._test, generator(0, "heat", "test"))

    def _reconstruct(
        self, model: nn.Module, seen: Float[Tensor, "N h w"]
    ) -> Float[Tensor, "N h w"]:
        """What the network makes of what is seen, on the CPU."""
        inputs = seen[:, None]
        return outputs(
            model, lambda part: inputs[part], samples=len(inputs), pixels=inputs[0].numel()
        )


def _errors(found: Float[Tensor, "N h w"], true: Float[Tensor, "N h w"]) -> Float[Tensor, " N"]:
    """Root mean square over each picture's pixels."""
    return (found - true).square().flatten(1).mean(1).sqrt()
