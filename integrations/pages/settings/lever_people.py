"""The page that proposes Lever's users as members, role by role, and invites those that a Super Admin chooses."""

from typing import Any

from django.core.paginator import Paginator
from django.forms import Form
from django.http.response import HttpResponseBase
from django.urls import reverse

from integrations.accounts.acts.fresh_proof import proof_wanted
from integrations.core.vocabulary import ActionNotAllowed
from integrations.health.findings import counted
from integrations.http.session import PlatformError
from integrations.members.acts.invitations import LIMITS
from integrations.members.acts.lever_users import PROPOSED, invite_proposed, proposals
from integrations.members.models.membership import SUPER_ADMINS
from integrations.notifications.link_emails import MOST_PER_HOUR, is_mail_sent
from integrations.pages.access import OrganizationMixin
from integrations.pages.views import OperationView

#: As many as may be invited within an hour.
PAGE_SIZE = MOST_PER_HOUR
LEFT_OUT = f"Left out: people who aren't proposed any more, and those beyond the limits. {LIMITS}"


class LeverPeopleView(OrganizationMixin, OperationView):
    """Show who in Lever isn't a member yet, one role at a time; invite those who are ticked on POST."""

    template_name = "integrations/lever_people.html"
    allowed_roles = SUPER_ADMINS
    form_class = Form
    following_page = "team"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the users from Lever; without an answer the page says why."""
        context = super().get_context_data(is_mail_sent=is_mail_sent(), **kwargs)
        try:
            found = proposals(self.organization)
        except PlatformError as error:
            return {**context, "problem": str(error)}
        by_role = {role: [one for one in found if one.role == role] for role in PROPOSED.values()}
        asked = self.request.GET.get("role", "")
        role = next((one for one in by_role if one == asked), None)
        role = role or next((one for one, people in by_role.items() if people), PROPOSED["super admin"])
        page = Paginator(by_role[role], PAGE_SIZE).get_page(self.request.GET.get("page"))
        counts = [(one, len(people)) for one, people in by_role.items()]
        return {**context, "counts": counts, "role": role, "page": page}

    def operate(self, form: Form) -> str | HttpResponseBase:
        """Invite them; they become members when they accept. Super Admins take a fresh proof."""
        role, addresses = self.request.POST.get("role", ""), set(self.request.POST.getlist("address"))
        if not addresses:
            raise ActionNotAllowed("Tick somebody first.")
        page = reverse("lever-people")
        if role in SUPER_ADMINS and (wanted := proof_wanted(self.request, f"{page}?role={role}")):
            return wanted
        invited = invite_proposed(self.organization, role, addresses, self.user)
        if not invited:
            raise ActionNotAllowed(f"Nobody was invited. {LEFT_OUT}")
        said = f"{counted(len(invited), 'invitation')} made. Who accepts becomes a member."
        return said if len(invited) == len(addresses) else f"{said} {LEFT_OUT}"
