"""The extension point: what a loss must declare, and the losses of other people's packages."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.testing import assert_close

from newton_core import (
    Loss,
    LossParameters,
    build_loss,
    list_losses,
    newton_direction,
    register_loss,
)
from newton_core.losses import autodiff_derivatives
from newton_core.registry import DuplicateNameError, UnknownNameError

ROOT = Path(__file__).parents[3]


class CubeParameters(LossParameters):
    name: Literal["cube"] = "cube"


def declared(**attributes: Any) -> type[Loss]:
    """A loss class with everything that it needs, but for what ``attributes`` changes."""

    def forward(self: Loss, y: Tensor, target: Tensor | None = None) -> Tensor:
        return (y**3).flatten(1).sum(1)

    complete = {"Parameters": CubeParameters, "target_kind": "none", "forward": forward}
    return type("Cube", (Loss,), complete | attributes)


class TestAutodiff:
    def test_equals_the_derivatives_written_out(self) -> None:
        y = torch.tensor([[1.0, -2.0], [0.5, 3.0]])
        found = declared()().derivatives(y)
        assert_close(found.value, torch.tensor([-7.0, 27.125]))
        assert_close(found.gradient, 3 * y**2)
        assert_close(found.hessian, torch.diag_embed(6 * y))

    def test_the_hessian_is_symmetric_also_where_rounding_is_not(self) -> None:
        def coupled(y: Tensor, target: None) -> Tensor:
            return torch.exp(y[:, 0] * y[:, 1].sin() + y[:, 2] / y[:, 1])

        y = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
        hessian = autodiff_derivatives(coupled, y).hessian
        assert hessian is not None
        assert torch.equal(hessian, hessian.mT)

    def test_outputs_that_do_not_interact_have_zeros(self) -> None:
        hessian = autodiff_derivatives(
            lambda y, t: y[:, 0] ** 2 + y[:, 1], torch.ones(2, 3)
        ).hessian
        assert_close(hessian, torch.diag(torch.tensor([2.0, 0, 0])).expand(2, 3, 3))


class TestParameters:
    def test_they_may_be_declared_inside_the_class(self) -> None:
        class Scaled(Loss):
            class Parameters(LossParameters):
                name: Literal["scaled"] = "scaled"
                factor: float = 2.0

        assert Scaled().settings.model_dump() == {"name": "scaled", "factor": 2.0}
        assert Scaled(factor=3.0).settings.model_dump() == {"name": "scaled", "factor": 3.0}

    def test_a_loss_for_its_author_alone_needs_none(self) -> None:
        class Cosh(Loss):
            def forward(self, y: Tensor, target: Tensor | None = None) -> Tensor:
                return torch.cosh(y).flatten(1).sum(1)

        y = torch.tensor([[1.0, -2.0]])
        found = newton_direction(Cosh(), y, curvature="hessian", tikhonov=1.0)
        assert_close(found, torch.sinh(y) / (torch.cosh(y) + 1))
        with pytest.raises(TypeError, match="Cosh declares no Parameters, so it takes none"):
            Cosh(factor=2.0)
        example = r"class Parameters\(LossParameters\): name: Literal\['cosh'\] = 'cosh'"
        with pytest.raises(TypeError, match=rf"Cosh\.Parameters must be a subclass.*{example}"):
            register_loss(Cosh)
        with pytest.raises(TypeError, match=rf"takes none: write `{example}.* factor as fields"):
            Cosh(factor=2.0)


class TestRegistration:
    def test_a_name_can_be_taken_once(self) -> None:
        class Parameters(LossParameters):
            name: Literal["cross_entropy"] = "cross_entropy"

        with pytest.raises(DuplicateNameError, match="a loss named 'cross_entropy' is already"):
            register_loss(declared(Parameters=Parameters))

    def test_an_unknown_name_lists_the_known_ones(self) -> None:
        with pytest.raises(UnknownNameError, match=r"unknown loss 'sort'; known: .*neuralsort"):
            build_loss("sort")

    def test_unknown_parameters_are_refused(self) -> None:
        with pytest.raises(ValidationError, match="temperature"):
            build_loss("squared_error", temperature=1.0)

    def test_what_is_missing_is_named(self) -> None:
        class Nameless(LossParameters):
            name: str = "nameless"

        class Defaultless(LossParameters):
            name: Literal["a", "b"]

        for attributes, complaint in (
            ({"Parameters": dict}, "Cube.Parameters must be a subclass of LossParameters"),
            ({"Parameters": Nameless}, "Nameless must declare its name as a constant"),
            ({"Parameters": Defaultless}, "Defaultless must declare its name as a constant"),
            ({"target_kind": "image"}, "Cube.target_kind must be one of permutation, assignment"),
            ({"forward": Loss.forward}, r"Cube must define forward\(y, target\)"),
        ):
            with pytest.raises(TypeError, match=complaint):
                register_loss(declared(**attributes))
        assert "cube" not in list_losses()


GOOD = '''
from typing import Literal
from newton_core import Loss, LossParameters, register_loss

class HuberParameters(LossParameters):
    """Squared near the target, linear far from it."""
    name: Literal["huber"] = "huber"
    delta: float = 1.0

class Huber(Loss):
    """Huber's loss, summed over the outputs."""
    Parameters = HuberParameters
    target_kind = "value"

    def forward(self, y, target=None):
        import torch
        each = torch.nn.functional.huber_loss(
            y, target, reduction="none", delta=self.settings.delta
        )
        return each.flatten(1).sum(1)
'''
DECORATED = GOOD.replace("huber", "pseudo_huber", 2).replace(
    "class Huber(", "@register_loss\nclass Huber("
)
THIEF = GOOD.replace('"huber"', '"neuralsort"')

MODULES = {
    "good": GOOD,
    "decorated": DECORATED,
    "module_of_losses": DECORATED.replace("pseudo_huber", "huber_in_a_module"),
    "thief": THIEF,
    "broken": "import a_package_that_is_not_installed",
    "leaves": "raise SystemExit(3)",
    "function": "def loss(y, target): return y",
}
ENTRY_POINTS = """
[newton_lab.losses]
broken = broken:Loss
decorated = decorated:Huber
function = function:loss
gone = good:Hubert
good = good:Huber
leaves = leaves:Loss
module = module_of_losses
thief = thief:Huber
"""


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an installed distribution, as an installer leaves it."""
    site = tmp_path_factory.mktemp("site")
    for name, source in MODULES.items():
        (site / f"{name}.py").write_text(source)
    info = site / "huber_losses-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: huber-losses\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    return site


def python(plugins: Path, script: str) -> Any:
    """What ``script`` prints as JSON when the distribution is installed beside ours."""
    path = os.pathsep.join([str(plugins), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    return json.loads(done.stdout)


class TestEntryPoints:
    def test_good_ones_are_found_and_broken_ones_are_warned_about(self, plugins: Path) -> None:
        losses, messages = python(
            plugins,
            "import json, warnings\n"
            "with warnings.catch_warnings(record=True) as caught:\n"
            "    warnings.simplefilter('always')\n"
            "    import newton_core\n"
            "    assert not caught, 'nothing is loaded before it is asked for'\n"
            "    losses = newton_core.list_losses()\n"
            "print(json.dumps([losses, [str(w.message) for w in caught]]))",
        )
        assert {"huber", "pseudo_huber", "huber_in_a_module", "neuralsort"} <= set(losses)
        owner = "of huber-losses 1.2 in the group 'newton_lab.losses' is skipped"
        expected = [
            f"the entry point 'broken = broken:Loss' {owner}: ModuleNotFoundError: No module",
            f"the entry point 'function = function:loss' {owner}: TypeError: expected a subclass",
            f"the entry point 'gone = good:Hubert' {owner}: AttributeError: module 'good' has no",
            f"the entry point 'leaves = leaves:Loss' {owner}: SystemExit: 3",
            f"the entry point 'thief = thief:Huber' {owner}: DuplicateNameError: a loss named",
        ]
        assert len(messages) == len(expected)
        for message, start in zip(sorted(messages), expected, strict=True):
            assert message.startswith(start)

    def test_a_spec_may_name_them_and_training_works(self, plugins: Path) -> None:
        """Also when the plugin's own module was imported first, as its author's tests do."""
        settings, value = python(
            plugins,
            "import json, warnings\n"
            "warnings.simplefilter('ignore')\n"
            "import good, torch, newton_core\n"
            "from newton_core.experiment.arms import ArmSpec\n"
            "arm = ArmSpec.model_validate({'loss': {'name': 'huber', 'delta': 2.0}})\n"
            "loss = newton_core.NewtonLoss(newton_core.build_loss('huber', delta=2.0))\n"
            "value = loss(torch.ones(3, 2), torch.zeros(3, 2))\n"
            "print(json.dumps([arm.loss.model_dump(), value.item()]))",
        )
        assert settings == {"name": "huber", "delta": 2.0}
        assert value == pytest.approx((1 / 1.1) ** 2, rel=1e-6)
