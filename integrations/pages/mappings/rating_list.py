"""The page of rating thresholds by assessment: the list, and saving and deleting one."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from integrations.models import RatingThresholds
from integrations.models.membership import ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.pages.mappings.rating_form import RatingThresholdsForm
from integrations.pages.mappings.suggestions import assessment_names
from integrations.workflow.operations.rating_thresholds import delete_thresholds, set_thresholds


class RatingListView(OrganizationMixin, TemplateView):
    """Show the thresholds of each assessment that has its own, and store one set."""

    template_name = "integrations/rating_list.html"
    allowed_roles = ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the stored thresholds."""
        context = super().get_context_data(**kwargs)
        context.setdefault("form", RatingThresholdsForm(self.organization, initial=self._organizations_own()))
        context["thresholds"] = RatingThresholds.objects.filter(organization=self.organization)
        context["known_assessments"] = assessment_names(self.organization)
        return context

    def _organizations_own(self) -> dict[str, int]:
        names = ("rating_2_from", "rating_3_from", "rating_4_from")
        return dict(zip(names, self.organization.rating_thresholds, strict=True))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store the thresholds of one assessment, or delete them where “delete” is posted."""
        if request.POST.get("action") == "delete":
            if delete_thresholds(self.organization, request.POST.get("assessment", ""), self.user):
                messages.success(request, "The thresholds are deleted; the rules' scores count again.")
            return redirect("rating-list")
        form = RatingThresholdsForm(self.organization, request.POST)
        if not form.is_valid() or not self._save(form):
            return self.render_to_response(self.get_context_data(form=form))
        return redirect("rating-list")

    def _save(self, form: RatingThresholdsForm) -> bool:
        assessment = form.cleaned_data["assessment"]
        try:
            is_changed = set_thresholds(self.organization, assessment, form.thresholds(), self.user)
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
            return False
        if is_changed:
            messages.success(self.request, f"The thresholds of “{assessment}” are stored.")
        else:
            messages.info(self.request, "Nothing was changed.")
        return True
