"""Correlated randomness: what a draw consists of, and where a unit gets it."""

from privml.units.correlations.correlation import (
    Array,
    Branch,
    Corrector,
    Correlation,
    CorrelationSource,
    Field,
    Shape,
)
from privml.units.correlations.digits import (
    BitProducts,
    OperandDigits,
    Pattern,
    RandomBits,
    RandomWord,
    TruncationMask,
    WeighedBits,
    products_of_shifts,
    shifted,
)
from privml.units.correlations.permutation import Permutation, order_of, permuted
from privml.units.correlations.pieces import PieceMask, Windows
from privml.units.correlations.products import (
    DrawnMask,
    MatrixTriple,
    OfOperands,
    OperandMask,
    OperandProduct,
    OperandSquares,
    ProductTriple,
    chosen_columns,
    group_sums,
)

__all__ = [
    "Array",
    "BitProducts",
    "Branch",
    "Corrector",
    "Correlation",
    "CorrelationSource",
    "DrawnMask",
    "Field",
    "MatrixTriple",
    "OfOperands",
    "OperandDigits",
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
    "WeighedBits",
    "Windows",
    "chosen_columns",
    "group_sums",
    "order_of",
    "permuted",
    "products_of_shifts",
    "shifted",
]
