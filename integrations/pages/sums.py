"""Counts that are added to one another, each to its own kind."""

from typing import Self


class Summable:
    """A dataclass of counts: the sum of two has the sum of each."""

    def __add__(self, other: Self) -> Self:
        """Return the sum of both."""
        others = vars(other)
        return type(self)(**{name: count + others[name] for name, count in vars(self).items()})
