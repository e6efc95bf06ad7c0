"""The row and the candidate that the calls of one step are made for."""

from dataclasses import dataclass, field

from integrations import correlation
from integrations.models import Delivery, Effect


@dataclass(frozen=True)
class CallContext:
    """The row that the calls are made for, and the candidate; all calls of a step share the correlation id."""

    effect: Effect | None = None
    delivery: Delivery | None = None
    #: Whom calls without a row are made for.
    opportunity_without_row: str = ""
    correlation_id: str = field(default_factory=correlation.current_or_new)

    @property
    def row(self) -> Effect | Delivery | None:
        """The leased row that the calls are made for, None when there is none."""
        return self.effect or self.delivery

    @property
    def opportunity_id(self) -> str:
        """Whom the calls are made for, empty for nobody: by it they are shown and erased with the candidate."""
        return self.row.opportunity_id if self.row else self.opportunity_without_row

    @property
    def attempt(self) -> int:
        """Which try of the row the calls belong to, from 1."""
        return max(1, self.row.attempts) if self.row else 1
