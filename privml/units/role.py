"""Which of the two units."""

from __future__ import annotations

import enum


class Role(enum.Enum):
    """Which of the two units this is."""

    MASTER = "Master"
    SECONDARY = "Secondary"

    @property
    def label(self) -> str:
        """The role's name in messages: "Master" or "Secondary"."""
        return self.value
