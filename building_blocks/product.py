"""Products of shared values: elementwise, dot, matrix, and with a matrix that is used again and again."""

from __future__ import annotations

from building_blocks.shares import Shares, open_shares, public
from privml.errors import SettingError
from privml.units.correlations import MatrixTriple, ProductTriple
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
