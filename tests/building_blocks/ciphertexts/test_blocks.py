"""What holds for every block on ciphertexts: it is right, it shows nothing, and it says no before it sends anything."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from building_blocks.catalogue.block import Values
from building_blocks.catalogue.ciphertext_blocks import CIPHERTEXT_BLOCKS, CiphertextBlock
from building_blocks.ciphertexts.numbers import EncryptedNumbers
from building_blocks.conversion import Recipient
from privml.crypto.ciphertext import CiphertextVector
from privml.crypto.dtpkc import PublicParameters, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.packing import Layout
from privml.crypto.randomness import random_bits
from privml.crypto.wire import loads
from privml.errors import DecryptionError, ParameterMismatchError, PrivMLError, SettingError
from privml.units.unit import Unit
from tests.building_blocks.ciphertexts.running import KeyShares, run_block
from tests.two_units import Run, looks_uniform, make_units

GENERATOR = np.random.default_rng(7)

each_block = pytest.mark.parametrize("block", CIPHERTEXT_BLOCKS, ids=lambda block: block.name)


def execute(
    block: CiphertextBlock,
    shares: KeyShares,
    values: Sequence[Values],
    encryptor: Encryptor,
    recipient: Recipient,
    n_jobs: int = 1,
) -> Run[EncryptedNumbers]:
    def program(unit: Unit, *operands: EncryptedNumbers) -> EncryptedNumbers:
        return block.run(unit, *operands, recipient=recipient)

    return run_block(program, shares, *block.encrypt(values, encryptor), n_jobs=n_jobs)


def samples(block: CiphertextBlock, batch: int | tuple[int, ...] = 12) -> list[Values]:
    """Ends of the declared ranges and all magnitudes, in orders of their own; but the last of all is equal."""
    values = [x.sample(batch, GENERATOR) for x in block.inputs]
    for own, x in zip(values[1:], block.inputs[1:], strict=True):
        GENERATOR.shuffle(own.reshape(-1))
        if own.size and x == block.inputs[0]:
            own.reshape(-1)[-1] = values[0].reshape(-1)[-1]
    return values


def check(block: CiphertextBlock, result: EncryptedNumbers, values: Sequence[Values], key: WeakPrivateKey) -> None:
    got, expected = result.decrypt(key), np.asarray(block.reference(*values))
    assert got.shape == expected.shape
    tolerance = block.tolerance(*values) if callable(block.tolerance) else block.tolerance
    if result.fraction_bits == 0 and not np.any(tolerance):
        np.testing.assert_array_equal(got, expected)
    else:
        assert np.all(np.abs(got / 2**result.fraction_bits - expected) <= tolerance)


@each_block
def test_the_recipient_reads_what_the_block_computes(
    block: CiphertextBlock, key_shares: KeyShares, encryptor: Encryptor, client_key: WeakPrivateKey
) -> None:
    for _ in range(3):
        values = samples(block)
        done = execute(block, key_shares, values, encryptor, client_key.public_key)
        check(block, done.master, values, client_key)


@each_block
def test_all_ends_of_the_declared_ranges_meet(
    block: CiphertextBlock, key_shares: KeyShares, encryptor: Encryptor, client_key: WeakPrivateKey
) -> None:
    ends = np.array(list(product(*([x.low, x.high] for x in block.inputs))), dtype=np.int64)
    values = [
        np.broadcast_to(column.reshape(-1, *[1] * len(x.shape)), (len(ends), *x.shape)).copy()
        for column, x in zip(ends.T, block.inputs, strict=True)
    ]
    done = execute(block, key_shares, values, encryptor, client_key.public_key)
    check(block, done.master, values, client_key)


@each_block
@pytest.mark.parametrize("shape", [(), (0,), (2, 3), (2, 0, 3)], ids=str)
def test_batches_of_any_shape(
    block: CiphertextBlock,
    shape: tuple[int, ...],
    key_shares: KeyShares,
    encryptor: Encryptor,
    client_key: WeakPrivateKey,
) -> None:
    values = samples(block, shape)
    done = execute(block, key_shares, values, encryptor, client_key.public_key, n_jobs=2)
    assert done.master.shape[: len(shape)] == shape
    check(block, done.master, values, client_key)


@each_block
def test_operands_under_mixed_keys(
    block: CiphertextBlock,
    key_shares: KeyShares,
    encryptor: Encryptor,
    owner_key: WeakPrivateKey,
    client_key: WeakPrivateKey,
) -> None:
    """Every other element is under another key, and none has a T2."""
    other = Encryptor(client_key.public_key, exponent="full")
    values = samples(block)

    def alternating(one: EncryptedNumbers, two: EncryptedNumbers) -> EncryptedNumbers:
        assert one.vector is not None
        assert two.vector is not None
        t1 = [pair[index % 2] for index, pair in enumerate(zip(one.vector.t1, two.vector.t1, strict=True))]
        return EncryptedNumbers(CiphertextVector(other.parameters, tuple(t1)), one.shape, one.bound, one.fraction_bits)

    operands = list(map(alternating, block.encrypt(values, encryptor), block.encrypt(values, other)))
    done = run_block(lambda unit, *x: block.run(unit, *x, recipient=owner_key.public_key), key_shares, *operands)
    check(block, done.master, values, owner_key)
    with pytest.raises(DecryptionError):
        done.master.decrypt(client_key)


@each_block
def test_results_take_part_in_homomorphic_arithmetic(
    block: CiphertextBlock, key_shares: KeyShares, encryptor: Encryptor, client_key: WeakPrivateKey
) -> None:
    recipient = Encryptor(client_key.public_key)
    result = execute(block, key_shares, samples(block), encryptor, recipient).master
    half = EncryptedNumbers(result.vector, result.shape, 2**60, result.fraction_bits)  # of which two can be added
    ones = EncryptedNumbers.encrypt(np.ones(result.shape, dtype=np.int64), recipient, 1, result.fraction_bits)
    expected = 2 * result.decrypt(client_key).reshape(-1).astype(object) - 1
    computed = (half + half - ones).vector
    assert computed is not None
    assert client_key.decrypt_vector(computed) == expected.tolist()


@each_block
def test_one_trace_for_all_values(
    block: CiphertextBlock, key_shares: KeyShares, encryptor: Encryptor, client_key: WeakPrivateKey
) -> None:
    lowest, highest = ([x.constant(v, 10) for x, v in zip(block.inputs, row, strict=True)] for row in ends(block))
    one, other = (execute(block, key_shares, values, encryptor, client_key.public_key) for values in (lowest, highest))
    assert [view.trace for view in one.views] == [view.trace for view in other.views]


class Watched:
    """The slots that the Secondary decrypts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.slots: list[tuple[int, int]] = []
        """Each with the number of its bits that are blinded."""
        unpack = Layout.unpack_blinded_residues

        def watched(layout: Layout, plaintexts: Sequence[int], parameters: PublicParameters) -> NDArray[np.uint64]:
            bits = layout.total_bits + layout.sigma
            self.slots += [(slot, bits) for slot in layout.unpack_blinded(plaintexts, parameters)]
            return unpack(layout, plaintexts, parameters)

        monkeypatch.setattr(Layout, "unpack_blinded_residues", watched)

    def look_uniform(self) -> bool:
        """All bits that a blinding covers, from above and from below; and nothing above."""
        whole = min(bits for _, bits in self.slots) // 8
        low = b"".join((slot % (1 << 8 * whole)).to_bytes(whole, "little") for slot, _ in self.slots)
        high = b"".join((slot >> bits - 16).to_bytes(4, "little")[:2] for slot, bits in self.slots)
        inside = all(slot < 1 << bits for slot, bits in self.slots)
        return inside and all(looks_uniform(np.frombuffer(part, np.uint8)) for part in (low, high))


@each_block
def test_views_are_uniform(
    block: CiphertextBlock,
    key_shares: KeyShares,
    encryptor: Encryptor,
    client_key: WeakPrivateKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipient = Encryptor(client_key.public_key)
    for row in ends(block):
        watched = Watched(monkeypatch)
        values = [x.constant(v, 700) for x, v in zip(block.inputs, row, strict=True)]
        done = execute(block, key_shares, values, encryptor, recipient)
        assert len(watched.slots) >= 700
        assert watched.look_uniform()
        # the Secondary's first frame are the blinded ciphertexts, the Master's last one those for the recipient
        for frame in (*done.views[1].received[1:], *done.views[0].received[:-1]):
            assert looks_uniform(np.frombuffer(frame, np.uint8))
        part = loads(done.views[0].received[-1], CiphertextVector, recipient.parameters)
        assert len({*part.t1, *(part.t2 or ())}) == 2 * done.master.size


class TestPlantedLeaks:
    BLOCK = CIPHERTEXT_BLOCKS[0]

    @pytest.mark.parametrize("missing", [64, 8, 3])
    def test_a_blinding_that_is_too_short_is_found(
        self,
        missing: int,
        key_shares: KeyShares,
        encryptor: Encryptor,
        client_key: WeakPrivateKey,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def short(self: Layout, parameters: PublicParameters) -> tuple[NDArray[np.uint64], list[int]]:
            rho = [int(random_bits(self.total_bits + self.sigma - missing)) for _ in range(self.count)]
            k = self.slots(parameters)
            rows = [rho[start : start + k] for start in range(0, len(rho), k)]
            masks = [sum(r << self.slot_bits * i for i, r in enumerate(row)) for row in rows]
            return np.array([r % 2**64 for r in rho], dtype=np.uint64), masks

        monkeypatch.setattr(Layout, "blinding", short)
        watched = Watched(monkeypatch)
        values = [np.full(700, 5)]
        done = execute(self.BLOCK, key_shares, values, encryptor, client_key.public_key)
        check(self.BLOCK, done.master, values, client_key)
        assert not watched.look_uniform()

    def test_none_without_a_plant(
        self,
        key_shares: KeyShares,
        encryptor: Encryptor,
        client_key: WeakPrivateKey,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        watched = Watched(monkeypatch)
        execute(self.BLOCK, key_shares, [np.full(700, 5)], encryptor, client_key.public_key)
        assert watched.look_uniform()


class TestRefusals:
    """Nothing is sent by a unit that refuses."""

    def refused(
        self, block: CiphertextBlock, shares: KeyShares, operands: Sequence[EncryptedNumbers], recipient: Recipient
    ) -> Exception:
        """The error of each unit run alone, which is the same in both."""
        errors = []
        for unit in make_units(shares):
            held = [x if unit.is_master else x.without_ciphertexts() for x in operands]
            with pytest.raises(PrivMLError) as caught:
                block.run(unit, *held, recipient=recipient)
            assert unit.channel.statistics.bytes_sent == 0
            errors.append(caught.value)
        assert type(errors[0]) is type(errors[1])
        return errors[0]

    @each_block
    def test_a_key_of_other_parameters(
        self, block: CiphertextBlock, key_shares: KeyShares, encryptor: Encryptor, other_parameters: PublicParameters
    ) -> None:
        recipient = WeakPrivateKey.generate(other_parameters).public_key
        operands = block.encrypt(samples(block), encryptor)
        assert isinstance(self.refused(block, key_shares, operands, recipient), ParameterMismatchError)

    @each_block
    def test_an_encryptor_without_t2(self, block: CiphertextBlock, key_shares: KeyShares, encryptor: Encryptor) -> None:
        operands = block.encrypt(samples(block), encryptor)
        assert isinstance(self.refused(block, key_shares, operands, encryptor.without_t2()), SettingError)

    @each_block
    def test_ciphertexts_that_are_missing_or_where_they_do_not_belong(
        self, block: CiphertextBlock, key_shares: KeyShares, encryptor: Encryptor
    ) -> None:
        operands = block.encrypt(samples(block), encryptor)
        master, secondary = make_units(key_shares)
        with pytest.raises(SettingError, match="the Master was given no ciphertexts"):
            block.run(master, *(x.without_ciphertexts() for x in operands), recipient=encryptor)
        with pytest.raises(SettingError, match="the Secondary was given ciphertexts"):
            block.run(secondary, *operands, recipient=encryptor)

    @each_block
    def test_ciphertexts_of_other_parameters(
        self, block: CiphertextBlock, key_shares: KeyShares, encryptor: Encryptor, other_parameters: PublicParameters
    ) -> None:
        other = Encryptor(WeakPrivateKey.generate(other_parameters).public_key)
        with pytest.raises(ParameterMismatchError):
            block.run(make_units(key_shares)[0], *block.encrypt(samples(block), other), recipient=encryptor)

    @pytest.mark.parametrize(
        "block", [block for block in CIPHERTEXT_BLOCKS if len(block.inputs) == 2], ids=lambda block: block.name
    )
    def test_shapes_that_do_not_go_together(
        self, block: CiphertextBlock, key_shares: KeyShares, encryptor: Encryptor
    ) -> None:
        x, y = block.encrypt(samples(block), encryptor)
        assert isinstance(self.refused(block, key_shares, (x[:5], y[:4]), encryptor), SettingError)


def ends(block: CiphertextBlock) -> list[tuple[int, ...]]:
    """Lowest and highest values of all operands."""
    return [tuple(x.low for x in block.inputs), tuple(x.high for x in block.inputs)]
