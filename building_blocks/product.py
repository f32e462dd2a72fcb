"""Products of shared values: elementwise, dot, matrix, and with a matrix that is used again and again."""

from __future__ import annotations

from dataclasses import dataclass

from building_blocks.shares import Shares, Words, open_shares, public
from privml.errors import SettingError
from privml.units.correlations import MatrixTriple, OperandMask, OperandTriple, ProductTriple
from privml.units.unit import Unit


def multiply(unit: Unit, x: Shares, y: Shares) -> Shares:
    """Elementwise product [xy]; shapes broadcast as numpy does it.

    Beaver (CRYPTO 1991): with a shared triple c = ab, opening d = x - a and e = y - b gives xy = c + d*b + e*a + d*e.
    Exact modulo 2^64. One round, 8 bytes each way for every value of x and of y. Both units see d and e, which are
    uniform because a and b are, and used once.
    """
    a, b, c = map(Shares, unit.correlations.draw(ProductTriple(x.shape, y.shape)))
    d, e = open_shares(unit, x - a, y - b)
    # Master: c + d*b + e*(a + d); Secondary: c + d*b + e*a
    return c + b * d + (a + public(unit, d)) * e


def square(unit: Unit, x: Shares) -> Shares:
    """Elementwise square [x²]: a product with itself. One round, 16 bytes each way a value."""
    return multiply(unit, x, x)


def dot(unit: Unit, x: Shares, y: Shares) -> Shares:
    """Dot product over the last axis, [sum x_i y_i]; shapes broadcast. Cost and view as `multiply`."""
    return multiply(unit, x, y).sum(axis=-1)


def matmul(unit: Unit, x: Shares, y: Shares) -> Shares:
    """Matrix product [X Y] of shared (n, k) and (k, m).

    Beaver's triple on matrices (Mohassel and Zhang, IEEE S&P 2017): exact modulo 2^64. One round; 8 bytes each way for
    every value of X and of Y, however many products they enter. Both units see X - A and Y - B, uniform.

    Raises
    ------
    SettingError
        The inner sizes differ, or an operand is no matrix.
    """
    if len(x.shape) != 2 or len(y.shape) != 2 or x.shape[1] != y.shape[0]:
        raise SettingError(f"a matrix product needs shapes (n, k) and (k, m); got {x.shape} and {y.shape}")
    rows, inner = x.shape
    a, b, c = map(Shares, unit.correlations.draw(MatrixTriple(rows, inner, y.shape[1])))
    d, e = open_shares(unit, x - a, y - b)
    return c + d @ b + (a + public(unit, d)) @ e


@dataclass(frozen=True, slots=True)
class Operand:
    """A shared matrix that was opened once under its own mask, so that each product sends the other factor only.

    The mask belongs to this one matrix: a changed matrix needs a new `Operand`, or the difference would be opened.
    """

    masked: Words
    mask: Shares
    correlation: OperandMask
    number: int

    def __repr__(self) -> str:
        return f"Operand(shape={self.masked.shape})"


def fix_operand(unit: Unit, y: Shares) -> Operand:
    """Open a (k, m) matrix under its own mask: one round, 8 bytes each way a value; both units see Y - B, uniform."""
    if len(y.shape) != 2:
        raise SettingError(f"an operand is a matrix; got shape {y.shape}")
    correlation = OperandMask((y.shape[0], y.shape[1]))
    number = unit.correlations.position
    (mask,) = map(Shares, unit.correlations.draw(correlation))
    (masked,) = open_shares(unit, y - mask)
    return Operand(masked, mask, correlation, number)


def multiply_by_operand(unit: Unit, x: Shares, operand: Operand) -> Shares:
    """Matrix product [X Y] with a fixed (k, m) operand Y.

    With C = A B for the operand's own mask B: XY = C + (X - A) B + A (Y - B) + (X - A)(Y - B). Exact modulo 2^64. One
    round, 8 bytes each way for every value of X. Both units see X - A, uniform: A is fresh.
    """
    rows, inner = operand.correlation.shape[1], operand.correlation.shape[0]
    if len(x.shape) != 2 or x.shape[1] != inner:
        raise SettingError(f"the operand is ({inner}, {rows}); the other factor must be (n, {inner}), got {x.shape}")
    a, c = map(Shares, unit.correlations.draw(OperandTriple(x.shape[0], operand.correlation, operand.number)))
    (d,) = open_shares(unit, x - a)
    return c + d @ operand.mask + (a + public(unit, d)) @ operand.masked
