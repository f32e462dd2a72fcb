"""The laws of every kind of correlation, and that no draw is ever dealt twice."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from building_blocks.product import multiply
from privml.crypto.prg import Stream
from privml.errors import DrawReusedError, SecretExposureError, SettingError
from privml.units import dealer as dealer_module
from privml.units.correlations import (
    BitProducts,
    Correlation,
    DrawnMask,
    Field,
    MatrixTriple,
    OperandDigits,
    OperandMask,
    OperandProduct,
    OperandSquares,
    PieceMask,
    ProductTriple,
    RandomBits,
    RandomWord,
    TruncationMask,
    WeighedBits,
    Windows,
    shifted,
)
from privml.units.dealer import Dealer, DealtSource
from privml.units.ledger import MemoryLedger
from privml.units.role import Role
from tests.two_units import looks_uniform, make_units, run, split, suspicious

Array = NDArray[Any]


def sources(dealer: Dealer | None = None) -> tuple[DealtSource, DealtSource]:
    dealer = dealer or Dealer()
    return dealer.source(Role.MASTER), dealer.source(Role.SECONDARY)


def draw(correlation: Correlation, pair: Sequence[DealtSource] | None = None) -> list[Array]:
    """Both units' shares, put together."""
    master, secondary = (source.draw(correlation) for source in pair or sources())
    fields = [*correlation.bases, *correlation.derived]
    for share, field in zip([*master, *secondary], fields * 2, strict=True):
        assert share.shape == field.shape
        assert share.dtype == field.dtype
    return [field.join(one, other) for field, one, other in zip(fields, master, secondary, strict=True)]


@pytest.mark.parametrize(
    ("left", "right"), [((5,), (5,)), ((4, 1), (3,)), ((2, 3), (2, 3)), ((), ()), ((0,), (0,)), ((3,), ())]
)
def test_product_triple(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    a, b, c = draw(ProductTriple(left, right))
    np.testing.assert_array_equal(a * b, c)


@pytest.mark.parametrize(("n", "k", "m"), [(1, 1, 1), (3, 5, 2), (7, 0, 2), (0, 4, 3)])
def test_matrix_triple(n: int, k: int, m: int) -> None:
    a, b, c = draw(MatrixTriple(n, k, m))
    np.testing.assert_array_equal(a @ b, c)


def test_a_mask_serves_its_operand_again_and_again() -> None:
    pair = sources()
    drawn: list[tuple[DrawnMask, NDArray[np.uint64]]] = []
    for shape in ((5, 3), (3, 2), (5, 4)):
        reference = DrawnMask(shape, pair[0].position)
        drawn.append((reference, draw(OperandMask(shape), pair)[0]))
    (x, a), (y, b), (z, c) = drawn
    for _ in range(2):
        np.testing.assert_array_equal(draw(OperandProduct(x, y), pair)[0], a @ b)
        np.testing.assert_array_equal(draw(OperandProduct(x, z, transpose_left=True), pair)[0], a.T @ c)
    squares, sums = draw(OperandSquares(x, ((0, 1), (1, 3))), pair)
    np.testing.assert_array_equal(squares, a * a)
    np.testing.assert_array_equal(sums, np.stack([a[:, 0], a[:, 1] + a[:, 2]], axis=1) ** np.uint64(2))


@pytest.mark.parametrize("kept", [0, 1 << 15, 1 << 16, 1 << 26])
def test_the_dealer_keeps_masks_up_to_a_size_and_expands_others_anew(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dealer_module, "KEPT", kept)
    dealer = Dealer()
    pair, masks = sources(dealer), []
    for _ in range(3):
        drawn = DrawnMask((64, 64), pair[0].position)
        masks.append((drawn, draw(OperandMask(drawn.shape), pair)[0]))
    small = DrawnMask((64, 2), pair[0].position)
    (b,) = draw(OperandMask(small.shape), pair)
    for drawn, a in [*masks, masks[0], masks[0], *masks[::-1]]:
        np.testing.assert_array_equal(draw(OperandProduct(drawn, small), pair)[0], a @ b)
        assert sum(mask.nbytes for mask in dealer._masks.values()) == dealer._kept <= kept
    assert len(dealer._masks) == min(3, kept >> 15), "a small one is not worth it"
    # the last one used is there still
    assert kept < 1 << 15 or masks[0][0] in dealer._masks


@pytest.mark.parametrize("columns", [(), (0,), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("dtype", [np.uint16, np.uint64])
def test_digits_of_an_operands_mask(columns: tuple[int, ...], dtype: type[np.unsignedinteger[Any]]) -> None:
    pair = sources()
    (mask,) = draw(OperandMask((5, 3)), pair)
    patterns = (((0, 0), (0, 1)), ((0, 0), (0, 1), (0, 3)))
    r, one, two = draw(OperandDigits(DrawnMask((5, 3), 0), columns, dtype, patterns), pair)
    np.testing.assert_array_equal(r + mask[:, list(columns)], 0)
    low = r.astype(dtype)
    np.testing.assert_array_equal(one, low & shifted(low, 1))
    np.testing.assert_array_equal(two, low & shifted(low, 1) & shifted(low, 3))


@pytest.mark.parametrize("number", [-1, 1, 7])
def test_an_operand_must_have_been_drawn_before(number: int) -> None:
    pair = sources()
    draw(OperandMask((5, 3)), pair)
    with pytest.raises(SettingError, match="no operand's mask"):
        draw(OperandSquares(DrawnMask((5, 3), number)), pair)


@pytest.mark.parametrize("f", [1, 20, 62])
def test_truncation_mask(f: int) -> None:
    r, low, top = draw(TruncationMask((100,), f))
    np.testing.assert_array_equal(low, (r & np.uint64(2**63 - 1)) >> np.uint64(f))
    np.testing.assert_array_equal(top, r >> np.uint64(63))
    assert set(top.tolist()) == {0, 1}


@pytest.mark.parametrize(("dtype", "bits"), [(np.uint8, 1), (np.uint8, 8), (np.uint16, 13), (np.uint64, 64)])
def test_random_bits(dtype: type[np.unsignedinteger[Any]], bits: int) -> None:
    word, integers = draw(RandomBits((50,), bits, dtype))
    assert set(integers.reshape(-1).tolist()) == {0, 1}
    for bit in range(bits):
        np.testing.assert_array_equal(integers[:, bit], (word.astype(np.uint64) >> np.uint64(bit)) & np.uint64(1))


@pytest.mark.parametrize("shape", [(), (0,), (3, 50)])
def test_weighed_bits(shape: tuple[int, ...]) -> None:
    weights, bits, weighed = draw(WeighedBits(shape))
    np.testing.assert_array_equal(weighed, np.where(bits & 1, weights, 0))


PATTERNS = (((0, 0), (1, 0)), ((0, 1), (1, -2)), ((0, 0), (1, 0), (2, 3)), ((2, -1), (2, 0)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64])
def test_products_of_bits(dtype: type[np.unsignedinteger[Any]]) -> None:
    *words, first, second, third, fourth = draw(BitProducts((40,), dtype, 3, PATTERNS))
    m0, m1, m2 = words
    np.testing.assert_array_equal(first, m0 & m1)
    np.testing.assert_array_equal(second, (m0 << dtype(1)) & (m1 >> dtype(2)))
    np.testing.assert_array_equal(third, m0 & m1 & (m2 << dtype(3)))
    np.testing.assert_array_equal(fourth, (m2 >> dtype(1)) & m2)


def test_random_word() -> None:
    patterns = (((0, 0), (0, 1)), ((0, 0), (0, 1), (0, 2)))
    r, again, one, two = draw(RandomWord((40,), patterns))
    np.testing.assert_array_equal(r, again)
    np.testing.assert_array_equal(one, r & shifted(r, 1))
    np.testing.assert_array_equal(two, r & shifted(r, 1) & shifted(r, 2))


@pytest.mark.parametrize("windows", [Windows(11, 3), Windows(40, 4), Windows(-2, 11), Windows(58, 1)], ids=repr)
@pytest.mark.parametrize("degree", [1, 3])
@pytest.mark.parametrize("shape", [(), (0,), (2, 20)])
def test_piece_mask(shape: tuple[int, ...], degree: int, windows: Windows) -> None:
    r, words, powers, products, tables = draw(PieceMask(shape, windows, 5, degree))
    bits = words.astype(np.uint64) & np.uint64(1)
    assert powers.shape == (*shape, degree - 1)
    for k in range(degree + 1):
        power = r ** np.uint64(k)
        np.testing.assert_array_equal(products[..., k, :], bits * power[..., None])
        if k > 1:
            np.testing.assert_array_equal(powers[..., k - 2], power)
    assert tables.shape == (*shape, windows.count)
    for word, row in zip(r.reshape(-1).tolist(), tables.reshape(-1, windows.count).tolist(), strict=True):
        number = word << -windows.lowest if windows.lowest < 0 else word >> windows.lowest
        digits = [number >> 6 * index & 63 for index in range(windows.count)]
        if windows.lowest < 0:
            digits[0] >>= -windows.lowest
        *lower, highest = [[table >> d & 1 for d in range(64)] for table in row]
        assert lower == [[digit > d for d in range(64)] for digit in digits[:-1]]
        assert highest == [(d - digits[-1]) % 64 >= 32 for d in range(64)]


N = 3000
KINDS: dict[str, Correlation] = {
    "product": ProductTriple((N,), (N,)),
    "matrix": MatrixTriple(N // 4, 4, 4),
    "operand": OperandMask((N, 2)),
    "truncation": TruncationMask((N,), 20),
    "bits": RandomBits((N // 8,), 8),
    "bit products": BitProducts((N,), np.uint64, 2, (((0, 0), (1, 0)),)),
    "word": RandomWord((N,), (((0, 0), (0, 1)),)),
    "weighed bits": WeighedBits((N,)),
    "pieces": PieceMask((N,), Windows(5, 3), 3, 2),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_either_units_shares_alone_are_uniform(kind: Correlation) -> None:
    for source in sources():
        for share in source.draw(kind):
            assert looks_uniform(np.ascontiguousarray(share).reshape(-1).view(np.uint8))


def test_either_units_digits_of_a_mask_alone_are_uniform() -> None:
    for source in sources():
        (share,) = source.draw(OperandMask((N, 2)))
        word, product = source.draw(OperandDigits(DrawnMask((N, 2), 0), (0, 1), np.uint16, (((0, 0), (0, 1)),)))
        for seen in (word, product, word ^ share, word + share, word ^ np.negative(share)):
            assert looks_uniform(np.ascontiguousarray(seen).reshape(-1).view(np.uint8))


def test_corrections_alone_are_uniform_only_if_the_master_masks_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Field, "correct", lambda self, value, share: np.copyto(share, value))
    top = sources()[1].draw(KINDS["truncation"])[2]
    assert not looks_uniform(top.view(np.uint8))


def test_numbers_count_up_and_draws_differ() -> None:
    pair, kind = sources(), ProductTriple((4,), (4,))
    seen = []
    for number in range(5):
        assert [source.position for source in pair] == [number] * 2
        seen.append(draw(kind, pair))
    words = np.concatenate([array for arrays in seen for array in arrays])
    assert len(np.unique(words)) == words.size


def test_the_numbers_decide_and_not_the_moment() -> None:
    """Either unit may be ahead: shares of one number go together."""
    pair, kind = sources(), ProductTriple((4,), (4,))
    master = [pair[0].draw(kind) for _ in range(3)]
    secondary = [pair[1].draw(kind) for _ in range(3)]
    for one, other in zip(master, secondary, strict=True):
        a, b, c = (x + y for x, y in zip(one, other, strict=True))
        np.testing.assert_array_equal(a * b, c)


class TestReuse:
    KIND = ProductTriple((4,), (4,))

    def test_the_dealer_refuses_to_deal_a_number_again(self) -> None:
        dealer = Dealer()
        dealer.corrections(0, self.KIND)
        dealer.corrections(5, self.KIND)
        for number in (0, 3, 5):
            with pytest.raises(DrawReusedError, match=f"draw {number}"):
                dealer.corrections(number, self.KIND)
        dealer.corrections(6, self.KIND)

    def test_two_sources_of_one_deal(self) -> None:
        """As after restoring a unit's disk: the older one gets nothing for a number that is gone."""
        dealer = Dealer()
        current, older = dealer.source(Role.SECONDARY), dealer.source(Role.SECONDARY)
        for _ in range(3):
            current.draw(self.KIND)
        with pytest.raises(DrawReusedError):
            older.draw(self.KIND)

    def test_aligned_an_older_source_goes_on_behind_the_newer(self) -> None:
        dealer = Dealer()
        units = make_units(dealer=dealer)
        run(lambda unit: [unit.correlations.draw(self.KIND) for _ in range(3)], units=units)
        restored = make_units(dealer=dealer)
        units[0].correlations = restored[0].correlations  # the Master, which no dealer watches
        run(lambda unit: unit.align(), units=units)
        assert [unit.correlations.position for unit in units] == [3, 3]

    def test_a_source_does_not_go_back(self) -> None:
        source = Dealer().source(Role.MASTER, MemoryLedger(7))
        assert source.position == 7
        with pytest.raises(DrawReusedError):
            source.jump(6)

    def test_without_ledger_and_refusal_the_peer_reads_differences(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two products under one triple: the openings differ by what the factors differ by."""
        monkeypatch.setattr(MemoryLedger, "reserve", lambda self: 0)
        corrections: Callable[..., Any] = Dealer.corrections

        def forgetful(self: Dealer, number: int, correlation: Correlation) -> list[Array]:
            self._next = 0
            shares: list[Array] = corrections(self, number, correlation)
            return shares

        monkeypatch.setattr(Dealer, "corrections", forgetful)
        x, y = (split(np.full(3000, value)) for value in (1, 77))
        done = run(lambda unit, x, y: multiply(unit, x, x) + multiply(unit, y, y), x, y)
        assert suspicious(done.views[0])

    def test_with_them_it_does_not(self) -> None:
        x, y = (split(np.full(3000, value)) for value in (1, 77))
        done = run(lambda unit, x, y: multiply(unit, x, x) + multiply(unit, y, y), x, y)
        assert not suspicious(done.views[0])


class TestSecrets:
    def test_nothing_is_shown_pickled_or_copied(self) -> None:
        dealer = Dealer()
        things: list[Any] = [dealer, *sources(dealer)]
        for thing in things:
            for seed in dealer._seeds.values():
                assert seed.hex()[:8] not in repr(thing)
                assert repr(seed)[2:10] not in repr(thing)
            for exposure in (pickle.dumps, copy.copy, copy.deepcopy):
                with pytest.raises(SecretExposureError):
                    exposure(thing)

    def test_a_source_has_one_seed_only(self) -> None:
        dealer = Dealer()
        for role, source in zip(Role, sources(dealer), strict=True):
            assert source._seed == dealer._seeds[role]
        assert len(set(dealer._seeds.values())) == 2

    def test_the_masters_source_cannot_reach_the_dealer(self) -> None:
        assert sources()[0]._corrector is None

    def test_seeds_are_streams_of_their_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Every stream is opened under a unit's seed and the draw's number, nothing else."""
        opened: list[tuple[bytes, int]] = []

        class Watched(Stream):
            def __init__(self, seed: bytes, number: int) -> None:
                super().__init__(seed, number)
                self.seed = seed

            def restart(self, nonce: int) -> Self:
                opened.append((self.seed, nonce))
                return super().restart(nonce)

        monkeypatch.setattr(dealer_module, "Stream", Watched)
        dealer = Dealer()
        pair = sources(dealer)
        for _ in range(2):
            draw(KINDS["product"], pair)
        assert set(opened) == {(seed, number) for seed in dealer._seeds.values() for number in (0, 1)}


def test_a_fork_draws_nothing_of_its_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    source = sources()[0]
    source.draw(KINDS["product"])
    monkeypatch.setattr("os.getpid", lambda: -1)
    with pytest.raises(DrawReusedError, match="fork"):
        source.draw(KINDS["product"])
