"""Asking those who may do what a member may not."""

from django.forms import CharField, ChoiceField, Form

from integrations.core.act import Act
from integrations.core.vocabulary import ActionNotAllowed
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.account_notices import names_of, send_request
from integrations.pages.access import OrganizationMixin, sees
from integrations.pages.views import ActView


class AskForm(Form):
    """The act, and the candidate that it is about, if any."""

    act = ChoiceField(choices=Act.choices())
    candidate = CharField(required=False, max_length=200)


class AskView(OrganizationMixin, ActView):
    """Send one e-mail to the members who may do an act."""

    form_class = AskForm
    following_page = "overview"

    def operate(self, form: AskForm) -> str:
        """Send it, and say who gets it. Raises ActionNotAllowed."""
        act, opportunity_id = Act(form.cleaned_data["act"]), form.cleaned_data["candidate"]
        if opportunity_id and not self._is_shown(opportunity_id):
            raise ActionNotAllowed("No such candidate here.")
        recipients = send_request(self.membership, act, opportunity_id)
        return f"{names_of(recipients, 'and')} will get an e-mail from you."

    def _is_shown(self, opportunity_id: str) -> bool:
        """Whether the member sees a candidate of this id."""
        own = {"organization": self.organization, "opportunity_id": opportunity_id}
        is_known = any(rows.objects.filter(**own).exists() for rows in (Candidate, Invitation))
        return is_known and sees(self.membership, opportunity_id)
