"""`privml demo`: the whole job, on real data, with every number it took."""

from privml.cli.demo.command import demo

__all__ = ["demo"]
