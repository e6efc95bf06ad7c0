"""The site's pages beside a growing history, as a Super Admin and as a Limited Team Member see them."""

from collections.abc import Iterable

from django.contrib.auth.models import User

from integrations.models import Delivery
from portal.devtools.benchmarks.history import History
from portal.devtools.benchmarks.timed_pages import Address, TimedPages

PAGES = (
    "/",
    "/activity/",
    "/activity/?page=2",
    "/activity/?page=-1",
    "/activity/?view=attention",
    "/activity/?view=held",
    "/activity/?view=not_invited",
    "/activity/?view=not_invited&reason=no_email",
    "/activity/?view=in_progress",
    "/activity/?view=passed",
    "/activity/?view=failed",
    "/activity/?view=expired",
    "/activity/?role=Designer",
    "/activity/?assessment=Algorithms&since=2020-01-01",
    "/activity/?status=completed",
    "/activity/?status=held",
    "/activity/?show=deliveries",
    "/activity/?show=deliveries&page=-1",
    "/activity/?verdict=invite",
    "/activity/?verdict=no_email",
    "/activity/?verdict=unknown_assessment",
    "/activity/?verdict=anonymized",
    "/activity/?verdict=entered_before",
    "/activity/?show=effects",
    "/activity/?show=effects&page=-1",
    "/activity/?state=failed",
    "/activity/?state=uncertain",
    "/activity/{candidate}/",
    "/deliveries/{delivery}/",
)
#: A name that few candidates have, a common one, a role, an assessment, an opportunity, and what isn't there.
SEARCHES = ("Winterley", "Ada", "Backend Engineer 7", "Algorithms", "{candidate}", "Nobody of this name")
LISTS = ("candidates", "invitations", "deliveries", "effects")
#: Closed to a Limited Team Member.
TEAM_PAGES = (
    "/activity/{busy}/",
    "/health/",
    "/reports/",
    "/mappings/",
    "/what-if/",
    "/audit/",
    "/audit/?page=-1",
    "/audit/?person=person-3",
    "/audit/?action=retry",
    "/audit/?since=2020-01-01",
    "/audit/?action=erase",
)


class PagesBenchmark(TimedPages):
    """The overview, the activity with its filters and searches, candidates, health and the audit log."""

    name = "pages"
    help = "the site's pages, filters and searches beside a growing history"

    def addresses(self, history: History) -> Iterable[Address]:
        """Return every page for both people; those of the team only for the Super Admin."""
        yield from self._of_person(history, history.owner, (*PAGES, *TEAM_PAGES), history.candidate)
        yield from self._of_person(history, history.limited, PAGES, history.limited_candidate)

    def _of_person(
        self, history: History, user: User, pages: Iterable[str], candidate: str
    ) -> Iterable[Address]:
        delivery = Delivery.objects.filter(organization=history.large, opportunity_id=candidate).latest("pk")
        values = {"candidate": candidate, "busy": history.busy_candidate, "delivery": delivery.pk}
        for page in pages:
            yield Address(f"{user.username} {page}", page.format(**values), user)
        for name in LISTS:
            for text in SEARCHES:
                query = text.format(**values).replace(" ", "+")
                yield Address(f"{user.username} search of {name}", f"/activity/?show={name}&q={query}", user)
