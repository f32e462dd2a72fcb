"""SPU's semi2k between two parties in one process, on the inputs of ours; runs in SPU's environment."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from spu import libspu
from spu.utils import frontend
from spu.utils.simulation import Simulator

from experiments.peers.turns import Figures, Inputs, Turn, serve


def descent(rates: Sequence[float], batches: int) -> Callable[[Any, Any], Any]:
    """Mini-batch gradient descent as ours is: strided batches, and the mean of the weights in the last epoch."""

    def train(x: Any, y: Any) -> Any:
        weights = total = jnp.zeros(x.shape[1])
        for step, rate in enumerate(rates):
            batch = slice(step % batches, None, batches)
            errors = jax.nn.sigmoid(x[batch] @ weights) - y[batch]
            weights = weights - rate / len(errors) * (errors @ x[batch])
            if step >= len(rates) - batches:
                total = total + weights
        return total / batches

    return train


def prepare(inputs: Inputs) -> tuple[Figures, Turn]:
    """Compile the training, and see what it costs on a link."""
    names = ["x", "y"]
    records = [inputs[name].astype(np.float32) for name in names]
    train = descent(inputs["rates"].tolist(), int(inputs["batches"]))
    start = time.perf_counter()
    executable, _ = frontend.compile(
        frontend.Kind.JAX, train, records, {}, names, [libspu.Visibility.VIS_SECRET] * 2, lambda _: ["weights"]
    )
    compilation = time.perf_counter() - start
    simulator = Simulator.simple(2, libspu.ProtocolKind.SEMI2K, libspu.FieldType.FM64)
    (weights,) = simulator(executable, *records)
    messages, size = sent(executable, records)

    def turn() -> Figures:
        start = time.perf_counter()
        simulator(executable, *records)
        return {"seconds": time.perf_counter() - start}

    return {"compilation": compilation, "messages": messages, "bytes": size, "weights": weights.tolist()}, turn


def sent(executable: Any, records: Sequence[Any]) -> tuple[int, int]:
    """Messages and bytes that one party sends; SPU says them in its log alone."""
    config = libspu.RuntimeConfig(libspu.ProtocolKind.SEMI2K, libspu.FieldType.FM64)
    config.enable_pphlo_profile = True
    with tempfile.TemporaryFile("w+") as log:
        stdout = os.dup(1)
        os.dup2(log.fileno(), 1)
        try:
            Simulator(2, config)(executable, *records)
        finally:
            os.dup2(stdout, 1)
            os.close(stdout)
        log.seek(0)
        found = re.findall(r"total send bytes (\d+).* send actions (\d+)", log.read())
    size, messages = map(int, found[-1])
    return messages, size


if __name__ == "__main__":
    serve(prepare)
