"""Blocks on DT-PKC ciphertexts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from building_blocks.catalogue.block import Input, Values
from building_blocks.ciphertexts import arithmetic, comparison, functions
from building_blocks.ciphertexts.numbers import EncryptedNumbers
from building_blocks.conversion import Recipient
from building_blocks.fixed_point.exponential import EXP_ERROR
from building_blocks.fixed_point.logarithm import LOG_ERROR
from building_blocks.fixed_point.power import POWER_ERROR
from building_blocks.fixed_point.sigmoid import SIGMOID_ERROR
from privml.crypto.fixed_base import Encryptor
from privml.units.unit import Unit


@dataclass(frozen=True)
class CiphertextBlock:
    """A block on ciphertexts, as the table of blocks and the tests of all of them know it.

    All take `EncryptedNumbers` and give one ciphertext (T1, T2) a value under the recipient's key. All show the same:
    the Master masked words and ciphertexts under the recipient's key, the Secondary blinded plaintexts and masked
    words.

    Parameters
    ----------
    name
        Of the block, unique.
    function
        The public function that it is.
    formula
        What it computes, in a line.
    ranges
        For which inputs, in a line.
    error
        The stated bound, in words.
    rests_on
        The block on shares between the conversions.
    source
        Of the form on ciphertexts: paper and protocol.
    inputs
        Its encrypted operands, in order, as integers with their scale. Any of their values may meet any of the others'.
    reference
        The exact result, from the integers that go in (shapes as they go in): integers if the result has no fractional
        bits, else real numbers.
    tolerance
        The bound on the absolute error, as a number, or computed from the inputs.
    program
        How it is run, if not as ``function(unit, *operands, recipient)``.
    """

    name: str
    function: Callable[..., EncryptedNumbers]
    formula: str
    ranges: str
    error: str
    rests_on: str
    source: str
    inputs: Sequence[Input]
    reference: Callable[..., Any]
    tolerance: float | Callable[..., Any] = 0
    program: Callable[..., EncryptedNumbers] | None = None

    def run(self, unit: Unit, *operands: EncryptedNumbers, recipient: Recipient | None) -> EncryptedNumbers:
        """Run it between the units."""
        return (self.program or self.function)(unit, *operands, recipient)

    def encrypt(self, values: Sequence[Values], encryptor: Encryptor) -> list[EncryptedNumbers]:
        """Encrypt operands in their declared ranges and scales."""
        return [
            EncryptedNumbers.encrypt(each, encryptor, max(abs(x.low), abs(x.high)), x.fraction_bits or 0)
            for each, x in zip(values, self.inputs, strict=True)
        ]


def _magnitude(bits: int, shape: tuple[int, ...] = (), fraction_bits: int | None = None) -> Input:
    """Any integer of magnitude below 2^bits."""
    return Input(1 - 2**bits, 2**bits - 1, fraction_bits=fraction_bits, shape=shape)


POSITIVE: Final = Input(1, 2**40 - 1, fraction_bits=20)
F: Final = 20
"""Fractional bits of results, where they are asked for."""

LIU: Final = "Liu et al., IEEE TIFS 2016"

CIPHERTEXT_BLOCKS: Final = (
    CiphertextBlock(
        "key switch",
        arithmetic.secure_key_switch,
        "x, under the recipient's key",
        "|x| < 2^62",
        "exact",
        "none",
        f"form after {LIU}",
        (_magnitude(62),),
        lambda x: x,
    ),
    CiphertextBlock(
        "product",
        arithmetic.secure_product,
        "x y",
        "|x y| < 2^62 by the declared ranges",
        "exact; with truncation below 2^-f",
        "multiply",
        f"after {LIU}: SMD",
        (_magnitude(32), _magnitude(30)),
        lambda x, y: x * y,
    ),
    CiphertextBlock(
        "product, truncated",
        arithmetic.secure_product,
        "x y to f fractional bits",
        "|x y| < 2^62 before truncation",
        "below 2^-f",
        "multiply, truncate",
        f"after {LIU}: SMD",
        (_magnitude(30, fraction_bits=16), _magnitude(31, fraction_bits=20)),
        lambda x, y: x / 2**16 * (y / 2**20),
        tolerance=2.0**-16,
        program=lambda unit, x, y, recipient: arithmetic.secure_product(unit, x, y, recipient, 16),
    ),
    CiphertextBlock(
        "dot product",
        arithmetic.secure_dot_product,
        "sum of x_i y_i, for rows of 4",
        "sum of |x_i y_i| < 2^62",
        "exact; with truncation below 2^-f",
        "dot",
        f"after {LIU}: SMD",
        (_magnitude(30, (4,)), _magnitude(30, (4,))),
        lambda x, y: (x * y).sum(axis=-1),
    ),
    CiphertextBlock(
        "comparison",
        comparison.secure_comparison,
        "x < y, an integer 0 or 1",
        "|x - y| < 2^62",
        "exact",
        "sign",
        f"after {LIU}: SLT",
        (_magnitude(61), _magnitude(61)),
        lambda x, y: x < y,
    ),
    CiphertextBlock(
        "equality",
        comparison.secure_equality,
        "x = y, an integer 0 or 1",
        "|x - y| < 2^62",
        "exact",
        "is zero",
        f"after {LIU}: SEQ",
        (_magnitude(61), _magnitude(61)),
        lambda x, y: x == y,
    ),
    CiphertextBlock(
        "argmax",
        comparison.secure_argmax,
        "index of the largest, for rows of 4",
        "|x| < 2^62",
        "exact; the first of equals",
        "argmax",
        f"after {LIU}: SMMS",
        (_magnitude(62, (4,)),),
        lambda x: x.argmax(axis=-1),
    ),
    CiphertextBlock(
        "logarithm",
        functions.secure_logarithm,
        "log2(x), 28 fractional bits",
        "0 < x < 2^62 as an integer",
        f"{LOG_ERROR:g}",
        "log2, or ln",
        f"form after {LIU}",
        (POSITIVE,),
        lambda x: np.log2(x / 2**20),
        tolerance=LOG_ERROR,
    ),
    CiphertextBlock(
        "exponential",
        functions.secure_exponential,
        "e^x to f fractional bits",
        "e^x 2^f < 2^62",
        f"{EXP_ERROR:g} e^x + 2^-f",
        "exp",
        f"form after {LIU}",
        (Input(-(2**20), 2**20, fraction_bits=16),),
        lambda x: np.exp(x / 2**16),
        tolerance=lambda x: EXP_ERROR * np.exp(x / 2**16) + 2.0**-F,
        program=lambda unit, x, recipient: functions.secure_exponential(unit, x, recipient, F),
    ),
    CiphertextBlock(
        "sigmoid",
        functions.secure_sigmoid,
        "1 / (1 + e^-x) to f fractional bits",
        "any number",
        f"{SIGMOID_ERROR:g} + 2^-f",
        "sigmoid",
        f"form after {LIU}",
        (Input(-(2**20), 2**20, fraction_bits=16),),
        lambda x: 1 / (1 + np.exp(-x / 2**16)),
        tolerance=SIGMOID_ERROR + 2.0**-F,
        program=lambda unit, x, recipient: functions.secure_sigmoid(unit, x, recipient, F),
    ),
    CiphertextBlock(
        "division",
        functions.secure_division,
        "x / y to f fractional bits, y > 0",
        "|x| < 2^42 as an integer, twice |x / y| 2^f < 2^62",
        f"{POWER_ERROR:g} |x / y| + 3 2^-f",
        "divide",
        f"form after {LIU}",
        (_magnitude(40, fraction_bits=20), POSITIVE),
        lambda x, y: x / y,
        tolerance=lambda x, y: POWER_ERROR * np.abs(x / y) + 3 * 2.0**-F,
        program=lambda unit, x, y, recipient: functions.secure_division(unit, x, y, recipient, F),
    ),
    CiphertextBlock(
        "integer division",
        functions.secure_integer_division,
        "floor(x / y) and x mod y",
        "0 <= x < 2^49, 0 < y < 2^49",
        "exact",
        "divide integers",
        f"after {LIU}: SDIV",
        (Input(0, 2**49 - 1), Input(1, 2**49 - 1)),
        lambda x, y: np.stack([x // y, x % y], axis=-1),
    ),
)
