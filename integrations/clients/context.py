"""The row and the candidate that the calls of one step are made for."""

from dataclasses import dataclass, field

from integrations import correlation
from integrations.models import Delivery, Effect


@dataclass(frozen=True)
class CallContext:
    """The row that the calls are made for, and the candidate; all calls of a step share the correlation id."""

    effect: Effect | None = None
    delivery: Delivery | None = None
    opportunity_id: str = ""
    correlation_id: str = field(default_factory=correlation.current_or_new)

    @property
    def row(self) -> Effect | Delivery | None:
        """The leased row that the calls are made for, None when there is none."""
        return self.effect or self.delivery

    @property
    def attempt(self) -> int:
        """Which try of the row the calls belong to, from 1."""
        return max(1, self.row.attempts) if self.row else 1
