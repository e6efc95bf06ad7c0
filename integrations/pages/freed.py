"""After a change, the candidates that it frees: their number, why they were not invited, and a link to invite them."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from integrations.inbox.today import Changed, Today
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization

#: So many causes are named, and so many candidates are in the link.
MOST_CAUSES, MOST_LINKED = 3, 100


class FreedCandidates:
    """Who would be invited before a change, to compare with who would be after it; for members who may invite them."""

    def __init__(self, member: Membership | None) -> None:
        self.member = member if member is not None and member.may_configure else None
        self.before = self._freed().keys()

    def tell(self, request: HttpRequest) -> None:
        """Add a message about those who would be invited since the change; none where there is nobody."""
        freed = [one for key, one in self._freed().items() if key not in self.before]
        if not freed:
            return
        causes = list(dict.fromkeys(one.cause for one in freed))
        why = f" because {' or '.join(causes)}" if len(causes) <= MOST_CAUSES else ""
        keys = [("candidate", one.candidate.pk) for one in freed[:MOST_LINKED]]
        is_one = len(freed) == 1
        messages.warning(
            request,
            format_html(
                '{} not invited{}. <a href="{}">Invite them</a>',
                "1 candidate was" if is_one else f"{len(freed):,} candidates were",
                why,
                f"{reverse('candidates-bulk')}?{urlencode([('act', 'invite'), *keys])}",
            ),
        )

    def _freed(self) -> Mapping[int, Changed]:
        if self.member is None:
            return {}
        # read again: the change may be stored through another object
        return Today(Organization.objects.get(pk=self.member.organization_id)).freed
