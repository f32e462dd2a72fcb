"""Every block on shares, once: how to run it, and two very different inputs of one shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from building_blocks import boolean, comparison, logarithm, operand, product, selection, truncation
from building_blocks.shares import Shares
from privml.units.unit import Unit

N = 12_000
Values = NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    """A block under test.

    `expected` gives the exact result from plain inputs; `tolerance` is what the result may exceed it by.
    """

    name: str
    program: Callable[..., Any]
    first: tuple[Values, ...]
    second: tuple[Values, ...]
    expected: Callable[..., Any]
    tolerance: int = 0
    boolean: bool = False
    rounds: int = 0
    bytes_each_way: float = 0.0


def full(value: int, *shape: int) -> Values:
    return np.full(shape or (N,), value, dtype=np.int64)


def _operand(unit: Unit, x: Shares, y: Shares) -> Shares:
    return operand.multiply_by_operand(unit, x, operand.fix_operand(unit, y))


def _less_than(unit: Unit, x: Shares, y: Shares) -> Shares:
    return comparison.bit_to_integer(unit, comparison.less_than(unit, x, y))


def _select(unit: Unit, bit: Shares, x: Shares, y: Shares) -> Shares:
    return selection.select(unit, bit, x, y)


def _to_integers(unit: Unit, x: Shares) -> Shares:
    return boolean.to_integers(unit, boolean.to_bits(unit, x, 16), 16)


def _lanes(x: Values) -> NDArray[np.int64]:
    return (x[..., None] >> np.arange(16)) & 1


CASES = (
    Case(
        "multiply",
        product.multiply,
        (full(0), full(0)),
        (full(-(2**62)), full(3)),
        lambda x, y: x * y,
        rounds=1,
        bytes_each_way=16,
    ),
    Case(
        "dot",
        product.dot,
        (full(0, N // 4, 4), full(0, N // 4, 4)),
        (full(7, N // 4, 4), full(-1, N // 4, 4)),
        lambda x, y: (x * y).sum(-1),
        rounds=1,
        bytes_each_way=64,
    ),
    Case(
        "matmul",
        product.matmul,
        (full(0, N // 4, 4), full(0, 4, 3000)),
        (full(5, N // 4, 4), full(-9, 4, 3000)),
        lambda x, y: x @ y,
        rounds=1,
        bytes_each_way=64,
    ),
    Case(
        "fixed operand",
        _operand,
        (full(0, N // 4, 4), full(0, 4, 3000)),
        (full(5, N // 4, 4), full(-9, 4, 3000)),
        lambda x, y: x @ y,
        rounds=2,
        bytes_each_way=64,
    ),
    Case(
        "truncate",
        lambda unit, x: truncation.truncate(unit, x, 20),
        (full(0),),
        (full(2**62 - 1),),
        lambda x: x >> 20,
        tolerance=1,
        rounds=1,
        bytes_each_way=8,
    ),
    Case(
        "sign",
        comparison.sign,
        (full(0),),
        (full(-(2**63)),),
        lambda x: x < 0,
        boolean=True,
        rounds=3,
        bytes_each_way=13,
    ),
    Case(
        "less than, as integer",
        _less_than,
        (full(0), full(0)),
        (full(-(2**61)), full(2**61)),
        lambda x, y: x < y,
        rounds=4,
        bytes_each_way=13.125,
    ),
    Case(
        "binary digits",
        boolean.to_bits,
        (full(0),),
        (full(-1),),
        lambda x: x.view(np.uint64),
        boolean=True,
        rounds=3,
        bytes_each_way=40,
    ),
    Case(
        "digits as integers",
        _to_integers,
        (full(0, 1500),),
        (full(2**16 - 1, 1500),),
        _lanes,
        rounds=3,
        bytes_each_way=32,
    ),
    Case(
        "select",
        _select,
        (full(0), full(1), full(-5)),
        (full(1), full(2**60), full(3)),
        lambda b, x, y: np.where(b == 1, x, y),
        rounds=1,
        bytes_each_way=16,
    ),
    Case(
        "argmax",
        lambda unit, x: selection.argmax(unit, x).index,
        (full(0, N // 4, 4),),
        (np.tile(np.arange(4), (N // 4, 1)),),
        lambda x: x.argmax(-1),
        rounds=5,
        bytes_each_way=82.5,
    ),
    Case(
        "argmax of many",
        lambda unit, x: selection.argmax(unit, x).index,
        (full(0, N // 10, 10),),
        (np.tile(np.arange(10), (N // 10, 1)),),
        lambda x: x.argmax(-1),
        rounds=12,
        bytes_each_way=601.875,
    ),
    Case(
        "maximum",
        selection.maximum,
        (full(0, N // 4, 4),),
        (np.tile(np.arange(4), (N // 4, 1)),),
        lambda x: x.max(-1),
        rounds=6,
        bytes_each_way=146.5,
    ),
    Case(
        "log2",
        logarithm.log2,
        (full(1),),
        (full(2**44 - 1),),
        lambda x: np.log2(x) * 2**28,
        tolerance=19,
        rounds=16,
        bytes_each_way=192,
    ),
    Case(
        "below thresholds",
        lambda unit, x: comparison.below_thresholds(unit, x, [-5, 0, 2**40]),
        (full(0, N // 3),),
        (full(-(2**61), N // 3),),
        lambda x: x[..., None] < np.array([-5, 0, 2**40]),
        boolean=True,
        rounds=3,
        bytes_each_way=23,
    ),
    Case(
        "is zero",
        comparison.is_zero,
        (full(0),),
        (full(-(2**63)),),
        lambda x: x == 0,
        boolean=True,
        rounds=3,
        bytes_each_way=12,
    ),
    Case(
        "equal",
        comparison.equal,
        (full(0), full(0)),
        (full(-(2**61)), full(2**61)),
        lambda x, y: x == y,
        boolean=True,
        rounds=3,
        bytes_each_way=12,
    ),
    Case(
        "equal to a public value",
        lambda unit, x: comparison.equal_to(unit, x, -7),
        (full(-7),),
        (full(2**62),),
        lambda x: x == -7,
        boolean=True,
        rounds=3,
        bytes_each_way=12,
    ),
    Case(
        "minimum",
        selection.minimum,
        (full(0, N // 4, 4),),
        (np.tile(np.arange(4), (N // 4, 1)),),
        lambda x: x.min(-1),
        rounds=6,
        bytes_each_way=146.5,
    ),
    Case(
        "second largest",
        lambda unit, x: selection.top_two(unit, x)[1].index,
        (full(0, N // 4, 4),),
        (np.tile(np.arange(4), (N // 4, 1)),),
        lambda x: np.argsort(-x, axis=-1, kind="stable")[..., 1],
        rounds=10,
        bytes_each_way=165,
    ),
    Case(
        "absolute value",
        selection.absolute,
        (full(0),),
        (full(-(2**62)),),
        np.abs,
        rounds=5,
        bytes_each_way=29.125,
    ),
    Case(
        "lookup",
        lambda unit, x: selection.lookup(unit, x, [7, -8, 9]),
        (full(0, N // 3),),
        (full(2, N // 3),),
        lambda x: np.array([7, -8, 9])[x],
        rounds=4,
        bytes_each_way=36.375,
    ),
)
