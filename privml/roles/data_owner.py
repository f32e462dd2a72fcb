"""Those who outsource training data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from privml.crypto.envelope import IDENTIFIER_BYTES, SealContext
from privml.crypto.fixed_base import Encryptor
from privml.crypto.packing import PackedCiphertext
from privml.crypto.proofs import prove_plaintexts
from privml.crypto.randomness import random_bytes
from privml.crypto.sealer import Sealer
from privml.crypto.signature import sign
from privml.crypto.wire import dumps
from privml.data.encoding import EncodedTable, encode, one_hot, one_hot_labels
from privml.data.readers import Tabular, as_table
from privml.errors import SettingError
from privml.roles.card import ModelCard
from privml.roles.messages import HomomorphicUpload, Withdrawal
from privml.roles.participant import Participant

Path = Literal["sealed", "homomorphic"]
Progress = Callable[[int], None]
"""Called with the number of records just sent."""

SEALED_CHUNK = 8192


@dataclass(frozen=True)
class Receipt:
    """What an owner keeps of an upload, to withdraw it."""

    model: str
    upload_id: bytes
    rows: int


class DataOwner(Participant):
    """Encrypts chunks of its own records for a model; nobody else can read them, and it can withdraw them."""

    @cached_property
    def receipts(self) -> list[Receipt]:
        """Of every chunk sent, in order, also where the provider refused it or the answer was lost on its way.

        After an upload that broke off in the middle these are what to withdraw.
        """
        return []

    def upload(
        self,
        card: ModelCard,
        table: Tabular,
        *,
        path: Path = "sealed",
        chunk_rows: int | None = None,
        unknown: Literal["error", "ignore"] = "error",
        progress: Progress | None = None,
    ) -> list[Receipt]:
        """Encrypt a labelled table chunk by chunk and send it.

        Parameters
        ----------
        card
            The model's card.
        table
            A DataFrame, a dict of columns, a list of dict rows, or the path of a CSV file.
        path
            "sealed": records under a one-time pad, for every classifier. "homomorphic": the classifier's statistics as
            packed DT-PKC ciphertexts, which the units open to shares and check; for a classifier that has such. Naive
            Bayes learns as much from them; logistic regression learns means and deviations, to prepare for records.
        chunk_rows
            Records to a chunk, as many as the card allows or fewer; sealed, 8192 unless given, if it allows as many.
        unknown
            "error" refuses a table with unknown categories or missing values before anything is sent, "ignore" leaves
            such cells out.
        progress
            Called with the number of records just sent.

        Returns
        -------
        list of Receipt
            One for each chunk, in order.

        Raises
        ------
        DataError
            The table does not fit the schema; nothing was sent.
        SettingError
            `path` or `chunk_rows` is out of range.
        ClassifierError
            The model takes no statistics, or takes them no more.
        ValidationError
            A chunk is not what the schema says; the provider forgot it.
        PrivMLError
            The provider refused a chunk; those before it were taken, and `receipts` has them.
        """
        encoded = encode(card.schema, as_table(table), unknown=unknown)
        size = self._chunk_rows(card, path, chunk_rows)
        receipts = []
        for start in range(0, len(encoded), size):
            chunk = _rows(encoded, slice(start, start + size))
            receipt = Receipt(card.model, random_bytes(IDENTIFIER_BYTES), len(chunk))
            seal = self.seal if path == "sealed" else self.encrypt
            message = seal(card, chunk, receipt.upload_id)
            self.receipts.append(receipt)  # before it leaves: whatever happens, it can be withdrawn
            self.provider.upload(message)
            receipts.append(receipt)
            if progress is not None:
                progress(len(chunk))
        return receipts

    def seal(self, card: ModelCard, chunk: EncodedTable, upload_id: bytes) -> bytes:
        """Seal one encoded chunk: one-hot records under a pad whose seed is a ciphertext with a proof."""
        labels = _labels(chunk)
        rows = np.concatenate([one_hot(card.schema, chunk.codes), one_hot_labels(card.schema, labels)], axis=1)
        sealer = Sealer(self._encryptor, card.provider, card.model, self.identity, card.digest)
        return dumps(sealer.seal(rows, upload_id))

    def encrypt(self, card: ModelCard, chunk: EncodedTable, upload_id: bytes) -> bytes:
        """Pack and encrypt the statistics of one encoded chunk, with one proof for all ciphertexts."""
        _labels(chunk)
        layout = card.layout
        plaintexts = layout.pack(card.learner_class.statistics(card.schema, chunk), card.parameters)
        vector, openings = self._t1_encryptor.encrypt_with_openings(plaintexts)
        context = SealContext(
            card.provider, card.model, self.identity, self._key.public_key.digest, card.digest, upload_id
        )
        bound = HomomorphicUpload.proof_context(context, len(chunk), layout)
        proof = prove_plaintexts(self._t1_encryptor, vector, openings, bound)
        return dumps(HomomorphicUpload(context, len(chunk), PackedCiphertext(vector, layout), proof))

    def withdraw(self, card: ModelCard, receipt: Receipt) -> None:
        """Take one's own upload out of a model again, by a signed request.

        Raises
        ------
        UnknownUploadError
            There is no such upload of this owner, or it was withdrawn or evicted already.
        """
        request = Withdrawal.request(card, self.identity, receipt.upload_id)
        signature = sign(self._key, request)
        self.provider.withdraw(dumps(Withdrawal(card.model, self.identity, receipt.upload_id, signature)))

    @cached_property
    def _t1_encryptor(self) -> Encryptor:
        """Encrypts for two-step decryption only, on the tables of the other one."""
        return self._encryptor.without_t2()

    def _chunk_rows(self, card: ModelCard, path: Path, chunk_rows: int | None) -> int:
        if path not in ("sealed", "homomorphic"):
            raise SettingError(f"a path is 'sealed' or 'homomorphic', not {path!r}")
        most, usual = (card.sealed_rows, SEALED_CHUNK) if path == "sealed" else (card.chunk_rows, card.chunk_rows)
        size = min(usual, most) if chunk_rows is None else chunk_rows
        if not 1 <= size <= most:
            raise SettingError(f"chunk_rows lies in 1..{most} on the {path} path; got {size}")
        return size


def _rows(table: EncodedTable, rows: slice) -> EncodedTable:
    codes, labels = table.codes[rows], _labels(table)[rows]
    return EncodedTable(codes, labels, int((codes < 0).sum()))


def _labels(table: EncodedTable) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    if table.labels is None:
        raise SettingError("training data need labels: encode the table with labelled=True")
    return table.labels
