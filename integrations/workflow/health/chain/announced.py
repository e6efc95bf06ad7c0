"""Heads of a chain that were told to somebody: the chain must still have them."""

import re
from dataclasses import dataclass
from typing import Self

_HEAD = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True)
class HeadToCompare:
    """The position and hash of a chain's last row at an earlier time."""

    position: int
    hash: str

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the head that was written as POSITION:HASH; None for any other text."""
        found = _HEAD.fullmatch(text.strip())
        return cls(int(found[1]), found[2]) if found else None
