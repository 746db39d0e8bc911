"""What the lab's pages of pictures ask the server for a scene, and the answers."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from app.lessons.records import LessonPage, SceneView, TextBlock
from app.lessons.rendering import lab_links
from app.lessons.scenes import number_or_text
from app.pictures.gradients import GradientsRequest, gradients
from app.pictures.surfaces import SurfaceRequest, ThreeNumbersRequest, surfaces, three_numbers
from newton_core.metrics import EXPLODING, VANISHING

STEPS = 100
FORMULA = "(1 - x)**2 + 100*(y - x**2)**2"
Question = dict[str, Any]


def answered(pages: list[LessonPage]) -> list[dict[str, Any]]:
    """All that the pages of a lesson ask but runs: ``path``, ``question`` and ``answer`` of each.

    Asked are the scenes as they are, and as the links of their pages set them.

    Raises:
        RequestValidationError: a scene asks for something that there is not.
    """
    found: list[dict[str, Any]] = []
    for path, question in _asked(pages):
        if not any(one["path"] == path and one["question"] == question for one in found):
            found.append({"path": path, "question": question, "answer": _answer(path, question)})
    return found


def _asked(pages: list[LessonPage]) -> Iterator[tuple[str, Question]]:
    scene: SceneView | None = None
    for page in pages:
        scene = page.scene or scene
        if scene is None or scene.page == "compare":
            continue
        own = settings_of(scene.search)
        texts = [block.html for block in page.blocks if isinstance(block, TextBlock)]
        links = [settings_of(link) for text in texts for link in lab_links(text)]
        for settings in [own, *({**own, **link} for link in links)]:
            yield f"api/{scene.page}", question_of(scene.page, settings)


def settings_of(query: str) -> dict[str, Any]:
    """The settings in a query, numbers as numbers."""
    return {name: number_or_text(text) for name, text in parse_qsl(query.removeprefix("?"))}


def question_of(page: str, own: dict[str, Any]) -> Question:
    """What a page of the lab asks with these settings, in the words of the page itself."""
    if page == "surfaces":
        name = own.get("function", "rosenbrock")
        formula = {"expression": own.get("formula", FORMULA)} if name == "formula" else {}
        start = (
            {"start": [float(part) for part in own["start"].split(",")]} if "start" in own else {}
        )
        walkers = _surface_walks(own)
        return {"loss": {"name": name, **formula}, **start, "walkers": walkers, "steps": STEPS}
    if page == "three-numbers":
        return {
            "loss": _sorting_loss(own, "softsort", 0.05),
            "start": [own.get("across", 0.75), own.get("up", -0.5)],
            "walkers": _three_numbers_walks(own),
            "steps": STEPS,
            "span": own.get("range", 3),
        }
    damping = own.get("tikhonov", 0.1)
    return {
        "loss": _sorting_loss(own, "neuralsort", 0.1),
        "scores": [_scores(own)],
        "low": own.get("from", -10),
        "high": own.get("to", 10),
        "steps": [{"curvature": name, "tikhonov": damping} for name in ("hessian", "fisher")],
        "vanishing": own.get("vanishing", VANISHING),
        "exploding": own.get("exploding", EXPLODING),
    }


def _surface_walks(own: dict[str, Any]) -> list[dict[str, Any]]:
    lr, newton = own.get("lr", 0.001), own.get("newton", 1.0)
    damped = {"method": "newton", "lr": newton, "tikhonov": own.get("tikhonov", 0.1)}
    return [
        {"method": "gradient_descent", "lr": lr},
        {"method": "momentum", "lr": lr},
        {"method": "adam", "lr": own.get("adam", 0.05)},
        damped,
        damped | {"definiteness": "clip"},
        damped | {"definiteness": "saddle_free"},
    ]


def _three_numbers_walks(own: dict[str, Any]) -> list[dict[str, Any]]:
    lr = own.get("lr", 1.0)
    damped = {"method": "newton", "lr": lr, "tikhonov": own.get("tikhonov", 0.1)}
    return [
        {"method": "gradient_descent", "label": "Vanilla gradient descent", "lr": lr},
        damped | {"label": "Hessian"},
        damped | {"label": "Hessian, saddle-free", "definiteness": "saddle_free"},
        damped | {"label": "Fisher", "curvature": "fisher"},
    ]


def _sorting_loss(own: dict[str, Any], name: str, temperature: float) -> dict[str, Any]:
    name, sharpness = own.get("loss", name), own.get("temperature", temperature)
    numerics = own.get("numerics", "bce_loss")
    if name in ("neuralsort", "softsort"):
        return {"name": name, "temperature": sharpness, "numerics": numerics}
    network = {"network": own["network"]} if "network" in own else {}
    return {"name": name, "inverse_temperature": sharpness, "numerics": numerics, **network}


def _scores(own: dict[str, Any]) -> list[float]:
    if typed := own.get("scores"):
        return [float(part) for part in str(typed).split(",")]
    n = int(own.get("n", 5))
    return [index - (n - 1) / 2 for index in range(n)]


def _answer(path: str, question: Question) -> dict[str, Any]:
    match path:
        case "api/surfaces":
            return surfaces(SurfaceRequest.model_validate(question)).model_dump(mode="json")
        case "api/three-numbers":
            asked = ThreeNumbersRequest.model_validate(question)
            return three_numbers(asked).model_dump(mode="json")
        case _:
            return gradients(GradientsRequest.model_validate(question)).model_dump(mode="json")
