"""The page that takes over who was invited by CodeScreen's own Lever integration."""

from itertools import islice
from typing import Any

from django.forms import Form
from django.urls import reverse

from integrations.clients.provider import ClientProvider
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.session import PlatformError
from integrations.invitations.acts.take_over import (
    NO_ASSESSMENT,
    tagged_candidate,
    tagged_candidates,
    take_over,
)
from integrations.members.models.membership import ADMINS
from integrations.organizations.models.organization import Organization
from integrations.pages.access import OrganizationMixin
from integrations.pages.views import ConfirmedActView

#: How many are shown, and taken over, at once.
MOST = 50


class TakeOverView(OrganizationMixin, ConfirmedActView):
    """Show who has a progress tag that no invitation here explains; on POST, take over those that are ticked."""

    template_name = "integrations/take_over.html"
    allowed_roles = ADMINS
    following_page = "candidates-take-over"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read them from Lever; where it doesn't answer, say so instead."""
        context = super().get_context_data(**kwargs)
        try:
            found = list(islice(tagged_candidates(self.organization, self._clients), MOST + 1))
        except PlatformError as error:
            return {**context, "error": str(error)}
        context["ready"] = [one for one in found[:MOST] if one.assessment]
        context["unmapped"] = [one for one in found[:MOST] if not one.assessment]
        return {**context, "is_cut": len(found) > MOST, "most": MOST, "no_assessment": NO_ASSESSMENT}

    def operate(self, form: Form) -> str | None:
        """Take over each that is ticked; who can't be is named at the end. Raises ActionNotAllowed."""
        posted, left, taken = self.request.POST, [], 0
        for opportunity_id in posted.getlist("row")[:MOST]:
            try:
                found = tagged_candidate(self.organization, opportunity_id, self._clients)
                take_over(self.organization, found, self.user, posted.get(f"instance-{opportunity_id}", ""))
                taken += 1
            except (ActionNotAllowed, PlatformError) as error:
                left.append(str(error))
        if left:
            raise ActionNotAllowed(f"{taken} taken over, {len(left)} not. {left[0]}")
        return f"{taken} taken over: known here, and not invited again." if taken else None

    def get_success_url(self) -> str:
        return reverse(self.following_page)

    @property
    def _clients(self) -> ClientProvider:
        return ClientProvider(Organization.objects.reread(self.organization.pk))
