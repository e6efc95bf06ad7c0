"""The page of rating thresholds by assessment: the list, and saving and deleting one."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations.catalog.acts import delete_thresholds, set_thresholds
from integrations.catalog.models import RatingThresholds
from integrations.core.vocabulary import Thresholds
from integrations.members.models.membership import ADMINS
from integrations.organizations.models.organization import Organization
from integrations.pages.access import OrganizationMixin
from integrations.pages.mappings import pick_list
from integrations.pages.mappings.pick_list import assessment_names
from integrations.pages.operation_views import OperationView


def _score(label: str) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=0, max_value=100)


class RatingThresholdsForm(forms.Form):
    """An assessment that CodeScreen lists, and the lowest scores for the ratings 2, 3 and 4."""

    assessment = forms.CharField(
        max_length=300,
        widget=forms.TextInput(attrs={"list": "known-assessments", "autocomplete": "off"}),
    )
    rating_2_from = _score("Rating 2 from score")
    rating_3_from = _score("Rating 3 from score")
    rating_4_from = _score("Rating 4 from score")

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        """Offer the assessments that CodeScreen lists."""
        super().__init__(*args, **kwargs)
        self._assessments = pick_list.assessments(organization)
        self._assessments.offer(self, "assessment", "Choose…")

    def clean_assessment(self) -> str:
        """Reject an assessment that CodeScreen doesn't list."""
        written = str(self.cleaned_data["assessment"])
        if reason := self._assessments.refusal(written):
            raise forms.ValidationError(reason)
        return written

    def thresholds(self) -> Thresholds:
        """Return the three scores of a valid form."""
        values = self.cleaned_data
        return values["rating_2_from"], values["rating_3_from"], values["rating_4_from"]


class RatingListView(OrganizationMixin, OperationView):
    """Show the thresholds of each assessment that has its own, and store one set."""

    template_name = "integrations/rating_list.html"
    allowed_roles = ADMINS
    form_class = RatingThresholdsForm
    following_page = "rating-list"

    def get_form_kwargs(self) -> dict[str, Any]:
        """Add the organization."""
        return {**super().get_form_kwargs(), "organization": self.organization}

    def get_initial(self) -> dict[str, Any]:
        """Return the organization's own thresholds."""
        names = ("rating_2_from", "rating_3_from", "rating_4_from")
        return dict(zip(names, self.organization.rating_thresholds, strict=True))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the stored thresholds."""
        return super().get_context_data(
            thresholds=RatingThresholds.objects.filter(organization=self.organization),
            known_assessments=assessment_names(self.organization),
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Store the thresholds of one assessment, or delete them where “delete” is posted."""
        if request.POST.get("action") != "delete":
            return super().post(request, *args, **kwargs)
        if delete_thresholds(self.organization, request.POST.get("assessment", ""), self.user):
            messages.success(request, "The thresholds are deleted; the rules' scores count again.")
        return redirect("rating-list")

    def operate(self, form: RatingThresholdsForm) -> str | None:
        """Store the thresholds of one assessment."""
        assessment = form.cleaned_data["assessment"]
        is_changed = set_thresholds(self.organization, assessment, form.thresholds(), self.user)
        return f"The thresholds of “{assessment}” are stored." if is_changed else None
