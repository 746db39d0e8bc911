import pytest

from newton_core.registry import DuplicateNameError, Registry, UnknownNameError


def test_entries_are_found_by_name_in_the_order_of_registration() -> None:
    registry: Registry[int] = Registry("number")
    registry.register("two")(2)
    assert registry.register("one")(1) == 1
    assert registry.get("one") == 1
    assert registry.names() == list(registry) == ["two", "one"]
    assert registry.values() == [2, 1]
    assert "two" in registry
    assert "three" not in registry
    assert len(registry) == 2


def test_a_duplicate_is_refused_and_the_first_entry_stays() -> None:
    registry: Registry[int] = Registry("number")
    registry.register("one")(1)
    with pytest.raises(DuplicateNameError, match="a number named 'one' is already registered"):
        registry.register("one")(11)
    assert registry.get("one") == 1


def test_an_unknown_name_lists_the_known_ones() -> None:
    registry: Registry[int] = Registry("number")
    with pytest.raises(UnknownNameError, match="unknown number 'one'; known: none"):
        registry.get("one")
    registry.register("two")(2)
    registry.register("three")(3)
    with pytest.raises(ValueError, match="unknown number 'one'; known: three, two"):
        registry.get("one")


@pytest.mark.parametrize("typed", ["neuralsrt", "NeuralSort", "neural_sort"])
def test_a_name_that_is_near_is_suggested(typed: str) -> None:
    registry: Registry[int] = Registry("loss")
    registry.register("neuralsort")(1)
    registry.register("beale")(2)
    with pytest.raises(UnknownNameError, match=f"'{typed}'; .*; did you mean 'neuralsort'"):
        registry.get(typed)
    with pytest.raises(UnknownNameError, match=r"unknown loss 'x'; known: beale, neuralsort$"):
        registry.get("x")


def test_discovery_happens_once_and_only_when_something_is_read() -> None:
    calls = []

    def discover() -> None:
        calls.append(registry.names())  # reading while discovering does not start over
        registry.register("found")(3)

    registry: Registry[int] = Registry("number", discover=discover)
    registry.register("own")(1)
    assert calls == []
    assert registry.names() == ["own", "found"]
    assert registry.get("found") == 3
    assert calls == [["own"]]
