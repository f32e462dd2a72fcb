import numpy as np
import pytest

from privml import DataOwner, ModelCard, Provider, Receipt
from privml.crypto.dtpkc import WeakPrivateKey
from privml.crypto.envelope import SealedArray
from privml.crypto.sealer import reopen
from privml.crypto.wire import loads
from privml.data.encoding import one_hot, one_hot_labels
from privml.errors import (
    RegistrationError,
    SecretExposureError,
    SettingError,
    UnknownCategoryError,
    UnknownUploadError,
    UploadError,
    WireError,
)
from privml.roles.data_owner import Path
from privml.roles.messages import HomomorphicUpload
from tests.privml.roles.world import SCHEMA, Tap, columns, encoded, learned, part, statistics, unharmed

PATHS: tuple[Path, ...] = ("sealed", "homomorphic")
both_paths = pytest.mark.parametrize("path", PATHS)


@both_paths
@pytest.mark.parametrize(("rows", "chunk_rows", "sizes"), [(1, None, [1]), (10, 4, [4, 4, 2]), (5, 1, [1] * 5)])
def test_chunks_of_any_size_are_counted(
    path: Path,
    rows: int,
    chunk_rows: int | None,
    sizes: list[int],
    alice: DataOwner,
    provider: Provider,
    card: ModelCard,
) -> None:
    table, sent = columns(rows), list[int]()
    receipts = alice.upload(card, table, path=path, chunk_rows=chunk_rows, progress=sent.append)
    assert [receipt.rows for receipt in receipts] == sent == sizes
    assert {receipt.model for receipt in receipts} == {card.model}
    assert len({receipt.upload_id for receipt in receipts}) == len(receipts)
    np.testing.assert_array_equal(learned(provider), statistics(table))


def test_the_homomorphic_path_takes_as_much_at_once_as_the_card_allows(
    alice: DataOwner, card: ModelCard, provider: Provider
) -> None:
    table = columns(card.chunk_rows + 1)
    assert [receipt.rows for receipt in alice.upload(card, table, path="homomorphic")] == [card.chunk_rows, 1]
    np.testing.assert_array_equal(learned(provider), statistics(table))


def test_a_chunk_of_one_class_only_fills_its_slots_to_the_end(
    alice: DataOwner, card: ModelCard, provider: Provider
) -> None:
    table = {name: [cells[0]] * card.chunk_rows for name, cells in columns(1).items()}
    alice.upload(card, table, path="homomorphic")
    np.testing.assert_array_equal(learned(provider), statistics(table))


@both_paths
def test_unknown_cells_are_an_error_before_anything_is_sent_or_left_out(
    path: Path, alice: DataOwner, provider: Provider, card: ModelCard, tap: Tap
) -> None:
    table = columns(6)
    table["colour"][5] = "mauve"
    with pytest.raises(UnknownCategoryError, match="mauve"):
        alice.upload(card, table, path=path, chunk_rows=2)
    assert [name for name, _ in tap.messages] == ["register"]
    alice.upload(card, table, path=path, unknown="ignore")
    counts = learned(provider)
    assert counts[:3].sum() == 5
    assert counts[3:5].sum() == counts[-1].sum() == 6


@pytest.mark.parametrize("chunk_rows", [0, -1])
@both_paths
def test_chunk_rows_out_of_range(path: Path, chunk_rows: int, alice: DataOwner, card: ModelCard, tap: Tap) -> None:
    with pytest.raises(SettingError, match="chunk_rows"):
        alice.upload(card, columns(3), path=path, chunk_rows=chunk_rows)
    assert [name for name, _ in tap.messages] == ["register"]


def test_the_homomorphic_path_keeps_to_the_card(alice: DataOwner, card: ModelCard) -> None:
    with pytest.raises(SettingError, match=f"1..{card.chunk_rows}"):
        alice.upload(card, columns(3), path="homomorphic", chunk_rows=card.chunk_rows + 1)
    assert len(alice.upload(card, columns(3), chunk_rows=card.chunk_rows + 1)) == 1  # sealed chunks have no such limit


def test_an_unknown_path(alice: DataOwner, card: ModelCard) -> None:
    with pytest.raises(SettingError, match="'open'"):
        alice.upload(card, columns(3), path="open")  # type: ignore[arg-type]


def test_training_data_need_labels(alice: DataOwner, card: ModelCard) -> None:
    chunk = encoded(columns(3))
    object.__setattr__(chunk, "labels", None)
    for make in (alice.seal, alice.encrypt):
        with pytest.raises(SettingError, match="labels"):
            make(card, chunk, bytes(16))


def test_an_owner_reopens_what_it_sealed(alice: DataOwner, card: ModelCard, tap: Tap) -> None:
    table = columns(7)
    alice.upload(card, table)
    sealed = loads(tap.last("upload"), SealedArray, card.parameters)
    chunk = encoded(table)
    assert chunk.labels is not None
    rows = np.concatenate([one_hot(SCHEMA, chunk.codes), one_hot_labels(SCHEMA, chunk.labels)], axis=1)
    np.testing.assert_array_equal(reopen(alice.key, sealed, sealed.envelope.context), rows)


def test_an_owner_reads_its_own_packed_statistics_never_again_but_the_units_do(
    alice: DataOwner, card: ModelCard, tap: Tap
) -> None:
    """T2 is not sent on the homomorphic path: it would help nobody but who holds theta."""
    alice.upload(card, columns(7), path="homomorphic")
    assert loads(tap.last("upload"), HomomorphicUpload, card.parameters).packed.vector.t2 is None


@both_paths
def test_the_same_table_never_looks_the_same(path: Path, alice: DataOwner, card: ModelCard, tap: Tap) -> None:
    table = columns(5)
    alice.upload(card, table, path=path)
    first = tap.last("upload")
    alice.upload(card, table, path=path)
    assert len(first) == len(tap.last("upload"))
    if path == "sealed":
        one, other = (loads(m, SealedArray, card.parameters) for m in (first, tap.last("upload")))
        assert one.envelope.seed != other.envelope.seed
        assert not (one.payload == other.payload).any()
    else:
        vectors = [loads(m, HomomorphicUpload, card.parameters).packed.vector for m in (first, tap.last("upload"))]
        assert not set(vectors[0].t1) & set(vectors[1].t1)


@both_paths
def test_withdrawn_is_as_never_sent(path: Path, alice: DataOwner, provider: Provider, card: ModelCard) -> None:
    table = columns(9)
    receipts = alice.upload(card, table, path=path, chunk_rows=3)
    alice.withdraw(card, receipts[1])
    np.testing.assert_array_equal(learned(provider), statistics(part(table, 0, 3), part(table, 6, 9)))
    for receipt in (receipts[0], receipts[2]):
        alice.withdraw(card, receipt)
    np.testing.assert_array_equal(learned(provider), statistics())
    assert not provider.stations.master.models["things"].learner.fitted


def test_withdrawal_of_what_never_was(alice: DataOwner, provider: Provider, card: ModelCard) -> None:
    alice.upload(card, columns(2))
    with unharmed(provider, UnknownUploadError):
        alice.withdraw(card, Receipt(card.model, bytes(16), 2))


def test_withdrawn_uploads_do_not_come_back(alice: DataOwner, provider: Provider, card: ModelCard, tap: Tap) -> None:
    for path in PATHS:
        (receipt,) = alice.upload(card, columns(2), path=path)
        message = tap.last("upload")
        alice.withdraw(card, receipt)
        with unharmed(provider, UploadError):
            provider.upload(message)


def test_one_identity_one_key(provider: Provider, alice: DataOwner) -> None:
    again = DataOwner.join(provider, "alice", alice.key)
    assert again.key is alice.key
    with pytest.raises(RegistrationError, match="another key"):
        DataOwner.join(provider, "alice", WeakPrivateKey.generate(provider.parameters))


@pytest.mark.parametrize("identity", ["", "two\nlines", "x" * 256])
def test_identities_are_names(provider: Provider, identity: str) -> None:
    with pytest.raises((RegistrationError, SettingError), match="identity"):
        DataOwner.join(provider, identity)


def test_an_owner_says_its_name_and_nothing_else(alice: DataOwner) -> None:
    assert repr(alice) == "DataOwner('alice')"
    with pytest.raises(SecretExposureError):
        alice.__reduce_ex__(4)


def test_receipts_of_what_went_in_are_not_lost(alice: DataOwner, provider: Provider, card: ModelCard, tap: Tap) -> None:
    """A job that breaks off in the middle: the owner can still withdraw what went in before."""
    tap.change = lambda kind, message: message if len(tap.messages) < 3 else b"damaged"
    tap.messages.clear()
    with pytest.raises(WireError):
        alice.upload(card, columns(3), path="homomorphic", chunk_rows=1)
    tap.change = None
    first, second, refused = alice.receipts
    for receipt in (first, second):
        alice.withdraw(card, receipt)
    np.testing.assert_array_equal(learned(provider), statistics())
    with pytest.raises(UnknownUploadError):
        alice.withdraw(card, refused)


def test_a_provider_that_vanishes_leaves_the_receipt(alice: DataOwner, card: ModelCard, tap: Tap) -> None:
    """Whether the chunk was taken is unknown then."""

    def vanish(kind: str, message: bytes) -> bytes:
        raise ConnectionError

    tap.change = vanish
    with pytest.raises(ConnectionError):
        alice.upload(card, columns(3))
    assert [receipt.rows for receipt in alice.receipts] == [3]
