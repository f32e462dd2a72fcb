"""Powers of e and of two, what is made of them, and piecewise polynomials."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from building_blocks import pieces
from building_blocks.catalogue.block import Block, Input, Values
from building_blocks.fixed_point import cubics, exponential, sigmoid, softmax

F: Final = 16
"""Fractional bits of arguments and results."""

ANY: Final = Input(-(2**40), 2**40)
ARGUMENT: Final = Input(-(8 << F), 8 << F, fraction_bits=F)
MARGIN: Final = Input(-(900 << F), 900 << F, fraction_bits=F)
SCORES: Final = Input(-(8 << F), 8 << F, fraction_bits=F, shape=(4,))

UNIT: Final = 2.0**-F
SEES: Final = "x + r, masked words and bits"
ALY: Final = "after Aly and Smart, ACNS 2019"
MINIONN: Final = "after MiniONN (Liu et al.), CCS 2017, 5.3"

# x² below 0, 3 x + 1 from there on
PIECES: Final = pieces.Pieces((0,), np.array([[[0, 0, 1]], [[1, 3, 0]]], dtype=np.uint64))


def _softmax(x: Values) -> Any:
    powers = np.exp((x - x.max(axis=-1, keepdims=True)) / 2**F)
    return powers / powers.sum(axis=-1, keepdims=True)


EXPONENTIALS: Final = (
    Block(
        "piecewise polynomials",
        pieces.evaluate_pieces,
        "a polynomial between any two of k public knots; here x² below 0, 3 x + 1 above",
        "|x| < 2^62",
        "exact modulo 2^64",
        MINIONN,
        (ANY,),
        lambda x: np.where(x < 0, x * x, 3 * x + 1),
        program=lambda unit, x: pieces.evaluate_pieces(unit, PIECES, x, 2**40)[..., 0],
        sees=SEES,
    ),
    Block(
        "exp2",
        exponential.exp2,
        "2^x, |x| <= 8, f = 16",
        "2^(x + f) < 2^62, |x| < 2^32",
        "4.3e-9 2^x + 2^-f",
        ALY,
        (ARGUMENT,),
        lambda x: np.exp2(x / 2**F),
        tolerance=lambda x: exponential.EXP_ERROR * np.exp2(x / 2**F) + UNIT,
        program=lambda unit, x: exponential.exp2(unit, x, F),
    ),
    Block(
        "exp",
        exponential.exp,
        "e^x, |x| <= 8, f = 16",
        "e^x 2^f < 2^62, |x| < 2^32",
        "4.3e-9 e^x + 2^-f",
        ALY,
        (ARGUMENT,),
        lambda x: np.exp(x / 2**F),
        tolerance=lambda x: exponential.EXP_ERROR * np.exp(x / 2**F) + UNIT,
        program=lambda unit, x: exponential.exp(unit, x, F),
    ),
    Block(
        "sigmoid",
        sigmoid.sigmoid,
        "1 / (1 + e^-x), f = 16",
        "any; |x| < 2^18 - 16 in so many rounds",
        "3.01e-5 + 2^-f",
        MINIONN,
        (MARGIN,),
        lambda x: 0.5 * (1 + np.tanh(x / 2 ** (F + 1))),
        tolerance=sigmoid.SIGMOID_ERROR + UNIT,
        program=lambda unit, x: sigmoid.sigmoid(unit, x, F),
        also=(cubics.evaluate_cubics,),
    ),
    Block(
        "softmax",
        softmax.softmax,
        "e^{x_i} / sum of e^{x_j}, rows of m = 4, f = 16",
        "any differences; below 2^18 - 16 in so many rounds",
        "(m + 1) 7.5e-6 + 2.4e-5 + 2^-f",
        "`maximum`, piecewise cubics",
        (SCORES,),
        _softmax,
        tolerance=softmax.softmax_error(4, F),
        program=lambda unit, x: softmax.softmax(unit, x, F),
    ),
)
