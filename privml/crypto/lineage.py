"""Which process this is, told from its forks: what is given out once must not be given out by parent and child."""

from __future__ import annotations

import os


class _Forks:
    """Counts the forks between this process and the one that imported the module."""

    count = 0

    @classmethod
    def add(cls) -> None:
        """Count one more; the hook below runs it in every child of a fork before anything else."""
        cls.count += 1


os.register_at_fork(after_in_child=_Forks.add)


def lineage() -> tuple[int, int]:
    """Return what is the same as long as nothing forks, and never the same in a parent and its child."""
    # Two signs of a fork: a child in a new PID namespace may have its parent's number.
    return os.getpid(), _Forks.count
