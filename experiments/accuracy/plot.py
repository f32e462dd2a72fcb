"""Errors over the range of a block's first input, as pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from building_blocks.catalogue import Block
from experiments.trial import Deviation, Values

COLUMNS: Final = 2000
"""Of a picture: in each it shows the largest error."""


@dataclass
class ErrorPlot:
    """Largest errors of a block with real-valued results, by its first input, a number."""

    block: Block
    inputs: list[Values] = field(default_factory=list)
    errors: list[NDArray[np.float64]] = field(default_factory=list)
    bounds: list[NDArray[np.float64]] = field(default_factory=list)

    def take(self, inputs: Sequence[Values], parts: Sequence[Deviation]) -> None:
        """Remember a batch."""
        first = parts[0]
        self.inputs.append(inputs[0])
        self.errors.append(first.error)
        self.bounds.append(first.bound)

    def save(self, folder: Path) -> Path:
        """Draw it, as PNG, in a file named after the block."""
        bits = self.block.inputs[0].fraction_bits or 0
        places = np.concatenate(self.inputs) / 2.0**bits
        errors, bounds = np.concatenate(self.errors), np.concatenate(self.bounds)
        # octaves are equally wide; where there are both signs, but for a straight piece around zero
        is_positive = places.min() > 0
        straight = float(np.abs(places).max()) / 2**10
        columns = np.log2(places) if is_positive else np.arcsinh(places / straight)
        edges = np.linspace(columns.min(), columns.max() + 1e-9, COLUMNS + 1)
        column = np.digitize(columns, edges) - 1
        found, bound, where = (np.full(COLUMNS, np.nan) for _ in range(3))
        order = np.argsort(errors)
        # of several with the same index the last one counts: the largest
        found[column[order]], bound[column[order]], where[column[order]] = (
            errors[order], bounds[order], places[order],
        )  # fmt: skip
        figure = Figure(figsize=(9, 4.5), layout="constrained")
        axes = figure.add_subplot()
        seen = ~np.isnan(where)
        axes.plot(where[seen], found[seen], ".", markersize=2, label="largest error found")
        axes.plot(where[seen], bound[seen], "-", linewidth=1, label="stated bound")
        if is_positive:
            axes.set_xscale("log", base=2)
        else:
            axes.set_xscale("asinh", linear_width=straight)
        axes.set(title=f"{self.block.name}: {self.block.formula}", xlabel="first input", ylabel="absolute error")
        axes.set_ylim(bottom=0)
        axes.legend(loc="best")
        path = folder / f"{re.sub(r'[^a-z0-9]+', '-', self.block.name.lower()).strip('-')}.png"
        figure.savefig(path, dpi=120)
        return path
