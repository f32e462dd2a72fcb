"""Tables from shared digits: those that the digits point to."""

from __future__ import annotations

import numpy as np
import pytest

from privml.units.correlations import Windows, products_of_shifts
from privml.units.ot.tables import PRODUCTS, packed_digits, tables_of


@pytest.mark.parametrize("windows", [Windows(3, 3), Windows(-2, 11), Windows(58, 1)], ids=repr)
def test_shares_add_up_to_the_tables_of_the_word(windows: Windows) -> None:
    rng = np.random.default_rng(1)
    word, mask = rng.integers(0, 2**64, (2, 70), dtype=np.uint64)
    shares = [windows.digits(each) for each in (mask, word ^ mask)]
    digits = [packed_digits(each) for each in shares]
    products = products_of_shifts([one ^ other for one, other in zip(*digits, strict=True)], PRODUCTS)
    masks = [rng.integers(0, 256, product.shape, dtype=np.uint8) for product in products]
    others = [product ^ mask for product, mask in zip(products, masks, strict=True)]
    found = tables_of(shares[0], digits[0], masks, is_master=True)
    found ^= tables_of(shares[1], digits[1], others, is_master=False)
    np.testing.assert_array_equal(found, windows.tables(word))
