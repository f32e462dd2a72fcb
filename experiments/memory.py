"""How much memory a process took at most."""

from __future__ import annotations

import sys
from pathlib import Path

MIB = 2**20


def peak() -> float | None:
    """MiB of physical memory that this process held at its peak, everything included; None where nobody counts it."""
    try:
        # not getrusage: after fork and exec that remembers the parent's peak
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / MIB
    except (OSError, StopIteration):
        pass
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB
