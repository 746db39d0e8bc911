"""A user's own formula in x and y: parsed with ``ast``, checked and computed on tensors.

Only the syntax on a whitelist is allowed, and nothing is passed to ``eval``. Numbers become tensors
before any arithmetic, because a formula could otherwise make Python compute huge integers. Length,
number of nodes, depth and exponents are limited for the same reason.
"""

import ast
import math
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

MOST_CHARACTERS = 300
MOST_NODES = 200
MOST_DEPTH = 60
LARGEST_EXPONENT = 64.0
"""Bound on constant exponents: a surface with larger ones is too steep for any descent."""
LARGEST_NUMBER = 1e30

VARIABLES = ("x", "y")
CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS: dict[str, tuple[int, Callable[..., Tensor]]] = {
    "abs": (1, torch.abs),
    "atan": (1, torch.atan),
    "cos": (1, torch.cos),
    "cosh": (1, torch.cosh),
    "exp": (1, torch.exp),
    "log": (1, torch.log),
    "max": (2, torch.maximum),
    "min": (2, torch.minimum),
    "sigmoid": (1, torch.sigmoid),
    "sin": (1, torch.sin),
    "sinh": (1, torch.sinh),
    "sqrt": (1, torch.sqrt),
    "tan": (1, torch.tan),
    "tanh": (1, torch.tanh),
}
_BINARY: dict[type[ast.operator], Callable[[Tensor, Tensor], Tensor]] = {
    ast.Add: torch.add,
    ast.Sub: torch.sub,
    ast.Mult: torch.mul,
    ast.Div: torch.div,
    ast.Pow: torch.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[Tensor], Tensor]] = {
    ast.UAdd: torch.positive,
    ast.USub: torch.neg,
}
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<name>[A-Za-z_]\w*)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<operator>[+\-*/(),])",
    re.ASCII,
)


class FormulaError(ValueError):
    """The formula cannot be used; ``position`` is the 0-based index of the faulty character."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"{reason} (at character {position + 1})")
        self.reason = reason
        self.position = position


@dataclass(frozen=True)
class Formula:
    """A checked formula: call it with tensors x and y of the same shape."""

    text: str
    tree: ast.expr

    def __call__(self, x: Float[Tensor, "*S"], y: Float[Tensor, "*S"]) -> Float[Tensor, "*S"]:
        """The value at each point, differentiable; NaN or infinity where it is not defined."""
        value = _evaluate(self.tree, {"x": x, "y": y})
        return value.expand(x.shape) if value.shape != x.shape else value


def parse_formula(text: str) -> Formula:
    """Reads a formula such as ``(1 - x)**2 + 100*(y - x**2)**2``.

    It may use x, y, numbers, pi, e, + - * / ** and parentheses, and the functions in
    ``FUNCTIONS``; it must depend on x or y.

    Raises:
        FormulaError: it is too long, is not a formula, or uses anything else; the message says
            what is wrong at which character.
    """
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(
            f"the formula has {len(text)} characters, at most {MOST_CHARACTERS} are allowed",
            MOST_CHARACTERS,
        )
    _check_characters(text)
    indent = len(text) - len(text.lstrip())
    # A line break would end the expression; as a space it keeps every position.
    body = re.sub(r"\s", " ", text[indent:])
    if not body:
        raise FormulaError("the formula is empty: write one in x and y, such as x**2 + y**2", 0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the parser warns about style
            tree = ast.parse(body, mode="eval").body
    except SyntaxError as error:
        if not error.offset:  # the parser reached the end of the text
            raise FormulaError("the formula ends too early", indent + len(body.rstrip())) from None
        position = min(error.offset - 1, len(body) - 1) + indent
        raise FormulaError(f"this is not a formula: {error.msg}", position) from None
    except (MemoryError, RecursionError):
        raise FormulaError("the formula is nested too deeply", indent) from None
    _check_tree(tree, indent)
    return Formula(text, tree)


def _check_characters(text: str) -> None:
    """Refuses characters that no formula contains; Python's own messages would be less clear."""
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            character = text[position]
            hint = "; write ** for powers" if character == "^" else ""
            raise FormulaError(f"{character!r} has no place in a formula{hint}", position)
        end = match.end()
        after = text[end : end + 1]
        if match.lastgroup == "number" and (after.isalnum() or after in ("_", ".")):
            raise FormulaError(
                f"{match.group()} is followed by {after!r}: write * to multiply", end
            )
        position = end


def _check_tree(tree: ast.expr, indent: int) -> None:
    """Refuses every node that is not on the whitelist.

    The text is ASCII, so the column offsets of ``ast``, which count bytes, count characters.

    Raises:
        FormulaError: at the first such node.
    """
    nodes, names = 0, set()
    stack = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        nodes += 1
        position = node.col_offset + indent
        if nodes > MOST_NODES:
            raise FormulaError(f"the formula has more than {MOST_NODES} parts", position)
        if depth > MOST_DEPTH:
            raise FormulaError(f"the formula is nested deeper than {MOST_DEPTH} levels", position)
        match node:
            case ast.Constant(value=(bool() | None) as value):
                raise FormulaError(f"{value} is not a number", position)
            case ast.Constant(value=(int() | float()) as value):
                if not abs(value) <= LARGEST_NUMBER:
                    raise FormulaError(f"numbers end at {LARGEST_NUMBER:g}", position)
            case ast.Name(id=name):
                _check_name(name, position)
                names.add(name)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                stack.append((operand, depth + 1))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                if isinstance(op, ast.Pow):
                    _check_exponent(right, indent)
                stack += [(right, depth + 1), (left, depth + 1)]
            case ast.Call():
                _check_call(node, position)
                stack += [(argument, depth + 1) for argument in reversed(node.args)]
            case ast.BinOp(left=left):
                after = left.end_col_offset or left.col_offset
                raise FormulaError("only + - * / and ** are known as operators", after + indent)
            case _:
                raise FormulaError(
                    "only x, y, numbers, + - * / ** and functions make a formula", position
                )
    if not names & set(VARIABLES):
        raise FormulaError("the formula depends on neither x nor y", indent)


def _check_name(name: str, position: int) -> None:
    if name in FUNCTIONS:
        raise FormulaError(f"{name} is a function: write {name}(...)", position)
    if name not in VARIABLES and name not in CONSTANTS:
        known = ", ".join([*VARIABLES, *CONSTANTS])
        raise FormulaError(f"unknown name {name!r}; known: {known}", position)


def _check_call(node: ast.Call, position: int) -> None:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name in VARIABLES or name in CONSTANTS:
        raise FormulaError(f"{name} is no function: write * to multiply", position + len(name))
    if not name:
        raise FormulaError("this cannot be called: write * to multiply", position)
    if name not in FUNCTIONS:
        known = ", ".join(FUNCTIONS)
        raise FormulaError(f"unknown function {name!r}; known: {known}", position)
    count = FUNCTIONS[name][0]
    if node.keywords or len(node.args) != count:
        arguments = "one argument" if count == 1 else f"{count} arguments"
        raise FormulaError(f"{name} takes {arguments}", position)


def _check_exponent(exponent: ast.expr, indent: int) -> None:
    """Bounds a constant exponent; other exponents become tensors, which cannot grow without end."""
    while isinstance(exponent, ast.UnaryOp):
        exponent = exponent.operand
    if (
        isinstance(exponent, ast.Constant)
        and isinstance(exponent.value, int | float)
        and not abs(exponent.value) <= LARGEST_EXPONENT
    ):
        raise FormulaError(f"exponents end at {LARGEST_EXPONENT:g}", exponent.col_offset + indent)


def _evaluate(node: ast.expr, variables: dict[str, Tensor]) -> Tensor:
    """The value of a checked tree; numbers take the dtype and device of x."""
    match node:
        case ast.Constant(value=(int() | float()) as value):
            return variables["x"].new_tensor(float(value))
        case ast.Name(id=name):
            if name in variables:
                return variables[name]
            return variables["x"].new_tensor(CONSTANTS[name])
        case ast.UnaryOp(op=unary, operand=operand):
            return _UNARY[type(unary)](_evaluate(operand, variables))
        case ast.BinOp(left=left, op=binary, right=right):
            if isinstance(binary, ast.Pow) and (number := _number(right)) is not None:
                # As a plain number: the derivative of x**2 at 0 is then 0, not 0 * log 0.
                return _evaluate(left, variables) ** number
            return _BINARY[type(binary)](_evaluate(left, variables), _evaluate(right, variables))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return FUNCTIONS[name][1](*(_evaluate(argument, variables) for argument in arguments))
    raise AssertionError(f"{type(node).__name__} passed the whitelist")


def _number(node: ast.expr) -> float | None:
    """A signed constant as a number, anything else as None."""
    sign = 1.0
    while isinstance(node, ast.UnaryOp):
        sign = -sign if isinstance(node.op, ast.USub) else sign
        node = node.operand
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return sign * float(node.value)
    return None
