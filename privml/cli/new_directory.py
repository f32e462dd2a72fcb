"""A directory that is there with all its files, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def new_directory(path: Path) -> Iterator[Path]:
    """Fill a directory beside, readable by its owner only, which takes its name at the end; a failure leaves nothing.

    Raises
    ------
    OSError
        The directory came to hold something meanwhile.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        yield beside
        beside.rename(path)
    except BaseException:
        shutil.rmtree(beside)
        raise
