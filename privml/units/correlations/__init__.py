"""Correlated randomness: what a draw consists of, and where a unit gets it."""

from privml.units.correlations.correlation import Array, Correlation, CorrelationSource, Field, Shape
from privml.units.correlations.digits import (
    BitProducts,
    Pattern,
    RandomBits,
    RandomWord,
    TruncationMask,
    products_of_shifts,
    shifted,
)
from privml.units.correlations.permutation import Permutation, order_of, permuted
from privml.units.correlations.pieces import PieceMask
from privml.units.correlations.products import (
    DrawnMask,
    MatrixTriple,
    OfOperands,
    OperandMask,
    OperandProduct,
    OperandSquares,
    ProductTriple,
    group_sums,
)

__all__ = [
    "Array",
    "BitProducts",
    "Correlation",
    "CorrelationSource",
    "DrawnMask",
    "Field",
    "MatrixTriple",
    "OfOperands",
    "OperandMask",
    "OperandProduct",
    "OperandSquares",
    "Pattern",
    "Permutation",
    "PieceMask",
    "ProductTriple",
    "RandomBits",
    "RandomWord",
    "Shape",
    "TruncationMask",
    "group_sums",
    "order_of",
    "permuted",
    "products_of_shifts",
    "shifted",
]
