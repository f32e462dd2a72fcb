"""The cryptosystem itself: encryption, addition, both decryptions, batches, keys."""

from __future__ import annotations

import gmpy2  # type: ignore[import-untyped]
from phe.paillier import PaillierPrivateKey, PaillierPublicKey

from experiments.crypto.keys import Keys
from experiments.report import Report
from experiments.settings import Settings
from experiments.targets import LIMITS
from experiments.timing import Work, measure
from privml.crypto.arithmetic import Integer
from privml.crypto.dtpkc import combine
from privml.crypto.fixed_base import Encryptor
from privml.crypto.keygen import generate
from privml.crypto.primes import safe_prime
from privml.crypto.randomness import random_bits

ENCRYPTION = "encryption"
DECRYPTION = "addition and decryption"
KEYS = "key generation"
PHE = "python-paillier"


def measure_cryptosystem(report: Report, settings: Settings, keys: Keys) -> None:
    """Encryption, addition and decryption of one ciphertext with a full plaintext, and of batches."""
    plaintext = int(random_bits(keys.parameters.bits - 3))
    encryptor = _first_use(report, settings, keys)
    _encryption(report, settings, keys, encryptor, plaintext)
    _addition(report, settings, encryptor, plaintext)
    _decryption(report, settings, keys, encryptor, plaintext)
    _batches(report, settings, keys, encryptor, plaintext)


def measure_key_generation(report: Report, settings: Settings) -> None:
    """A safe prime, and a whole key; both vary widely from run to run."""
    timings = measure(
        {
            "prime": Work(lambda: safe_prime(settings.key_bits // 2)),
            "key": Work(
                lambda: generate(settings.key_bits, allow_insecure_test_size=settings.allow_insecure_test_size)
            ),
        },
        settings.repeats,
    )
    report.time(KEYS, f"safe prime of {settings.key_bits // 2} bits", timings["prime"], "s")
    report.time(KEYS, "key pair of the authority", timings["key"], "s")


def _first_use(report: Report, settings: Settings, keys: Keys) -> Encryptor:
    """Encrypt before there are tables, and make them."""
    ready = Encryptor(keys.owner.public_key)
    timings = measure({"tables": Work(lambda: Encryptor(keys.owner.public_key).prepare())}, 2)
    # fewer than it takes for the tables to be made by themselves
    timings |= measure({"first": Work(lambda: Encryptor(keys.owner.public_key).encrypt(1))}, settings.repeats)
    ready.prepare()
    report.time(ENCRYPTION, "under a new key, before there are tables", timings["first"], "ms")
    report.time(ENCRYPTION, "making the tables of g and h", timings["tables"], "ms")
    report.add(ENCRYPTION, "memory of both tables", ready.memory / 2**20, "MiB")
    return ready


def _encryption(report: Report, settings: Settings, keys: Keys, encryptor: Encryptor, plaintext: int) -> None:
    theirs = PaillierPublicKey(int(keys.parameters.modulus))
    single = encryptor.without_t2()
    pooled, pooled_single = Encryptor(keys.owner.public_key), encryptor.without_t2()
    piece = 16

    def fill(pooled_encryptor: Encryptor) -> None:
        pooled_encryptor.pool.fill(piece)

    def drain(pooled_encryptor: Encryptor) -> None:
        for _ in range(piece):
            pooled_encryptor.encrypt(plaintext)

    timings = measure(
        {
            "T1": Work(lambda: single.encrypt(plaintext)),
            "both": Work(lambda: encryptor.encrypt(plaintext)),
            PHE: Work(lambda: theirs.raw_encrypt(plaintext)),
            "pool": Work(lambda: drain(pooled), piece, lambda: fill(pooled)),
            "pool T1": Work(lambda: drain(pooled_single), piece, lambda: fill(pooled_single)),
        },
        settings.repeats,
    )
    peer = (PHE, timings[PHE])
    for name, key, limit in (("T1 alone", "T1", "encrypt T1"), ("(T1, T2)", "both", "encrypt T1 T2")):
        report.time(ENCRYPTION, f"{name}, with tables", timings[key], "ms", limit=LIMITS[limit])
        report.time(
            ENCRYPTION, f"{name}, against {PHE}", timings[key], "ms", peer=peer, limit=LIMITS[f"{limit}, ratio"]
        )
    report.time(ENCRYPTION, "T1 alone, from a filled pool", timings["pool T1"], "ms", peer=peer)
    report.time(ENCRYPTION, "(T1, T2), from a filled pool", timings["pool"], "ms", peer=peer)


def _addition(report: Report, settings: Settings, encryptor: Encryptor, plaintext: int) -> None:
    n2 = encryptor.parameters.modulus_squared
    single = encryptor.without_t2()
    many = 64
    left, right = (single.encrypt_vector([plaintext] * many) for _ in range(2))
    x, y = left[0], right[0]
    a, b = x.t1, y.t1
    both_left, both_right = encryptor.encrypt(plaintext), encryptor.encrypt(plaintext)
    peer_name = "product"
    timings = measure(
        {
            "one": Work(lambda: x + y),
            peer_name: Work(lambda: a * b % n2),
            "vector": Work(lambda: left + right, many),
            "both": Work(lambda: both_left + both_right),
        },
        settings.repeats,
    )
    peer = (peer_name, timings[peer_name])
    report.time(DECRYPTION, "addition of ciphertexts, T1", timings["one"], "us", peer=peer, limit=LIMITS["addition"])
    report.time(
        DECRYPTION, f"the same in vectors of {many}", timings["vector"], "us", peer=peer, limit=LIMITS["addition"]
    )
    report.time(DECRYPTION, "addition of ciphertexts, (T1, T2): two products", timings["both"], "us", peer=peer)


def _decryption(report: Report, settings: Settings, keys: Keys, encryptor: Encryptor, plaintext: int) -> None:
    parameters, (master, secondary) = keys.parameters, keys.shares
    n2 = parameters.modulus_squared
    ciphertext = encryptor.encrypt(plaintext)
    t1s = [ciphertext.t1]
    base, exponent = (
        random_bits(2 * parameters.bits) % n2,
        Integer(1) << (2 * parameters.bits - 1) | random_bits(2 * parameters.bits - 1),
    )
    theirs = PaillierPrivateKey(PaillierPublicKey(int(parameters.modulus)), *map(int, keys.factors))
    raw = int(ciphertext.t1)

    def two_step() -> int:
        halves = master.halves(t1s)
        return secondary.complete(t1s, halves)[0]

    if two_step() != plaintext or keys.owner.decrypt(ciphertext) != plaintext:
        raise RuntimeError("a ciphertext decrypted to another plaintext")
    halves = [share.halves(t1s) for share in keys.shares]
    powmod = f"powmod, {2 * parameters.bits} bits"
    timings = measure(
        {
            "two-step": Work(two_step),
            powmod: Work(lambda: gmpy2.powmod(base, exponent, n2)),
            "half": Work(lambda: master.halves(t1s)),
            "combine": Work(lambda: combine(parameters, t1s, *halves)),
            "weak": Work(lambda: keys.owner.decrypt(ciphertext)),
            PHE: Work(lambda: theirs.raw_decrypt(raw)),
        },
        settings.repeats,
    )
    peer = (powmod, timings[powmod])
    name = "two-step decryption, one packed ciphertext"
    report.time(DECRYPTION, name, timings["two-step"], "ms", peer=peer, limit=LIMITS["two-step decryption"])
    report.time(DECRYPTION, "of it, a half", timings["half"], "ms", peer=peer)
    report.time(DECRYPTION, "of it, the combination", timings["combine"], "ms", peer=peer)
    rival = (f"{PHE}, p and q", timings[PHE])
    report.time(DECRYPTION, "weak decryption (theta, without p and q)", timings["weak"], "ms", peer=rival)


def _batches(report: Report, settings: Settings, keys: Keys, encryptor: Encryptor, plaintext: int) -> None:
    """Batches on one thread and on two; tables are so fast that encryption uses no threads."""
    count = settings.vector
    vector = encryptor.encrypt_vector([plaintext] * count)
    master, secondary = keys.shares

    def two_step(n_jobs: int) -> None:
        secondary.complete(vector.t1, master.halves(vector.t1, n_jobs=n_jobs), n_jobs=n_jobs)

    timings = measure(
        {
            "encrypt": Work(lambda: encryptor.encrypt_vector([plaintext] * count), count),
            "two-step 1": Work(lambda: two_step(1), count),
            "two-step 2": Work(lambda: two_step(2), count),
            "weak 1": Work(lambda: keys.owner.decrypt_vector(vector, n_jobs=1), count),
            "weak 2": Work(lambda: keys.owner.decrypt_vector(vector, n_jobs=2), count),
        },
        settings.repeats,
    )
    report.time(ENCRYPTION, f"(T1, T2), each of a batch of {count}", timings["encrypt"], "ms")
    for name in ("two-step", "weak"):
        alone, both = timings[f"{name} 1"], timings[f"{name} 2"]
        report.time(DECRYPTION, f"{name} decryption, each of a batch of {count}, n_jobs=1", alone, "ms")
        report.time(DECRYPTION, f"{name} decryption, n_jobs=2", both, "ms", peer=("n_jobs=1", alone))
