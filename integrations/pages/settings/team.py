"""The Team page: the members, and those who haven't answered their invitation yet."""

from typing import Any

from django.views.generic import TemplateView

from integrations.models import Membership
from integrations.models.membership import SUPER_ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.pages.settings.member_form import InviteMemberForm
from integrations.workflow.email.membership_links import is_mail_sent


class TeamView(OrganizationMixin, TemplateView):
    """Show the members. The view that invites one inherits from it, to show the page again with a form's errors."""

    template_name = "integrations/team.html"
    allowed_roles = SUPER_ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the members and the pending memberships."""
        context = super().get_context_data(**kwargs)
        context.setdefault("invite_form", InviteMemberForm())
        members = self.organization.memberships.select_related("user")
        context["members"] = members.order_by("user__username")
        context["pending_members"] = self.organization.pending_memberships.order_by("email")
        context["is_mail_sent"] = is_mail_sent()
        context["roles"] = Membership.Role.choices
        return context
