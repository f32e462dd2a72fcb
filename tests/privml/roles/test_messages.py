"""Every message through the wire and back, and what becomes of those that are cut, padded or of another kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from privml import Client, DataOwner, ModelCard, Provider
from privml.crypto.envelope import Envelope, SealContext, SealedArray
from privml.crypto.registry import KeyRegistration
from privml.crypto.wire import HEADER_SIZE, dumps, loads
from privml.errors import MalformedError, OversizedError, PrivMLError, TruncatedError, VersionError, WireError
from privml.roles.card import ModelCard as Card
from privml.roles.client import ClientSession
from privml.roles.messages import HomomorphicUpload, Withdrawal
from privml.roles.queries import Answer, Closing, Query, session_digest
from tests.privml.roles.world import Tap, columns, host, learned, new_provider, unharmed

KINDS: dict[str, tuple[str, type[Any]]] = {
    "registration": ("register", KeyRegistration),
    "sealed upload": ("upload", SealedArray),
    "homomorphic upload": ("upload", HomomorphicUpload),
    "withdrawal": ("withdraw", Withdrawal),
    "opening": ("open_session", Envelope),
    "query": ("query", Query),
    "closing": ("close_session", Closing),
}


class Traffic:
    """One message of each kind, as it went to the provider, and the provider it went to."""

    def __init__(self, provider: Provider, card: ModelCard, seed: int = 0) -> None:
        tap = Tap(provider)
        self.provider = provider
        alice, carol = DataOwner.join(tap, "alice"), Client.join(tap, "carol")
        self.messages = {"registration": tap.last("register")}
        alice.upload(card, columns(5, seed))
        self.messages["sealed upload"] = tap.last("upload")
        (receipt,) = alice.upload(card, columns(5, seed), path="homomorphic")
        self.messages["homomorphic upload"] = tap.last("upload")
        alice.upload(card, columns(5, seed), path="homomorphic")
        alice.withdraw(card, receipt)
        self.messages["withdrawal"] = tap.last("withdraw")
        session: ClientSession = carol.open_session(card)
        self.messages["opening"] = tap.last("open_session")
        session.predict(columns(2, seed))
        self.messages["query"] = tap.last("query")
        self.answer = tap.answers[-1]
        with carol.open_session(card):
            pass
        self.messages["closing"] = tap.last("close_session")  # closing what is closed already is no mistake

    def deliver(self, kind: str, message: bytes) -> None:
        getattr(self.provider, KINDS[kind][0])(message)

    def parameters(self, kind: str) -> Any:
        return None if kind in ("query", "closing") else self.provider.parameters


@pytest.fixture(scope="module")
def traffic(strong_key: Any) -> Iterator[Traffic]:
    with new_provider(strong_key) as provider:
        yield Traffic(provider, host(provider))


each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
def test_what_arrives_is_what_was_sent(kind: str, traffic: Traffic) -> None:
    message, parameters = traffic.messages[kind], traffic.parameters(kind)
    assert dumps(loads(message, KINDS[kind][1], parameters)) == message


def test_answers_travel_too(traffic: Traffic) -> None:
    assert dumps(loads(traffic.answer, Answer)) == traffic.answer


def spoilt(message: bytes) -> dict[str, tuple[bytes, type[WireError]]]:
    """The same message, not quite."""
    length = int.from_bytes(message[8:16], "big")
    long = (length + 1).to_bytes(8, "big")
    return {
        "nothing": (b"", TruncatedError),
        "half a header": (message[: HEADER_SIZE // 2], TruncatedError),
        "a header": (message[:HEADER_SIZE], TruncatedError),
        "one byte less": (message[:-1], TruncatedError),
        "one byte more": (message + b"\0", OversizedError),
        "one more, and says so": (message[:8] + long + message[16:] + b"\0", MalformedError),
        "says it is huge": (message[:8] + (1 << 62).to_bytes(8, "big") + message[16:], OversizedError),
        "another version": (message[:4] + b"\0\2" + message[6:], VersionError),
        "another magic": (b"Pr0L" + message[4:], MalformedError),
        "an unknown tag": (message[:6] + b"\xff\xff" + message[8:], MalformedError),
        "an empty list": (message[:8] + (1).to_bytes(8, "big") + message[16:HEADER_SIZE] + b"\x90", MalformedError),
        "one field more": (
            message[:HEADER_SIZE] + bytes([message[HEADER_SIZE] + 1]) + message[HEADER_SIZE + 1 :],
            MalformedError,
        ),
    }


@each_kind
@pytest.mark.parametrize("how", spoilt(bytes(100)))
def test_a_spoilt_message_is_refused_at_every_door(kind: str, how: str, traffic: Traffic) -> None:
    message, expected = spoilt(traffic.messages[kind])[how]
    with unharmed(traffic.provider, expected):
        traffic.deliver(kind, message)


@each_kind
def test_every_door_refuses_every_other_message(kind: str, traffic: Traffic) -> None:
    for other in KINDS:
        if KINDS[other][0] != KINDS[kind][0]:
            with unharmed(traffic.provider, WireError):
                traffic.deliver(kind, traffic.messages[other])


@each_kind
def test_any_flipped_byte_is_refused_or_changes_nothing(kind: str, traffic: Traffic) -> None:
    """Bytes all over the message, by a fixed pattern. Nothing may fall over, and nothing may be believed."""
    message = traffic.messages[kind]
    step = max(len(message) // 25, 1)
    before, channel = learned(traffic.provider), traffic.provider.units.master.channel
    for position in range(0, len(message), step):
        flipped = message[:position] + bytes([message[position] ^ 0x55]) + message[position + 1 :]
        try:
            traffic.deliver(kind, flipped)
        except PrivMLError as error:
            refused = error.agreed or isinstance(error, WireError)
        else:
            refused = False
        if kind != "closing":
            assert refused, f"byte {position}"
    assert traffic.provider.units.master.channel is channel
    np.testing.assert_array_equal(learned(traffic.provider), before)


class TestBindings:
    """What a proof or signature is bound to: every part of it makes another statement."""

    CONTEXT = SealContext("cloud", "things", "alice", b"k" * 32, b"s" * 32, b"i" * 16)

    def test_of_a_homomorphic_upload(self, traffic: Traffic) -> None:
        layout = traffic.provider.card("things").layout
        changes: list[dict[str, Any]] = [
            {"provider": "fog"},
            {"model": "other"},
            {"owner": "mallory"},
            {"key_digest": bytes(32)},
            {"schema_digest": bytes(32)},
            {"identifier": bytes(16)},
        ]
        statements = [HomomorphicUpload.proof_context(replace(self.CONTEXT, **change), 3, layout) for change in changes]
        statements += [
            HomomorphicUpload.proof_context(self.CONTEXT, 3, layout),
            HomomorphicUpload.proof_context(self.CONTEXT, 4, layout),
            HomomorphicUpload.proof_context(self.CONTEXT, 3, replace(layout, additions=16)),
        ]
        assert len(set(statements)) == len(statements)

    def test_of_a_withdrawal(self, traffic: Traffic) -> None:
        card = traffic.provider.card("things")
        cards: list[Card] = [
            card,
            replace(card, model="other"),
            replace(card, provider="fog"),
            replace(card, chunk_rows=9),
        ]
        requests = [Withdrawal.request(each, "alice", bytes(16)) for each in cards]
        requests += [Withdrawal.request(card, "mallory", bytes(16)), Withdrawal.request(card, "alice", b"i" * 16)]
        assert len(set(requests)) == len(requests)

    def test_of_a_session(self, traffic: Traffic) -> None:
        card = traffic.provider.card("things")
        digests = [
            session_digest(each, epoch) for each in (card, replace(card, chunk_rows=9)) for epoch in (b"1", b"2")
        ]
        assert len({*digests, card.digest}) == 5


def test_payloads_are_not_shown(traffic: Traffic) -> None:
    query = loads(traffic.messages["query"], Query)
    assert query.payload is not None
    assert query.statement().payload is None
    for thing in (query, loads(traffic.answer, Answer)):
        assert "array" not in repr(thing)


@pytest.mark.parametrize(
    "change", [{"counter": 0}, {"counter": 1 << 63}, {"rows": 0}, {"rows": (1 << 24) + 1}], ids=str
)
def test_numbers_out_of_range_do_not_travel(change: dict[str, int], traffic: Traffic) -> None:
    query = replace(loads(traffic.messages["query"], Query), **change)  # type: ignore[arg-type]
    with pytest.raises(MalformedError, match=next(iter(change))):
        loads(dumps(query), Query)


def test_lengths_depend_on_public_shapes_only(strong_key: Any, traffic: Traffic) -> None:
    """The same job with other data, other keys and other randomness sends messages of the same lengths."""
    with new_provider(strong_key) as provider:
        other = Traffic(provider, host(provider), seed=7)
    assert {k: len(m) for k, m in other.messages.items()} == {k: len(m) for k, m in traffic.messages.items()}
    assert len(other.answer) == len(traffic.answer)
