"""When Lever and CodeScreen last answered an organization, and how fast."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from integrations.models import ApiCall, CircuitBreaker, Organization
from integrations.models.api_call import FIRST_SERVER_ERROR
from integrations.vocabulary import Platform

#: So many of the organization's latest calls are looked through.
LOOKED_THROUGH = 2_000
#: The median and the slowest are of so many answers.
MEASURED = 100


@dataclass
class Answers:
    """What is known of one platform's answers to one organization."""

    platform: Platform
    last_answer: ApiCall | None = None
    last_answer_at: datetime | None = None
    durations: list[int] = field(default_factory=list)
    not_answered: int = 0
    breaker: CircuitBreaker | None = None

    @property
    def median_ms(self) -> int | None:
        """The median time of the latest answers; None before the first."""
        return round(median(self.durations)) if self.durations else None

    @property
    def slowest_ms(self) -> int | None:
        """The longest time of the latest answers; None before the first."""
        return max(self.durations, default=None)

    @property
    def is_down(self) -> bool:
        """Whether calls wait because the platform doesn't answer."""
        return self.breaker is not None and self.breaker.is_open


def answers_to(organization: Organization) -> list[Answers]:
    """Return what is known of each platform's answers to the organization."""
    calls = ApiCall.objects.filter(organization=organization).defer("request_body", "response_body")
    found = {platform: Answers(platform) for platform in Platform}
    for breaker in CircuitBreaker.objects.filter(organization=organization):
        if breaker.platform in found:
            found[Platform(breaker.platform)].breaker = breaker
    _read(found, calls.order_by("-at", "-pk")[:LOOKED_THROUGH])
    return list(found.values())


def _read(found: dict[Platform, Answers], calls: Iterable[ApiCall]) -> None:
    """Add the calls, newest first."""
    for call in calls:
        if call.platform not in found:
            continue
        answers = found[Platform(call.platform)]
        if call.status is None or call.status >= FIRST_SERVER_ERROR:
            if len(answers.durations) < MEASURED:
                answers.not_answered += 1
            continue
        at = call.last_at or call.at  # the same answer to a later poll is counted on the first
        if answers.last_answer_at is None or at > answers.last_answer_at:
            answers.last_answer, answers.last_answer_at = call, at
        if len(answers.durations) < MEASURED:
            answers.durations.append(call.duration_ms)
