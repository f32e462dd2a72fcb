"""Learners in plaintext that do exactly what the private ones do."""
