"""Reproducible benchmark runs; `python -m experiments --help`."""
