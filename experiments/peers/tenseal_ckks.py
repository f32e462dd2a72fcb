"""TenSEAL's CKKS between a client and a server that knows the model; runs in TenSEAL's environment."""

from __future__ import annotations

import time
from typing import Final

import numpy as np
import tenseal as ts

from experiments.peers.turns import Figures, Inputs, Turn, serve

DEGREE: Final = 8192
"""Half as many queries fill a ciphertext, of which each feature has one."""

MODULI: Final = (60, 40, 60)
"""Bits: one level, which is all that a product with known weights takes. More would cost more time and bytes."""

SCALE: Final = 2.0**40


def prepare(inputs: Inputs) -> tuple[Figures, Turn]:
    """Make the client's key, which alone encrypts and decrypts: TenSEAL's public-key encryption takes twice as long."""
    queries, weights, intercept = inputs["queries"], inputs["weights"].tolist(), float(inputs["intercept"])
    secret = ts.ENCRYPTION_TYPE.SYMMETRIC
    client = ts.context(ts.SCHEME_TYPE.CKKS, DEGREE, coeff_mod_bit_sizes=list(MODULI), encryption_type=secret)
    client.global_scale = SCALE
    server = ts.context_from(client.serialize(save_secret_key=False))

    def turn() -> Figures:
        start = time.perf_counter()
        query = [ts.ckks_vector(client, column).serialize() for column in queries.T]
        asked = time.perf_counter()
        columns = [ts.ckks_vector_from(server, message) for message in query]
        score = columns[0] * weights[0]
        for column, weight in zip(columns[1:], weights[1:], strict=True):
            score = score + column * weight
        answer = (score + intercept).serialize()
        served = time.perf_counter()
        scores = ts.ckks_vector_from(client, answer).decrypt()
        return {
            "seconds": time.perf_counter() - start,
            "server": served - asked,
            "bytes": sum(map(len, query)) + len(answer),
            "error": float(np.abs(np.array(scores) - (queries @ inputs["weights"] + intercept)).max()),
        }

    return {}, turn


if __name__ == "__main__":
    serve(prepare)
