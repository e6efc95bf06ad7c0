"""The page of the rules by assessment: rating thresholds, the bar, and CodeScreen's days to start."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations.catalog.acts import RULES_OF_ASSESSMENT, delete_assessment_rules, set_assessment_rules
from integrations.catalog.models.role_mapping import ASSESSMENT_RULES, AssessmentRules
from integrations.catalog.role_rules import LABELS
from integrations.members.models.membership import ADMINS
from integrations.organizations.models.organization import Organization
from integrations.pages.access import OrganizationMixin
from integrations.pages.mappings import pick_list
from integrations.pages.mappings.pick_list import assessment_names
from integrations.pages.views import OperationView

_LABELS = {
    "rating_2_from": "Rating 2 from score",
    "rating_3_from": "Rating 3 from score",
    "rating_4_from": "Rating 4 from score",
    **{name: LABELS[name] for name in ASSESSMENT_RULES},
}


class AssessmentRulesForm(forms.Form):
    """An assessment that CodeScreen lists, and its rules; an empty one is as for all assessments."""

    assessment = forms.CharField(
        max_length=300,
        widget=forms.TextInput(attrs={"list": "known-assessments", "autocomplete": "off"}),
    )
    #: The assessment whose stored rules the form was filled with; empty for an empty form.
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in RULES_OF_ASSESSMENT:
            column = AssessmentRules._meta.get_field(name)
            self.fields[name] = cast("forms.Field", column.formfield(label=_LABELS[name]))  # type: ignore[union-attr]
        self._organization = organization
        self._assessments = pick_list.assessments(organization)
        self._assessments.offer(self, "assessment", "Choose…")

    def clean_assessment(self) -> str:
        written = str(self.cleaned_data["assessment"])
        if reason := self._assessments.refusal(written):
            raise forms.ValidationError(reason)
        return written

    def clean(self) -> dict[str, Any]:
        """Refuse to remove rules of the assessment that the form didn't show."""
        cleaned = super().clean() or {}
        assessment = cleaned.get("assessment", "")
        own = AssessmentRules.objects.filter(organization=self._organization, assessment=assessment).first()
        if cleaned.get("shown") != assessment and any(
            getattr(own, name, None) is not None and name not in self.errors and cleaned.get(name) is None
            for name in RULES_OF_ASSESSMENT
        ):
            self.add_error(
                "assessment", f"“{assessment}” has rules of its own. Press “Change” beside them below."
            )
        return cleaned


class AssessmentRulesView(OrganizationMixin, OperationView):
    """Show the rules of each assessment that has its own, and store those of one."""

    template_name = "integrations/assessment_rules.html"
    allowed_roles = ADMINS
    form_class = AssessmentRulesForm
    following_page = "assessment-rules"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "organization": self.organization}

    def get_initial(self) -> dict[str, Any]:
        assessment = self.request.GET.get("assessment", "")
        own = self._stored.filter(assessment=assessment).first()
        rules = {name: getattr(own, name, None) for name in RULES_OF_ASSESSMENT}
        return {**rules, "assessment": assessment, "shown": assessment}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            stored=self._stored,
            known_assessments=assessment_names(self.organization),
            **kwargs,
        )

    @property
    def _stored(self) -> QuerySet[AssessmentRules]:
        return AssessmentRules.objects.filter(organization=self.organization)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Store the rules of one assessment, or delete them where “delete” is posted."""
        if request.POST.get("action") != "delete":
            return super().post(request, *args, **kwargs)
        if delete_assessment_rules(self.organization, request.POST.get("assessment", ""), self.user):
            messages.success(request, "They are deleted; the rules for all roles count again.")
        return redirect("assessment-rules")

    def operate(self, form: AssessmentRulesForm) -> str | None:
        rules = {name: form.cleaned_data[name] for name in RULES_OF_ASSESSMENT}
        assessment = form.cleaned_data["assessment"]
        is_changed = set_assessment_rules(self.organization, assessment, rules, self.user)
        return f"The rules of “{assessment}” are stored." if is_changed else None
