"""The peer's side of taking turns; runs in the peer's environment, with numpy and nothing of ours."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from typing import Any

import numpy as np
from numpy.typing import NDArray

Inputs = Mapping[str, NDArray[Any]]
Figures = Mapping[str, Any]
Turn = Callable[[], Figures]


def serve(prepare: Callable[[Inputs], tuple[Figures, Turn]]) -> None:
    """Prepare once, with what the named file holds; then measure once for every line on stdin.

    What was found out in preparing is the first line on stdout, and every measurement is a further one, all as JSON.
    """
    # what libraries print, from Python or from below it, is no answer
    with os.fdopen(os.dup(1), "w") as answers, redirect_stdout(sys.stderr):
        os.dup2(2, 1)
        with np.load(sys.argv[1]) as inputs:
            facts, measure = prepare(dict(inputs))
        measure()  # a warm-up
        print(json.dumps(facts), file=answers, flush=True)
        for _ in sys.stdin:
            print(json.dumps(measure()), file=answers, flush=True)
