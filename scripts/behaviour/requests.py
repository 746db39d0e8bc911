"""What is asked of a server: every route, every kind of answer and of refusal."""

from typing import Any

Body = dict[str, Any]

READS = (
    ("health", "GET", "/api/health"),
    ("catalog", "GET", "/api/catalog"),
    ("figures", "GET", "/api/figures"),
    ("openapi", "GET", "/openapi.json"),
    ("openapi under api", "GET", "/api/openapi.json"),
    ("metrics", "GET", "/metrics"),
    ("page", "GET", "/"),
    ("page of a path", "GET", "/three-numbers"),
    ("page, head", "HEAD", "/"),
    ("no asset", "GET", "/assets/none.js"),
    ("no route", "GET", "/api/none"),
    ("no method", "POST", "/api/health"),
    ("no page", "POST", "/three-numbers"),
)
"""Name, method and path of what needs no run."""

_WALKERS = [
    {"method": "gradient_descent", "lr": 1e-3},
    {"method": "momentum", "lr": 1e-3, "momentum": 0.8},
    {"method": "adam", "lr": 0.05},
    {"method": "newton"},
    {"method": "newton", "definiteness": "clip", "tikhonov": 1.0},
    {"method": "newton", "definiteness": "saddle_free", "lr": 0.5, "label": "own"},
    {"method": "newton", "curvature": "fisher"},
    {"method": "newton", "hessian": "per_sample", "tikhonov": 10.0},
]
_SMALL = {"steps": 12, "points": 21}
_SCORES = [[0.4, -1.2, 2.0, 0.3], [1.0, 0.5, -0.5, 0.0], [3.0, -3.0, 0.1, 0.2]]
_COSTS = [[1.0, 2.0, 5.0], [3.0, 1.0, 0.5], [4.0, 1.5, 1.0]]


def _surface(**loss: Any) -> Body:
    return {"loss": loss, "walkers": _WALKERS, **_SMALL}


def _gradients(loss: Body, **more: Any) -> Body:
    return {"loss": loss, "scores": _SCORES, "points": 21, **more}


COMPUTATIONS: tuple[tuple[str, str, Body], ...] = (
    ("surfaces default", "/api/surfaces", {}),
    *(
        (f"surfaces {name}", "/api/surfaces", _surface(name=name))
        for name in (
            "rosenbrock",
            "himmelblau",
            "beale",
            "saddle",
            "monkey_saddle",
            "rastrigin",
            "styblinski_tang",
        )
    ),
    ("surfaces formula", "/api/surfaces", _surface(name="formula", expression="exp(x) + y**4")),
    (
        "surfaces within ranges",
        "/api/surfaces",
        {**_surface(name="beale"), "start": [0.5, 0.5], "x": [-1, 2], "y": [0, 1], "points": 22},
    ),
    (
        "surfaces, far off",
        "/api/surfaces",
        {"loss": {"name": "rosenbrock"}, "start": [900, -900], "walkers": [{"lr": 10}], **_SMALL},
    ),
    ("surfaces, no such", "/api/surfaces", {"loss": {"name": "neuralsort"}}),
    ("surfaces, bad formula", "/api/surfaces", _surface(name="formula", expression="import x")),
    ("surfaces, empty range", "/api/surfaces", {"x": [1, 1]}),
    ("surfaces, bad walker", "/api/surfaces", {"walkers": [{"method": "fly", "lr": -1}]}),
    ("surfaces, no walkers", "/api/surfaces", {"walkers": [], "steps": 0}),
    ("three numbers default", "/api/three-numbers", {}),
    *(
        (
            f"three numbers {loss['name']} {precision}",
            "/api/three-numbers",
            {"loss": loss, "walkers": _WALKERS, "precision": precision, "span": 3.0, **_SMALL},
        )
        for loss, precision in (
            ({"name": "softsort", "temperature": 0.1}, "float32"),
            ({"name": "neuralsort", "numerics": "bce_loss", "temperature": 0.01}, "float32"),
            ({"name": "logistic_dsn"}, "float64"),
            ({"name": "cauchy_dsn", "network": "bitonic"}, "float64"),
            ({"name": "gaussian_dsn", "numerics": "bce_loss"}, "float32"),
            ({"name": "reciprocal_dsn"}, "float32"),
            ({"name": "optimal_dsn"}, "float64"),
        )
    ),
    ("three numbers, even points", "/api/three-numbers", {"points": 22}),
    ("three numbers, no such", "/api/three-numbers", {"loss": {"name": "rosenbrock"}}),
    ("three numbers, bad loss", "/api/three-numbers", {"loss": {"name": "softsort", "heat": 1}}),
    ("gradients neuralsort", "/api/gradients", _gradients({"name": "neuralsort"})),
    (
        "gradients softsort",
        "/api/gradients",
        _gradients({"name": "softsort", "temperature": 0.05}, item=2, sample=1),
    ),
    (
        "gradients cauchy",
        "/api/gradients",
        _gradients(
            {"name": "cauchy_dsn"},
            order=[[1, 3, 2, 4]] * 3,
            steps=[
                {"definiteness": "clip"},
                {"definiteness": "saddle_free", "tikhonov": 1e-3},
                {"hessian": "per_sample"},
                {"curvature": "fisher", "tikhonov": 10},
            ],
            low=-30.0,
            high=5.0,
            vanishing=1e-2,
            exploding=2.0,
        ),
    ),
    ("gradients, no steps", "/api/gradients", _gradients({"name": "optimal_dsn"}, steps=[])),
    ("gradients, ragged", "/api/gradients", {"scores": [[1, 2], [1, 2, 3]]}),
    ("gradients, no item", "/api/gradients", _gradients({"name": "neuralsort"}, item=9)),
    ("gradients, empty range", "/api/gradients", _gradients({"name": "neuralsort"}, low=20)),
    (
        "gradients, bitonic three",
        "/api/gradients",
        {
            "loss": {"name": "logistic_dsn", "network": "bitonic"},
            "scores": [[1, 2, 3]],
            "points": 21,
        },
    ),
    ("paths default", "/api/perturbed-paths", {"costs": _COSTS}),
    (
        "paths antithetic",
        "/api/perturbed-paths",
        {"costs": _COSTS, "sigma": 2.0, "samples": 6, "antithetic": True, "seed": 4},
    ),
    ("paths, ragged", "/api/perturbed-paths", {"costs": [[1, 2], [1]]}),
    ("paths, negative", "/api/perturbed-paths", {"costs": [[1, -2], [1, 1]]}),
    (
        "paths, odd antithetic",
        "/api/perturbed-paths",
        {"costs": _COSTS, "samples": 5, "antithetic": True},
    ),
)
"""Name, path and body of what is computed at once."""

_RANKING, _SURFACES, _PERTURBED, _OWN_IMAGES = range(4)
_COARSE = {"points": 21, "samples": 8}

LANDSCAPES: tuple[tuple[str, int, Body], ...] = (
    ("filter-normalised", _RANKING, {"step": 7, **_COARSE}),
    ("trajectory", _RANKING, {"plane": "trajectory", "step": 12, **_COARSE}),
    ("principal", _RANKING, {"plane": "principal", "step": 9, **_COARSE}),
    ("arms", _RANKING, {"plane": "arms", "step": 5, "span": 2.0, **_COARSE}),
    ("at the start", _RANKING, {"plane": "trajectory", "step": 0, **_COARSE}),
    ("surface", _SURFACES, {"step": 20, **_COARSE}),
    ("surface, arms", _SURFACES, {"plane": "arms", "step": 40, **_COARSE}),
    ("surface, trajectory", _SURFACES, {"plane": "trajectory", "step": 40, **_COARSE}),
    ("maps", _PERTURBED, {"step": 6, "points": 21, "samples": 4}),
    ("own images", _OWN_IMAGES, {"plane": "principal", "step": 8, **_COARSE}),
    (
        "outputs",
        _RANKING,
        {"space": "outputs", "step": 6, "arm": 1, "points": 21, "samples": 6},
    ),
    (
        "outputs, newton",
        _RANKING,
        {
            "space": "outputs", "kind": "newton", "step": 12, "arm": 4, "sample": 2, "points": 21,
            "span": None, "damped": True, "samples": 6,
            "surrogates": [
                {"definiteness": "clip"}, {"curvature": "fisher"}, {"hessian": "per_sample"},
                {"definiteness": "saddle_free", "tikhonov": 1.0},
            ],
        },
    ),
    (
        "outputs, eigenvectors of the mean",
        _RANKING,
        {"space": "outputs", "kind": "eigenvectors", "sample": None, "points": 21, "samples": 6},
    ),
    (
        "outputs, coordinates",
        _PERTURBED,
        {"space": "outputs", "first": 3, "second": 0, "step": 3, "points": 21, "samples": 3},
    ),
    ("outputs of a surface", _SURFACES, {"space": "outputs", "step": 10, "points": 21}),
    ("outputs, no such arm", _RANKING, {"space": "outputs", "arm": 9, "points": 21}),
    ("outputs, no such output", _RANKING, {"space": "outputs", "first": 50, "points": 21}),
    ("outputs, no such sample", _RANKING, {"space": "outputs", "sample": 99, "samples": 2}),
    ("line", _RANKING, {"space": "line", "step": 12, "start": 0, "end": 4, "points": 11}),
    ("line on a surface", _SURFACES, {"space": "line", "step": 40, "end": 3, "points": 11}),
    ("line, no such arm", _RANKING, {"space": "line", "end": 60}),
    ("even points", _RANKING, {"points": 22}),
    ("no such plane", _RANKING, {"plane": "none", "step": -1}),
)  # fmt: skip
"""Name, number of the posted run, and body without ``run``."""

QUEUED: Body = {
    "task": {"name": "ranking", "n": 2, "test_sets": 2, "model": {"name": "mlp", "hidden": [2]}},
    "loss": {"name": "neuralsort"},
    "arms": [{"label": "Vanilla"}],
    "steps": 20,
    "batch_size": 1,
}
"""A run that is over at once."""

RESUMED: Body = {**QUEUED, "steps": 8000, "log_every": 20, "evaluate_every": 1000}
"""A run that is long enough to be stopped, with a snapshot every 400 steps."""

_MAPS = {"name": "shortest_path", "data": {"name": "terrain", "height": 60, "width": 60}}
REFUSED_SPECS: dict[str, Body] = {
    "nothing": {},
    "no such preset": {"preset": "none"},
    "preset with more": {"preset": "sgd", "steps": 3},
    "unknown field": {**QUEUED, "stepps": 3},
    "no such task": {**QUEUED, "task": {"name": "none"}},
    "no such loss": {**QUEUED, "loss": {"name": "none"}},
    "loss of another task": {**QUEUED, "loss": {"name": "rosenbrock"}},
    "own loss of another target": {
        **QUEUED,
        "task": {"name": "classification"},
        "loss": {"name": "cross_entropy"},
        "arms": [{}, {"loss": {"name": "squared_error"}}],
    },
    "bad numbers": {**QUEUED, "steps": 0, "batch_size": 1.5, "arms": [{"lr": -1}, {"lr": "x"}]},
    "no arms": {**QUEUED, "arms": []},
    "seven arms": {**QUEUED, "arms": [{}] * 7},
    "control with curvature": {**QUEUED, "arms": [{"curvature": "fisher", "gradient": "clip"}]},
    "late change": {**QUEUED, "changes": [{"step": 20, "arm": 0, "lr": 1}]},
    "change of no arm": {**QUEUED, "changes": [{"step": 2, "arm": 3, "lr": 1}]},
    "change of nothing": {**QUEUED, "changes": [{"step": 2, "arm": 0}]},
    "change of no curvature": {**QUEUED, "changes": [{"step": 2, "arm": 0, "tikhonov": 1}]},
    "change twice": {**QUEUED, "changes": [{"step": 2, "arm": 0, "lr": i} for i in (1, 2)]},
    "too many steps": {**QUEUED, "steps": 900_000, "evaluate_every": 1, "landscape_every": 2},
    "too large maps": {**QUEUED, "task": _MAPS, "loss": {"name": "bellman_ford"}},
    "too large batch": {
        **QUEUED,
        "task": {"name": "shortest_path", "data": {"name": "terrain", "height": 30, "width": 30}},
        "loss": {"name": "bellman_ford"},
        "batch_size": 1000,
    },
    "no such device": {**QUEUED, "device": "cuda:7"},
    "bad device": {**QUEUED, "device": "abacus"},
    "images from elsewhere": {
        **QUEUED, "task": {"name": "ranking", "data": {"name": "folder", "path": "../../etc"}}
    },
    "bad formula": {
        **QUEUED, "task": {"name": "surface"}, "loss": {"name": "formula", "expression": "x +"}
    },
}  # fmt: skip
"""Specs that are answered with 422, by what is wrong with them."""

_JSON = {"Content-Type": "application/json"}
_NO_RUN = "/api/runs/0123456789ab"
REFUSED_TARGETS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("run that is not there", "GET", _NO_RUN, {}),
    ("run of a bad id", "GET", "/api/runs/none", {}),
    ("events of no run", "GET", f"{_NO_RUN}/events", {}),
    ("export of no run", "GET", f"{_NO_RUN}/export?format=csv", {}),
    ("stop of no run", "POST", f"{_NO_RUN}/stop", {}),
    ("delete of no run", "DELETE", _NO_RUN, {}),
    ("pin of no run", "PATCH", _NO_RUN, {"json": {"pinned": True}}),
    ("landscape of no run", "POST", "/api/landscapes", {"json": {"run": "0123456789ab"}}),
    ("landscape of nothing", "POST", "/api/landscapes", {"json": {}}),
    ("events after nothing", "GET", f"{_NO_RUN}/events?after=-1", {}),
    ("list of none", "GET", "/api/runs?limit=0&offset=-1&status=lost", {}),
    ("no JSON", "POST", "/api/runs", {"content": b"{", "headers": _JSON}),
    ("too large", "POST", "/api/runs", {"content": b" " * 1_000_001, "headers": _JSON}),
    (
        "other site", "POST", "/api/runs",
        {"json": QUEUED, "headers": {"Sec-Fetch-Site": "cross-site"}},
    ),
)  # fmt: skip
"""Name, method, path and request of what is refused for where it goes or how it comes."""
