"""`privml train`: a model from CSV files, with both units in this process."""

from privml.cli.train.command import train

__all__ = ["train"]
