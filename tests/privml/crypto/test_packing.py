"""Slots: nothing is lost, nothing carries, nothing is added past the plan."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privml.crypto import layout as layout_module
from privml.crypto.arithmetic import Integer
from privml.crypto.dtpkc import CiphertextVector, KeyShare, PublicParameters, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.packing import Layout, PackedCiphertext
from privml.errors import CapacityError, DecryptionError, LayoutError, PlaintextRangeError, SettingError

LAYOUTS = st.builds(
    Layout,
    count=st.integers(1, 40),
    value_bits=st.integers(1, 80),
    additions=st.integers(1, 1000),
    sigma=st.integers(40, 80),
)
EXAMPLE = Layout(count=7, value_bits=20, additions=8)


def draw_values(data: st.DataObject, layout: Layout) -> list[int]:
    bound = 1 << (layout.value_bits - 1)
    value = st.one_of(st.integers(-bound, bound - 1), st.sampled_from([-bound, bound - 1]))
    return data.draw(st.lists(value, min_size=layout.count, max_size=layout.count))


# --- layouts ---


def test_the_widths_are_those_of_the_design(parameters_2048: PublicParameters) -> None:
    layout = Layout(count=100, value_bits=32, additions=256)
    assert layout.total_bits == 40
    assert layout.slot_bits == 40 + 64 + 2
    assert layout.slots(parameters_2048) == 2046 // 106 == 19
    assert layout.ciphertexts(parameters_2048) == 6
    growth = [Layout(1, 10, additions).total_bits for additions in (1, 2, 3, 4, 5, 1 << 64)]
    assert growth == [10, 11, 12, 12, 13, 74]


@pytest.mark.parametrize(
    "change",
    [
        {"count": 0},
        {"count": (1 << 48) + 1},
        {"value_bits": 0},
        {"value_bits": 129},
        {"additions": 0},
        {"additions": (1 << 64) + 1},
        {"sigma": 1},
        {"sigma": 39},
        {"sigma": 129},
    ],
)
def test_settings_outside_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(SettingError):
        replace(EXAMPLE, **change)


def test_a_slot_must_fit(parameters: PublicParameters) -> None:
    assert Layout(1, 128, 1 << 64, 128).slots(parameters) == 1
    wide = Layout(1, 128, 1 << 64, 128)
    object.__setattr__(wide, "value_bits", 400)
    with pytest.raises(LayoutError):
        wide.slots(parameters)


def test_digests_commit_to_every_field() -> None:
    changes: list[dict[str, int]] = [{}, {"count": 8}, {"value_bits": 21}, {"additions": 7}, {"sigma": 65}]
    digests = {replace(EXAMPLE, **change).digest for change in changes}
    assert len(digests) == 5
    assert {len(digest) for digest in digests} == {32}


# --- plaintexts ---


@given(data=st.data(), layout=LAYOUTS)
def test_packing_round_trips(data: st.DataObject, layout: Layout, parameters: PublicParameters) -> None:
    values = draw_values(data, layout)
    plaintexts = layout.pack(values, parameters)
    assert len(plaintexts) == layout.ciphertexts(parameters)
    assert all(abs(m) < int(parameters.modulus) // 2 for m in plaintexts)
    assert layout.unpack(plaintexts, parameters) == values


@given(data=st.data(), layout=LAYOUTS)
def test_a_plaintext_is_the_sum_of_its_shifted_values(
    data: st.DataObject, layout: Layout, parameters: PublicParameters
) -> None:
    values = draw_values(data, layout)
    k, w = layout.slots(parameters), layout.slot_bits
    expected = [sum(v << (w * i) for i, v in enumerate(values[s : s + k])) for s in range(0, len(values), k)]
    assert layout.pack(values, parameters) == expected


@given(data=st.data(), additions=st.integers(1, 20), bits=st.integers(1, 66))
def test_as_many_additions_as_planned_are_exact(
    data: st.DataObject, additions: int, bits: int, parameters: PublicParameters
) -> None:
    layout = Layout(count=5, value_bits=bits, additions=additions)
    rows = [draw_values(data, layout) for _ in range(additions)]
    signs = data.draw(st.lists(st.sampled_from([1, -1]), min_size=additions, max_size=additions))
    packed = [layout.pack(row, parameters) for row in rows]
    total = [sum(s * m for s, m in zip(signs, ms, strict=True)) for ms in zip(*packed, strict=True)]
    assert layout.unpack(total, parameters) == [
        sum(s * v for s, v in zip(signs, vs, strict=True)) for vs in zip(*rows, strict=True)
    ]


@pytest.mark.parametrize("end", ["low", "high", "negated low"])
@pytest.mark.parametrize("additions", [1, 2, 5, 8])
def test_sums_at_the_ends_of_the_range(end: str, additions: int, parameters: PublicParameters) -> None:
    layout = Layout(count=9, value_bits=64, additions=additions)
    value = {"low": -(1 << 63), "high": (1 << 63) - 1, "negated low": -(1 << 63)}[end]
    sign = -1 if end == "negated low" else 1
    total = [sign * additions * m for m in layout.pack([value] * 9, parameters)]
    assert layout.unpack(total, parameters) == [sign * additions * value] * 9


def test_arrays_of_numpy_are_taken(parameters: PublicParameters) -> None:
    layout = Layout(count=50, value_bits=64)
    values = np.random.default_rng(1).integers(-(1 << 63), (1 << 63) - 1, 50, dtype=np.int64)
    assert layout.unpack(layout.pack(values, parameters), parameters) == values.tolist()


def test_values_outside_and_other_counts_are_refused(parameters: PublicParameters) -> None:
    for value in (1 << 19, -(1 << 19) - 1):
        with pytest.raises(PlaintextRangeError):
            EXAMPLE.pack([0, value, 0, 0, 0, 0, 0], parameters)
    for count in (0, 6, 8):
        with pytest.raises(LayoutError):
            EXAMPLE.pack([0] * count, parameters)
    for plaintexts in ([], [0] * 4):
        with pytest.raises(LayoutError):
            EXAMPLE.unpack(plaintexts, parameters)
        with pytest.raises(LayoutError):
            EXAMPLE.unpack_blinded(plaintexts, parameters)


def test_plaintexts_of_no_layout_are_refused(parameters: PublicParameters) -> None:
    good = EXAMPLE.pack([1] * 7, parameters)
    k, w = EXAMPLE.slots(parameters), EXAMPLE.slot_bits
    messages = set()
    for bad in (good[0] + (1 << 30), good[0] - (1 << 30), 1 << (k * w + 1), -(1 << (k * w - 2))):
        with pytest.raises(DecryptionError) as refused:
            EXAMPLE.unpack([bad, *good[1:]], parameters)
        messages.add(str(refused.value))
    assert len(messages) == 1
    for bad in (-1, 1 << (k * w)):
        with pytest.raises(DecryptionError):
            EXAMPLE.unpack_blinded([bad, *good[1:]], parameters)


def test_empty_slots_are_empty(parameters: PublicParameters) -> None:
    layout = Layout(count=2, value_bits=10)
    (good,) = layout.pack([1, -1], parameters)
    with pytest.raises(DecryptionError):
        layout.unpack([good + (1 << (2 * layout.slot_bits))], parameters)


# --- blinding ---


def test_without_room_for_blinding_there_is_none(parameters: PublicParameters) -> None:
    layout = replace(EXAMPLE, sigma=0)
    assert layout.unpack(layout.pack([-1] * 7, parameters), parameters) == [-1] * 7
    with pytest.raises(LayoutError, match="sigma"):
        layout.blinding(parameters)


@given(data=st.data(), layout=LAYOUTS)
def test_blinded_slots_are_shares_of_the_values(
    data: st.DataObject, layout: Layout, parameters: PublicParameters
) -> None:
    values = draw_values(data, layout)
    rho, masks = layout.blinding(parameters)
    sums = zip(layout.pack(values, parameters), layout.offset(parameters), masks, strict=True)
    blinded = [m + o + r for m, o, r in sums]
    assert all(0 <= b < int(parameters.modulus) // 2 for b in blinded)
    residues = layout.unpack_blinded_residues(blinded, parameters)
    assert residues.dtype == rho.dtype == np.uint64
    assert residues.tolist() == [slot & (1 << 64) - 1 for slot in layout.unpack_blinded(blinded, parameters)]
    master = -rho - np.uint64(layout.slot_offset & (1 << 64) - 1)  # modulo 2^64
    assert (master + residues).tolist() == [value & (1 << 64) - 1 for value in values]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("additions", [1, 3, 8])
def test_the_largest_masks_never_carry(
    sign: int, additions: int, parameters: PublicParameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every slot at its end and every mask at its end: the neighbours stay what they are."""
    monkeypatch.setattr(layout_module, "random_bits", lambda bits: (Integer(1) << bits) - 1)
    layout = Layout(count=11, value_bits=30, additions=additions)
    rho, masks = layout.blinding(parameters)
    largest = (1 << (layout.total_bits + layout.sigma)) - 1
    assert set(rho.tolist()) == {largest & (1 << 64) - 1}
    value = -(1 << 29)
    packed = [sign * additions * m for m in layout.pack([value] * 11, parameters)]
    blinded = [m + o + r for m, o, r in zip(packed, layout.offset(parameters), masks, strict=True)]
    slots = layout.unpack_blinded(blinded, parameters)
    assert slots == [sign * additions * value + layout.slot_offset + largest] * 11
    assert max(slots) < 1 << layout.slot_bits
    assert max(blinded) < parameters.half_modulus


def test_masks_fill_their_range_and_the_empty_slots(parameters: PublicParameters) -> None:
    layout = Layout(count=5, value_bits=10)  # 6 slots of 76 bits to a plaintext of 512
    assert layout.slots(parameters) == 6
    drawn = [layout.blinding(parameters)[1][0] for _ in range(200)]
    top = layout.total_bits + layout.sigma
    for slot in range(6):
        rhos = [(mask >> (76 * slot)) % (1 << 76) for mask in drawn]
        assert max(rhos) < 1 << top
        assert len(set(rhos)) == 200
        assert 60 < sum(rho >> (top - 1) for rho in rhos) < 140  # the highest bit is a coin


# --- ciphertexts ---


@given(data=st.data())
def test_packed_ciphertexts_add_and_subtract(
    data: st.DataObject, encryptor: Encryptor, owner_key: WeakPrivateKey
) -> None:
    a, b, c = (draw_values(data, EXAMPLE) for _ in range(3))
    x, y, z = (PackedCiphertext.encrypt(values, EXAMPLE, encryptor) for values in (a, b, c))
    total = x + y - z
    assert total.additions_used == 3
    assert total.decrypt(owner_key) == [i + j - k for i, j, k in zip(a, b, c, strict=True)]
    assert total.rerandomise(encryptor).decrypt(owner_key) == total.decrypt(owner_key)
    assert total.rerandomise(encryptor).vector != total.vector


def test_two_step_decryption_of_a_blinded_sum_gives_shares(
    encryptor: Encryptor, parameters: PublicParameters, key_shares: tuple[KeyShare, KeyShare]
) -> None:
    master, secondary = key_shares
    x = PackedCiphertext.encrypt([-5, 4, -3, 2, -1, 0, 1], EXAMPLE, encryptor)
    y = PackedCiphertext.encrypt([1] * 7, EXAMPLE, encryptor)
    rho, masks = EXAMPLE.blinding(parameters)
    blinded = (x + y).vector.add_plain(EXAMPLE.offset(parameters)).add_plain(masks).rerandomise(encryptor)
    opened = secondary.complete(blinded.t1, master.halves(blinded.t1))
    theirs = EXAMPLE.unpack_blinded_residues(opened, parameters)
    total = theirs - rho - np.uint64(EXAMPLE.slot_offset)
    assert total.view(np.int64).tolist() == [-4, 5, -2, 3, 0, 1, 2]


def test_the_plan_is_kept(encryptor: Encryptor) -> None:
    x = PackedCiphertext.encrypt([0] * 7, EXAMPLE, encryptor)
    total = x
    for _ in range(7):
        total += x
    assert total.additions_used == 8
    additions: list[Callable[[], object]] = [lambda: total + x, lambda: total - x, lambda: x + total]
    for addition in additions:
        with pytest.raises(CapacityError):
            addition()
    with pytest.raises(CapacityError):
        PackedCiphertext(x.vector, EXAMPLE, 9)


def test_layouts_do_not_mix(encryptor: Encryptor) -> None:
    x = PackedCiphertext.encrypt([0] * 7, EXAMPLE, encryptor)
    other = PackedCiphertext.encrypt([0] * 7, replace(EXAMPLE, additions=7), encryptor)
    mixtures: list[Callable[[], object]] = [lambda: x + other, lambda: x - other]
    for mixture in mixtures:
        with pytest.raises(LayoutError):
            mixture()
    with pytest.raises(LayoutError):
        PackedCiphertext(x.vector[:1], EXAMPLE)
    with pytest.raises(TypeError):
        x + 1  # type: ignore[operator]


def test_weak_decryption_refuses_what_is_outside_the_layout(
    encryptor: Encryptor, owner_key: WeakPrivateKey, parameters: PublicParameters
) -> None:
    """The crafted T2 (1 + N), which would return theta, ends like any corruption."""
    x = PackedCiphertext.encrypt([0] * 7, EXAMPLE, encryptor)
    assert x.vector.t2 is not None
    crafted = tuple(t2 * (1 + parameters.modulus) % parameters.modulus_squared for t2 in x.vector.t2)
    corrupt = tuple(t2 * 2 % parameters.modulus_squared for t2 in x.vector.t2)
    messages = set()
    for t2 in (crafted, corrupt):
        with pytest.raises(DecryptionError) as refused:
            PackedCiphertext(CiphertextVector(parameters, x.vector.t1, t2), EXAMPLE).decrypt(owner_key)
        messages.add(str(refused.value))
    assert len(messages) == 1
