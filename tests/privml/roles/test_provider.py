"""The whole job in one process: owners, units, clients and recipients, and a provider that outlives its process."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from privml import Client, DataOwner, ModelCard, Provider
from privml.crypto.dtpkc import WeakPrivateKey
from privml.crypto.keygen import StrongKey
from privml.crypto.packing import PackedCiphertext
from privml.crypto.sealer import Sealer
from privml.crypto.wire import dumps, loads
from privml.errors import (
    AuthorisationError,
    ClassifierError,
    DecryptionError,
    LayoutError,
    NotFittedError,
    ProofError,
    RegistrationError,
    SettingError,
    UnknownClassifierError,
    UploadError,
)
from privml.roles.messages import HomomorphicUpload
from privml.units.role import Role
from tests.privml.roles.world import (
    SCHEMA,
    Tap,
    codes_of,
    columns,
    expected_labels,
    host,
    learned,
    new_provider,
    part,
    plain,
    statistics,
    unharmed,
)


@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_the_whole_job(alpha: float, provider: Provider) -> None:
    alice, bob = DataOwner.join(provider, "alice"), DataOwner.join(provider, "bob")
    card = host(provider, options={"alpha": alpha}, recipients=(alice,))
    table, queries = columns(80), columns(50, seed=1)
    parts = [part(table, start, start + 20) for start in range(0, 80, 20)]
    alice.upload(card, parts[0], chunk_rows=7)
    bob.upload(card, parts[1], path="homomorphic", chunk_rows=13)
    carol = Client.join(provider, "carol")
    session = carol.open_session(card)
    assert session.predict(queries).tolist() == expected_labels(plain(parts[0], parts[1], alpha=alpha), queries)

    late = DataOwner.join(provider, "late")
    (regretted,) = late.upload(card, parts[2])
    late.upload(card, parts[3], path="homomorphic")
    assert session.predict(queries).tolist() == expected_labels(plain(*parts, alpha=alpha), queries)

    late.withdraw(card, regretted)
    provider.refresh("things")
    model = plain(parts[0], parts[1], parts[3], alpha=alpha)
    assert session.predict(queries).tolist() == expected_labels(model, queries)
    got = session.predict_proba(queries)
    np.testing.assert_allclose(got, model.predict_proba(codes_of(queries)), atol=2e-6)

    revealed = alice.read_model(card)
    np.testing.assert_allclose(revealed.class_log_prior, model.class_log_prior_, atol=1e-6)
    for name, expected in zip(SCHEMA.names, model.feature_log_prob_, strict=True):
        np.testing.assert_allclose(revealed.feature_log_prob[name], expected, atol=1e-6)


def test_the_whole_job_at_a_real_size(strong_key_2048: StrongKey) -> None:
    with new_provider(strong_key_2048) as provider:
        alice = DataOwner.join(provider, "alice")
        card = host(provider, recipients=(alice,))
        table, queries = columns(60), columns(20, seed=1)
        alice.upload(card, part(table, 0, 30))
        (first, _) = alice.upload(card, part(table, 30, 60), path="homomorphic", chunk_rows=15)
        alice.withdraw(card, first)
        model = plain(part(table, 0, 30), part(table, 45, 60))
        with Client.join(provider, "carol").open_session(card) as session:
            assert session.predict(queries).tolist() == expected_labels(model, queries)
        np.testing.assert_allclose(alice.read_model(card).class_log_prior, model.class_log_prior_, atol=1e-6)


class TestModels:
    def test_two_models_do_not_mix(self, provider: Provider) -> None:
        alice = DataOwner.join(provider, "alice")
        cards = [host(provider, name) for name in ("one", "other")]
        tables = [columns(20, seed=seed) for seed in (1, 2)]
        for card, table in zip(cards, tables, strict=True):
            alice.upload(card, table)
            alice.upload(card, table, path="homomorphic")
        for card, table in zip(cards, tables, strict=True):
            np.testing.assert_array_equal(learned(provider, card.model), 2 * statistics(table))

    def test_a_name_is_given_once(self, provider: Provider, card: ModelCard) -> None:
        with pytest.raises(SettingError, match="already"):
            host(provider)

    def test_cards_are_the_providers_own(self, provider: Provider, card: ModelCard, strong_key: StrongKey) -> None:
        with new_provider(strong_key, "fog") as other, pytest.raises(SettingError, match="cloud"):
            other.stations.master.host(card)

    def test_unknown_names(self, provider: Provider) -> None:
        with pytest.raises(UnknownClassifierError):
            provider.create_model("m", "oracle", SCHEMA)
        with pytest.raises(SettingError, match=r"no epochs; it has chunk_rows.*options="):
            provider.create_model("m", "naive_bayes", SCHEMA, epochs=3)  # type: ignore[call-arg]
        for ask in (provider.card, provider.refresh, provider.chunks):
            with pytest.raises(ClassifierError, match="there is no model"):
                ask("nothing")
        with pytest.raises(ClassifierError, match="there is no model"):
            provider.reveal("nothing", "alice")

    def test_what_the_provider_says_of_itself(self, provider: Provider, card: ModelCard) -> None:
        assert repr(provider) == "Provider('cloud', models: things)"
        assert provider.card("things") is card

    def test_nothing_to_refresh(self, provider: Provider, card: ModelCard) -> None:
        with unharmed(provider, NotFittedError):
            provider.refresh("things")

    def test_a_second_refresh_says_nothing(self, alice: DataOwner, provider: Provider, card: ModelCard) -> None:
        alice.upload(card, columns(5))
        provider.refresh("things")
        before = provider.statistics
        provider.refresh("things")
        assert (provider.statistics - before).bytes_sent == 1  # the agreement that there is a model


class TestReveal:
    @pytest.fixture
    def trained(self, alice: DataOwner, card: ModelCard) -> ModelCard:
        alice.upload(card, columns(20))
        return card

    def test_only_those_whom_the_card_names(self, trained: ModelCard, mallory: DataOwner, provider: Provider) -> None:
        with unharmed(provider, AuthorisationError):
            mallory.read_model(trained)

    def test_nobody_else_can_read_it(
        self, trained: ModelCard, alice: DataOwner, mallory: DataOwner, provider: Provider, key_shares: object
    ) -> None:
        packed = loads(provider.reveal("things", "alice"), PackedCiphertext, trained.parameters)
        with pytest.raises(DecryptionError):
            packed.decrypt(mallory.key)
        assert len(packed.decrypt(alice.key)) == trained.layout.count

    def test_the_secondary_believes_its_own_card(
        self, trained: ModelCard, mallory: DataOwner, provider: Provider
    ) -> None:
        """A Master whose card was changed gets nothing: both units look into their own."""
        provider.stations.secondary.models["things"].card = replace(trained)
        object.__setattr__(trained, "recipients", (mallory.key.public_key.digest,))
        with unharmed(provider, AuthorisationError):
            mallory.read_model(trained)

    @pytest.mark.parametrize("how", ["participant", "key", "name"])
    def test_recipients_are_keys_however_they_are_named(self, how: str, provider: Provider, alice: DataOwner) -> None:
        recipient = {"participant": alice, "key": alice.key.public_key, "name": "alice"}[how]
        card = host(provider, recipients=[recipient])
        assert card.recipients == (alice.key.public_key.digest,)
        alice.upload(card, columns(3))
        assert alice.read_model(card).feature_log_prob.keys() == set(SCHEMA.names)

    def test_a_name_that_nobody_has_is_no_recipient(self, provider: Provider, mallory: DataOwner) -> None:
        """Whoever registered it first would be."""
        with pytest.raises(RegistrationError, match="not registered"):
            host(provider, recipients=("alice",))
        with pytest.raises(ClassifierError):
            provider.card("things")

    def test_who_registers_the_name_before_the_recipient_does(
        self, provider: Provider, mallory: DataOwner, owner_key: WeakPrivateKey
    ) -> None:
        """The card names alice's key; mallory is alice to the provider before alice comes."""
        card = host(provider, recipients=(owner_key.public_key,))
        mallory.upload(card, columns(3))
        false_alice = DataOwner.join(provider, "alice")
        with unharmed(provider, AuthorisationError):
            false_alice.read_model(card)
        DataOwner.join(provider, "alice of wonderland", owner_key).read_model(card)

    def test_an_untrained_model(self, alice: DataOwner, card: ModelCard, provider: Provider) -> None:
        with unharmed(provider, NotFittedError):
            alice.read_model(card)

    def test_every_release_is_fresh(self, trained: ModelCard, alice: DataOwner, provider: Provider) -> None:
        one, other = (loads(provider.reveal("things", "alice"), PackedCiphertext, trained.parameters) for _ in range(2))
        assert not set(one.vector.t1) & set(other.vector.t1)
        assert one.decrypt(alice.key) == other.decrypt(alice.key)

    def test_a_release_in_another_layout_is_refused(
        self, trained: ModelCard, alice: DataOwner, tap: Tap, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alice.upload(trained, columns(2), path="homomorphic")
        packed = loads(tap.last("upload"), HomomorphicUpload, trained.parameters).packed
        tap.change_answer = lambda _: dumps(packed)
        with pytest.raises(LayoutError):
            alice.read_model(trained)


class TestRefusals:
    """A refused message leaves the model as it was and the provider alive."""

    def test_a_refused_upload_then_a_good_one(
        self, alice: DataOwner, provider: Provider, card: ModelCard, tap: Tap
    ) -> None:
        table = columns(6)
        for path in ("sealed", "homomorphic"):
            alice.upload(card, table, path=path)
            with unharmed(provider, UploadError):
                provider.upload(tap.last("upload"))
            alice.upload(card, table, path=path)
        np.testing.assert_array_equal(learned(provider), 4 * statistics(table))

    def test_an_owner_who_is_not_registered(self, strong_key: StrongKey, provider: Provider, card: ModelCard) -> None:
        with new_provider(strong_key) as other:
            stranger = DataOwner.join(other, "stranger")
        stranger.provider = provider
        for path in ("sealed", "homomorphic"):
            with unharmed(provider, RegistrationError):
                stranger.upload(card, columns(2), path=path)
        with unharmed(provider, RegistrationError):
            Client("stranger", stranger.key, provider).open_session(card)

    @pytest.mark.parametrize("role", Role, ids=lambda role: role.label)
    def test_each_unit_refuses_by_itself(
        self, role: Role, alice: DataOwner, provider: Provider, card: ModelCard
    ) -> None:
        """One unit's books do not know the owner; it takes nobody's word for it."""
        station = provider.stations[list(Role).index(role)]
        station.registry._registrations.clear()
        for path in ("sealed", "homomorphic"):
            with unharmed(provider, RegistrationError):
                alice.upload(card, columns(2), path=path)

    def test_too_many_rows_for_a_homomorphic_chunk(self, alice: DataOwner, provider: Provider, card: ModelCard) -> None:
        wide = ModelCard(card.parameters, "cloud", "things", "naive_bayes", SCHEMA, chunk_rows=65)
        object.__setattr__(wide, "digest", card.digest)
        object.__setattr__(wide, "chunk_rows", 65)
        assert wide.layout == card.layout, "else it would be refused for that"
        with unharmed(provider, UploadError, match="at most 64"):
            alice.upload(wide, columns(65), path="homomorphic")

    def test_records_of_another_width(self, alice: DataOwner, provider: Provider, card: ModelCard) -> None:
        sealer = Sealer(alice._encryptor, "cloud", "things", "alice", card.digest)
        for shape in ((2, card.row_width + 1), (card.row_width,), (0, card.row_width), (1, 1, card.row_width), ()):
            with unharmed(provider, UploadError, ClassifierError):
                provider.upload(dumps(sealer.seal(np.zeros(shape, np.uint64))))


def test_a_program_that_fails_leaves_a_provider_that_works(
    alice: DataOwner, card: ModelCard, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is in test_accidents.py."""
    alice.upload(card, columns(4))
    positions = [unit.correlations.position for unit in provider.units]
    learner = type(provider.stations.secondary.models["things"].learner)
    with monkeypatch.context() as patch:
        patch.setattr(learner, "_recompute", lambda self, unit: 1 / 0)
        with pytest.raises(ZeroDivisionError) as caught:
            provider.refresh("things")
        assert "unit" in caught.value.__notes__[0]
    provider.refresh("things")
    after = [unit.correlations.position for unit in provider.units]
    assert after[0] == after[1] > max(positions)


def test_a_proof_in_another_name_is_refused_by_both(
    provider: Provider, card: ModelCard, alice: DataOwner, tap: Tap
) -> None:
    alice.upload(card, columns(3))
    with unharmed(provider, ProofError):
        alice.upload(
            ModelCard(card.parameters, "cloud", "things", "naive_bayes", SCHEMA, options={"alpha": 2.0}), columns(3)
        )
