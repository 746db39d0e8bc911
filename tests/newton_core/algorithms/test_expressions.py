"""Formulas: right values and derivatives, and no way past the whitelist."""

import math
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from newton_core.algorithms.expressions import (
    FUNCTIONS,
    MOST_CHARACTERS,
    FormulaError,
    parse_formula,
)

X = torch.tensor([1.5, -0.5, 0.25], dtype=torch.float64)
Y = torch.tensor([2.0, 0.5, -3.0], dtype=torch.float64)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", X),
        ("(1 - x)**2 + 100*(y - x**2)**2", (1 - X) ** 2 + 100 * (Y - X**2) ** 2),
        ("-x**2 + +y", -(X**2) + Y),
        ("sin(pi*x) / e", torch.sin(math.pi * X) / math.e),
        ("max(x, y) - min(x, y)", (X - Y).abs()),
        ("2**x", 2**X),
        ("abs(x)**1.5", X.abs() ** 1.5),
        ("  x\n + y\t", X + Y),
        ("1e-3*x + .5", 1e-3 * X + 0.5),
        ("0*x + 3", torch.full_like(X, 3.0)),
    ],
)
def test_values(text: str, expected: torch.Tensor) -> None:
    torch.testing.assert_close(parse_formula(text)(X, Y), expected)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_differentiable(name: str) -> None:
    arguments = "0.3 + x" if FUNCTIONS[name][0] == 1 else "x, y"
    x = torch.tensor([0.4], dtype=torch.float64, requires_grad=True)
    value = parse_formula(f"{name}({arguments})")(x, torch.zeros_like(x))
    (gradient,) = torch.autograd.grad(value.sum(), x)
    assert torch.isfinite(gradient).all()


def test_the_square_has_its_derivatives_at_zero() -> None:
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    value = parse_formula("x**2 + y**-2")(x, torch.ones_like(x))
    (first,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert (first.item(), second.item()) == (0.0, 2.0)


def test_values_that_do_not_exist_are_nan_or_infinite() -> None:
    value = parse_formula("log(x) + 1/y")(torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 0.0]))
    assert value[0].isnan()
    assert not value[1].isfinite()


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 0, "empty"),
        (" \n", 0, "empty"),
        ("x^2", 1, r"\*\* for powers"),
        ("3*x + 2y", 7, r"\* to multiply"),
        ("x y", 2, "not a formula"),
        ("(x + 1", 0, "not a formula"),
        (" x + ", 4, "too early"),
        ("  x + zz", 6, "known: x, y, pi, e"),
        ("x + sin", 4, r"sin\(\.\.\.\)"),
        ("x + sin(x, y)", 4, "one argument"),
        ("max(x)", 0, "2 arguments"),
        ("x*(y + 1)(x)", 2, "multiply"),
        ("x(y + 1)", 1, "multiply"),
        ("x + foo(x)", 4, "unknown function 'foo'"),
        ("pi + 1", 0, "neither x nor y"),
        ("x // 2", 1, "operators"),
        ("x, y", 0, "make a formula"),
        ("True * x", 0, "not a number"),
        ("x if y else x", 0, "make a formula"),
        ("not x", 0, "make a formula"),
        ("x and y", 0, "make a formula"),
        ("x is y", 0, "make a formula"),
        ("max(*x)", 0, "2 arguments"),
        ("max(x, *y)", 7, "make a formula"),
        ("__import__('os').system('true')", 11, "no place"),
        ("x.__class__", 1, "no place"),
        ("(lambda: x)()", 7, "no place"),
        ("[x for x in y]", 0, "no place"),
        ("x; y", 1, "no place"),
        ("x = y", 2, "no place"),
        ("x # comment", 2, "no place"),
        ("x\\\n+ y", 1, "no place"),
        ("x\0", 1, "no place"),
        ("\u03c0*x", 0, "no place"),
        ("x**65", 3, "exponents"),
        ("x**-65", 4, "exponents"),
        ("1e999*x", 0, "numbers"),
        ("9" * 200 + "*x", 0, "numbers"),
        ("0x10*x", 1, "multiply"),
        ("1_000*x", 1, "multiply"),
        ("x" * (MOST_CHARACTERS + 1), MOST_CHARACTERS, "characters"),
        ("-" * 100 + "x", 60, "nested"),
        ("+".join(["x"] * 150), 0, "nested"),
    ],
)
def test_errors_name_the_character(text: str, position: int, words: str) -> None:
    with pytest.raises(FormulaError, match=words) as caught:
        parse_formula(text)
    assert caught.value.position == position
    assert f"at character {position + 1}" in str(caught.value)


def test_too_many_parts() -> None:
    row = "(x+y+x+y+x+y+x+y)"
    with pytest.raises(FormulaError, match="more than 200 parts"):
        parse_formula("*".join([row] * 15))


@pytest.mark.parametrize("text", ["9**9**9**9*x", "x**(9**9**9)", "2**2**2**2**2**2**x"])
def test_towers_of_powers_do_not_hang(text: str) -> None:
    began = time.monotonic()
    parse_formula(text)(X, Y)
    assert time.monotonic() - began < 1.0


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="xyepi sin(){}[].,'\"_+-*/^0123456789=:@\n", max_size=60))
def test_anything_parses_or_is_refused(text: str) -> None:
    try:
        formula = parse_formula(text)
    except FormulaError as error:
        fits = 0 <= error.position <= len(text)
    else:
        fits = formula(X, Y).shape == X.shape
    assert fits
