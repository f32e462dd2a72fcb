"""Packing without opening: the same plaintexts as packing before encryption."""

from __future__ import annotations

import phe
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from building_blocks.ciphertexts.horner import pack
from privml.crypto.ciphertext import CiphertextVector
from privml.crypto.dtpkc import KeyShare, PublicParameters, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.keygen import StrongKey
from privml.crypto.packing import Layout
from privml.crypto.paillier import from_paillier, to_paillier
from privml.errors import LayoutError

laws = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@laws
@given(data=st.data(), bits=st.integers(1, 64), count=st.integers(1, 30), n_jobs=st.sampled_from([1, 2, 3, -1]))
def test_packing_ciphertexts_is_packing_plaintexts(
    *,
    data: st.DataObject,
    bits: int,
    count: int,
    n_jobs: int,
    encryptor: Encryptor,
    key_shares: tuple[KeyShare, KeyShare],
) -> None:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    ends = st.sampled_from([low, high])
    values = data.draw(st.lists(ends | st.integers(low, high), min_size=count, max_size=count))
    layout = Layout(count, bits)
    packed = pack(encryptor.encrypt_vector(values), layout, n_jobs=n_jobs)
    assert packed.vector.t2 is None
    master, secondary = key_shares
    plaintexts = secondary.complete(packed.vector.t1, master.halves(packed.vector.t1))
    assert plaintexts == layout.pack(values, encryptor.parameters)


def test_keys_may_differ_from_element_to_element_and_so_may_the_software(
    parameters: PublicParameters, strong_key: StrongKey, owner_key: WeakPrivateKey, client_key: WeakPrivateKey
) -> None:
    """python-paillier encrypts some of the elements, and opens the packed ciphertexts."""
    theirs = phe.PaillierPublicKey(int(parameters.modulus))
    p, q = strong_key.factors
    opener = phe.PaillierPrivateKey(theirs, int(p), int(q))
    raw = [theirs.raw_encrypt(m % theirs.n) for m in (-7, 127)]
    parts = [
        Encryptor(owner_key.public_key).encrypt_vector([-128, 5]),
        from_paillier(parameters, theirs.n, raw),
        Encryptor(client_key.public_key).encrypt_vector([0, -1, 100]),
    ]
    layout = Layout(7, 8)
    vector = CiphertextVector(parameters, tuple(t1 for part in parts for t1 in part.t1))
    plaintexts = [opener.raw_decrypt(c) for c in to_paillier(pack(vector, layout).vector)]
    signed = [m if m <= theirs.n // 2 else m - theirs.n for m in plaintexts]
    assert layout.unpack(signed, parameters) == [-128, 5, -7, 127, 0, -1, 100]


def test_a_value_out_of_range_changes_its_own_ciphertext_only(
    encryptor: Encryptor, key_shares: tuple[KeyShare, KeyShare]
) -> None:
    layout = Layout(12, 8)
    expected = layout.pack([3] * 12, encryptor.parameters)
    packed = pack(encryptor.encrypt_vector([1 << 80, *[3] * 11]), layout)
    master, secondary = key_shares
    plaintexts = secondary.complete(packed.vector.t1, master.halves(packed.vector.t1))
    assert plaintexts[0] != expected[0]
    assert plaintexts[1:] == expected[1:]
    assert len(expected) > 1


def test_another_number_of_values(encryptor: Encryptor) -> None:
    with pytest.raises(LayoutError, match="2 values, not for 1"):
        pack(encryptor.encrypt_vector([1]), Layout(2, 8))
