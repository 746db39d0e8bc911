from app.lessons.measuring import walk_curves
from app.lessons.records import Scene


def test_a_formula_left_out_is_the_one_that_the_page_begins_with() -> None:
    start = [-1.0, 1.0]
    left_out = Scene(page="surfaces", settings={"function": "formula", "start": start})
    same = Scene(page="surfaces", settings={"function": "rosenbrock", "start": start})
    found, expected = (
        walk_curves(scene)["Gradient descent"]["value"] for scene in (left_out, same)
    )
    assert [step for step, _ in found] == list(range(101))
    assert found[0] == expected[0] == (0, 4.0)
