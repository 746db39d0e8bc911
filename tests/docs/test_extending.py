"""The package of ``docs/extending.md`` is found, described and trained as the page says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.figures import templates
from newton_core.models import MlpParameters
from tests.app.harness import LabServer, read_messages
from tests.docs.example_package import block, install, specs

ROOT = Path(__file__).parents[2]
GUESSING = 1 / 8


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of packages with the page's own, which every process started here can import."""
    folder = tmp_path_factory.mktemp("site")
    install(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(ROOT)]))
        patch.setenv("NEWTON_LAB_DATA_DIR", str(folder / "data"))
        yield folder


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[LabServer]:
    lab = LabServer(site / "server", fork_workers=0).start()
    try:
        yield lab
    finally:
        lab.close()


def python(*arguments: str, given: str = "") -> str:
    """What Python prints, ``given`` its input; warnings are errors."""
    command = [sys.executable, "-W", "error", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


RUN_ALL = """
import json, sys
from newton_core import ExperimentSpec, run
from newton_core.data import describe_datasets

specs = [ExperimentSpec.model_validate(spec) for spec in json.load(sys.stdin)]
summaries = [[*run(spec)][-1].summary for spec in specs]
print(json.dumps({
    "found": [[arm.metrics[s.primary_metric] for arm in s.arms] for s in summaries],
    "datasets": {status.name: status.detail for status in describe_datasets()},
}))
"""


@pytest.mark.usefixtures("site")
def test_its_loss_fits() -> None:
    printed = python("-m", "tilt.check_focal")
    assert "gradient   agrees with finite differences" in printed
    assert "curvature  'hessian' or 'fisher'" in printed


@pytest.mark.usefixtures("site")
def test_its_specs_train_in_python() -> None:
    printed = json.loads(python("-c", RUN_ALL, given=json.dumps(specs())))
    assert all(share > 2 * GUESSING for shares in printed["found"] for share in shares)
    assert printed["datasets"]["stripes"] == "loaded by tilt.stripes"


@pytest.mark.usefixtures("site")
def test_its_task_trains_from_the_command_line(tmp_path: Path) -> None:
    (spec,) = (spec for spec in specs() if spec["task"]["name"] == "angle")
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(spec), "utf-8")
    printed = json.loads(python("-m", "app.cli", "train", str(file), "--json"))
    network = MlpParameters().model_dump(mode="json")
    assert printed["spec"]["task"] == {**spec["task"], "model": network}


def test_the_catalogue_describes_all_four(server: LabServer) -> None:
    found = server.client.get("/api/catalog").json()
    *ours, own = found["losses"]
    assert "cross_entropy" in [loss["name"] for loss in ours]
    assert (own["name"], own["target_kind"]) == ("focal", "class")
    assert own["parameters"]["properties"]["gamma"]["maximum"] == 5.0
    tasks = {task["name"]: task for task in found["tasks"]}
    assert tasks["angle"]["primary_metric"] == "found"
    for task in ("angle", "classification"):
        properties = tasks[task]["parameters"]["properties"]
        assert "stripes" in properties["data"]["discriminator"]["mapping"]
        assert "linear" in properties["model"]["discriminator"]["mapping"]


@pytest.mark.parametrize("spec", specs(), ids=lambda spec: str(spec["task"]["name"]))
def test_its_specs_train_on_a_server(server: LabServer, spec: dict[str, Any]) -> None:
    server.finish(spec)


def landscape_of(server: LabServer, run_id: str) -> list[float]:
    """The loss along the line between two arms of a run."""
    body = {"space": "line", "run": run_id, "step": 3, "points": 11}
    with server.client.stream("POST", "/api/landscapes", json=body, timeout=120.0) as answer:
        first, *_ = read_messages(answer.iter_lines())
    assert first["event"] == "line", first
    return list(json.loads(first["data"])["line"]["values"])


def test_a_loss_that_changed_is_another_run(server: LabServer, site: Path) -> None:
    """Also without a restart: workers that have loaded the old code are replaced."""
    spec = {**specs()[0], "steps": 3}
    before = server.finish(spec)
    assert server.post(spec)["reused"]
    heights = landscape_of(server, before)
    code = site / "tilt" / "focal.py"
    original = code.read_text("utf-8")
    code.write_text(original.replace("weights * nats", "3.0 * weights * nats"), "utf-8")
    try:
        answer = server.post(spec)
        assert not answer["reused"]
        first = {
            run: next(event for event in server.events(run) if event["type"] == "metrics")
            for run in (before, answer["id"])
        }
        losses = [event["values"]["loss"][0] for event in first.values()]
        assert losses[1] == pytest.approx(3 * losses[0])
        higher = landscape_of(server, before)
        assert higher == pytest.approx([3 * height for height in heights]), "pictures follow too"
    finally:
        code.write_text(original, "utf-8")
    assert server.post(spec) == {**answer, "id": before, "status": "finished",
                                 "position": None, "reused": True,
                                 "changeable": True}  # fmt: skip


BOWL = """
from typing import Literal

from newton_core import Loss, LossParameters, register_loss


@register_loss
class Bowl(Loss):
    target_kind = "none"

    class Parameters(LossParameters):
        name: Literal["bowl"] = "bowl"

    def forward(self, y, target=None):
        return y.square().sum(dim=1)
"""

PICTURES = """
from pathlib import Path

import bowl
from app.errors import FieldError
from app.pictures.surfaces import loss_of

code = Path(bowl.__file__)
given = {"name": "bowl"}
loss_of(given, "none")
text = code.read_text()
code.write_text(text.replace("square()", "abs()"))
try:
    loss_of(given, "none")
except FieldError as error:
    print(error.errors()[0]["msg"])
code.write_text(text)
loss_of(given, "none")
"""


def test_pictures_of_the_server_itself_say_that_a_loss_has_changed(site: Path) -> None:
    """Surfaces, gradients and three numbers cannot load it anew."""
    (site / "bowl.py").write_text(BOWL, "utf-8")
    assert python("-c", PICTURES) == (
        "its code has changed since the server was started: start the server again\n"
    )


def test_its_chart_is_a_template() -> None:
    module = ModuleType("seconds")
    exec(compile(block("app/figures/seconds.py"), "app/figures/seconds.py", "exec"), vars(module))
    figure = json.loads(module.seconds().to_json())
    assert figure["layout"]["meta"]["chart"] == "seconds"
    assert figure["layout"]["meta"]["chart"] not in templates()
    assert [choice["metric"] for choice in figure["layout"]["meta"]["choices"]] == ["seconds"]
    assert {trace["meta"]["arm"] for trace in figure["data"]} == {"*"}


def test_its_panel_imports_what_the_page_has() -> None:
    file = "frontend/src/panels/spikes/SpikesPanel.tsx"
    imports = re.findall(r'^import \{ (.+) \} from "(.+)";$', block(file), re.M)
    assert imports
    for names, module in imports:
        source = (ROOT / file).parent.joinpath(f"{module}.ts").resolve().read_text("utf-8")
        for name in names.split(", "):
            assert re.search(rf"^export (?:const|function) {name}\b", source, re.M)
