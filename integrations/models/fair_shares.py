"""Which organizations a claim serves, and with how many rows each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Offer:
    """What one organization has to claim: its place in the walk, its leased rows, its most urgent due row."""

    organization_id: int
    #: Where the walk along the organizations reached it, from 1; 0 when it didn't.
    place: int
    leases: int
    #: None when nothing of it is due.
    row_id: int | None


@dataclass
class Turns:
    """Where this process's claims of one table have got to."""

    #: The walk goes on behind this organization.
    walked_to: int = 0
    #: Of the organizations with equally few leases, the one behind this is served next.
    last_served: int = 0

    def shares(self, offers: Sequence[Offer], most: int) -> dict[Offer, int]:
        """Return how many rows of each organization to claim, at most `most` in all, each at least one.

        Every row goes to the organization that has the fewest leases, counted with the rows it was given before.
        """
        due = [offer for offer in offers if offer.row_id is not None]
        due.sort(key=lambda offer: (offer.organization_id <= self.last_served, offer.organization_id))
        given: Counter[Offer] = Counter()
        for _ in range(most if due else 0):
            given[min(due, key=lambda offer: offer.leases + given[offer])] += 1
        return dict(given)

    def go_on(self, offers: Sequence[Offer], places: int) -> None:
        """Let the next walk begin where this one ended, or at the beginning after the last organization."""
        last = max(offers, key=lambda offer: offer.place, default=None)
        self.walked_to = last.organization_id if last is not None and last.place == places else 0
