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
from privml.units.correlations.products import (
    MatrixTriple,
    OperandMask,
    OperandTriple,
    ProductTriple,
)

__all__ = [
    "Array",
    "BitProducts",
    "Correlation",
    "CorrelationSource",
    "Field",
    "MatrixTriple",
    "OperandMask",
    "OperandTriple",
    "Pattern",
    "ProductTriple",
    "RandomBits",
    "RandomWord",
    "Shape",
    "TruncationMask",
    "products_of_shifts",
    "shifted",
]
