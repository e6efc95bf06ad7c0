"""Choose an assessment for a candidate who got none."""

from typing import Any

from django import forms
from django.shortcuts import get_object_or_404
from django.urls import reverse

from integrations.catalog.lists import live_assessments
from integrations.invitations.acts.chosen import invite_candidate, why_not_invitable
from integrations.invitations.models.candidate import Candidate
from integrations.members.models.membership import ADMINS
from integrations.organizations.models.organization import Organization
from integrations.pages.access import OrganizationMixin
from integrations.pages.views import OperationView, ReasonForm


class InviteForm(ReasonForm):
    """The assessment, of those that CodeScreen lists, and the reason."""

    assessment = forms.ChoiceField()

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        listed = [(one.id, one.name) for one in live_assessments(organization)]
        self.fields["assessment"] = forms.ChoiceField(choices=[("", "Choose an assessment"), *listed])


class InviteView(OrganizationMixin, OperationView):
    """Have a candidate invited to the assessment that an Admin chooses."""

    template_name = "integrations/candidate_invite.html"
    form_class = InviteForm
    allowed_roles = ADMINS

    @property
    def candidate(self) -> Candidate:
        """The candidate that the address names; 404 for another organization's."""
        own = Candidate.objects.with_standing().filter(organization=self.organization)
        return get_object_or_404(own, opportunity_id=self.kwargs["opportunity_id"])

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"organization": self.organization}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        candidate = self.candidate
        return super().get_context_data(candidate=candidate, why_not=why_not_invitable(candidate), **kwargs)

    def operate(self, form: InviteForm) -> str:
        """Have the candidate decided with this assessment. Raises ActionNotAllowed."""
        entered = form.cleaned_data
        invite_candidate(self.candidate, self.user, entered["assessment"], entered["reason"])
        return "The candidate is read from Lever once more, and invited if nothing prevents it."

    def get_success_url(self) -> str:
        """Return the candidate's page."""
        return reverse("candidate", args=[self.kwargs["opportunity_id"]])
