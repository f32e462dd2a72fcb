"""Correlated randomness that the two units make between themselves, by oblivious transfer, without a dealer.

Both units honest but curious, as everywhere in PrivML. From the bottom: `curve` and `base_ot` (128 transfers by
Diffie-Hellman on Curve25519), `extension` (from these, millions by symmetric cryptography alone), `row_hash` and
`bit_matrix` (its inner loops), `words`, `digits`, `bits` and `permutation` with its `switching_network` (what transfers
are turned into), and `source`, which is what a unit holds.
"""
