"""DT-PKC and what is built on it: proofs, packing, sealed envelopes, bytes on the wire, key files."""
