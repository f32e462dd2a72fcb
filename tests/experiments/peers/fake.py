"""A peer that is no secret: both parts of a real one in numpy, or an end that it was asked for."""

import os
import sys

import numpy as np

from experiments.peers.turns import Figures, Inputs, Turn, serve


def prepare(inputs: Inputs) -> tuple[Figures, Turn]:
    sys.stdout.write("libraries write to stdout\n")
    os.write(1, b"from C++ too\n")
    if "broken" in inputs:
        raise RuntimeError("no AVX2 here")
    turns = iter(range(int(inputs.get("turns", np.array(100)))))

    def turn() -> Figures:
        sys.stdout.write("and go on\n")
        next(turns)
        return {"seconds": 5.0, "server": 4.0, "bytes": 4096 * 1000, "error": 1e-6}

    weights = descent(inputs).tolist() if "rates" in inputs else []
    return {"compilation": 1.5, "messages": 1000, "bytes": 2_000_000, "weights": weights}, turn


def descent(inputs: Inputs) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """What the inputs say to do."""
    x, y, rates, batches = inputs["x"], inputs["y"], inputs["rates"], int(inputs["batches"])
    weights, steps = np.zeros(x.shape[1]), []
    for step, rate in enumerate(rates):
        records, labels = x[step % batches :: batches], y[step % batches :: batches]
        errors = 1 / (1 + np.exp(-records @ weights)) - labels
        weights = weights - rate / len(labels) * errors @ records
        steps.append(weights)
    return np.asarray(np.mean(steps[-batches:], axis=0))


if __name__ == "__main__":
    serve(prepare)
