"""Which assessment each role needs: the mappings, and the effective answer per role with its reason."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.forms import Form, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.views.generic import CreateView, DeleteView, TemplateView, UpdateView, View

from integrations.clients import provider
from integrations.http.errors import PlatformError
from integrations.models import (
    LinterFinding,
    Organization,
    Role,
    RoleMapping,
)
from integrations.pages.access import ADMINS, TEAM, OrganizationMixin, return_url
from integrations.pages.mappings.effective_assessments import SHOWN, Answers
from integrations.pages.mappings.mapping_form import RoleMappingForm
from integrations.pages.mappings.suggestions import assessment_names, role_titles, stage_names
from integrations.workflow.catalog import sync
from integrations.workflow.catalog.trigger_policy import trigger_stages
from integrations.workflow.health import linter_history
from integrations.workflow.health.wording import counted
from integrations.workflow.operations.mappings import assign_assessment, delete_mapping, save_mapping

PAGE = 50
LOOKED_AT = 3000  # roles that a search or filter looks through, because their answers are worked out anew
MOST_AT_ONCE = 200


class MappingListView(OrganizationMixin, TemplateView):
    """The answer for each role, the mappings, and the linter's findings beside them."""

    template_name = "integrations/rolemapping_list.html"
    allowed_roles = TEAM

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read one page of mappings and one of roles."""
        query = self.request.GET.get("q", "").strip()[:200]
        show = self.request.GET.get("show", "")
        show = show if show in SHOWN else ""
        mappings = RoleMapping.objects.filter(organization=self.organization).order_by("role", "stage")
        roles = Role.objects.live().filter(organization=self.organization).order_by("title", "pk")
        if query:
            mappings = mappings.filter(Q(role__icontains=query) | Q(assessment__icontains=query))
        stages = trigger_stages(self.organization)
        asked = self.request.GET.get("stage", "")
        stage = next((row for row in stages if row.external_id == asked), next(iter(stages), None))
        answers = Answers(self.organization, stage)
        rows: Any = answers.matching(roles[:LOOKED_AT], query, show) if query or show else roles
        role_page = Paginator(rows, PAGE).get_page(self.request.GET.get("roles"))
        context = super().get_context_data(
            q=query,
            show=show,
            shown={"": "All roles", **{code: label for code, (label, _) in SHOWN.items()}},
            stages=stages,
            mapping_page=Paginator(mappings, PAGE).get_page(self.request.GET.get("page")),
            role_page=role_page,
            answers=[answers.of(role) for role in role_page],
            stage=stage,
            linted=linter_history.compare_with_history(self.organization),
            checked_at=LinterFinding.objects.filter(organization=self.organization).aggregate(
                at=Max("last_seen_at")
            )["at"],
            **suggestions(self.organization),
            **kwargs,
        )
        if self.membership.may_configure:
            context.setdefault("form", RoleMappingForm())
        return context


class AssignView(OrganizationMixin, View):
    """Give several roles the same assessment at once."""

    http_method_names = ["post"]
    allowed_roles = ADMINS

    def post(self, request: HttpRequest) -> HttpResponse:
        """Add or change the mapping of each ticked role, all or none."""
        keys = [key for key in request.POST.getlist("roles") if key.isdecimal()][:MOST_AT_ONCE]
        roles = list(Role.objects.live().filter(organization=self.organization, pk__in=keys))
        assessment = request.POST.get("assessment", "")
        if not roles:
            messages.error(request, "Tick the roles first.")
        elif assessment not in assessment_names(self.organization):
            messages.error(request, "Choose an assessment that CodeScreen lists.")
        else:
            with transaction.atomic():
                changed = sum(assign_assessment(role, assessment, self.user) for role in roles)
            messages.success(
                request,
                f"{counted(len(roles), 'role')}: “{assessment}”. {counted(changed, 'mapping')} changed.",
            )
        return redirect(back(request))


def back(request: HttpRequest) -> str:
    """Return the filtered list that a form was sent from, else the whole list."""
    return return_url(request, str(reverse_lazy("mapping-list")))


def suggestions(organization: Organization) -> dict[str, list[str]]:
    """Return the template context of the pick-lists."""
    return {
        "known_roles": role_titles(organization),
        "known_stages": stage_names(organization),
        "known_assessments": assessment_names(organization),
    }


class MappingEditMixin(OrganizationMixin):
    """What adding, editing and deleting a mapping share."""

    model = RoleMapping
    allowed_roles = ADMINS

    def get_queryset(self) -> QuerySet[RoleMapping]:
        """This organization's alone."""
        return RoleMapping.objects.filter(organization=self.organization)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the pick-lists."""
        return super().get_context_data(**suggestions(self.organization), **kwargs)  # type: ignore[misc,no-any-return]

    def save(self, mapping: RoleMapping) -> None:
        """Store the mapping, and say what that did."""
        is_new = mapping.pk is None
        changes = save_mapping(mapping, self.user)
        done = "added" if is_new else "changed"
        message = f"The mapping {mapping} is {done}." if changes else "Nothing was changed."
        messages.success(self.request, message)


class MappingCreateView(MappingEditMixin, CreateView):
    """Add a mapping."""

    form_class = RoleMappingForm
    success_url = reverse_lazy("mapping-list")

    def get_form_kwargs(self) -> dict[str, Any]:
        """Let the uniqueness check know the organization."""
        return {**super().get_form_kwargs(), "instance": RoleMapping(organization=self.organization)}

    def get_initial(self) -> dict[str, Any]:
        """Start from the role that was clicked."""
        return {"role": self.request.GET.get("role", "")}

    def form_valid(self, form: ModelForm) -> HttpResponse:
        """Store it."""
        self.save(form.instance)
        return redirect("mapping-list")


class MappingUpdateView(MappingEditMixin, UpdateView):
    """Change a mapping, on its own page or in the list."""

    form_class = RoleMappingForm

    def get_success_url(self) -> str:
        """Return to the list as it was filtered."""
        return back(self.request)

    def form_valid(self, form: ModelForm) -> HttpResponse:
        """Store it."""
        self.save(form.instance)
        return redirect(self.get_success_url())


class MappingDeleteView(MappingEditMixin, DeleteView):
    """Ask, then delete a mapping."""

    form_class = Form
    success_url = reverse_lazy("mapping-list")

    def form_valid(self, form: Any) -> HttpResponse:
        """Delete it."""
        mapping = self.object
        name = str(mapping)
        delete_mapping(mapping, self.user)
        messages.success(self.request, f"The mapping {name} is deleted.")
        return redirect("mapping-list")


class RefreshListsView(OrganizationMixin, View):
    """Read the stages, roles and assessments again."""

    http_method_names = ["post"]
    allowed_roles = ADMINS

    def post(self, request: HttpRequest) -> HttpResponse:
        """Refresh what can be refreshed; each platform's refusal is a message of its own."""
        self._try(self._lever, "Stages and roles are as Lever lists them now.")
        self._try(self._codescreen, "Assessments are as CodeScreen lists them now.")
        return redirect(back(request))

    def _lever(self) -> None:
        lever = provider.lever_client(self.organization)
        sync.refresh_stages(self.organization, lever)
        sync.refresh_roles(self.organization, lever)

    def _codescreen(self) -> None:
        sync.refresh_assessments(self.organization, provider.codescreen_client(self.organization))

    def _try(self, refresh: Callable[[], None], done: str) -> None:
        try:
            refresh()
        except PlatformError as error:
            messages.error(self.request, str(error))
        else:
            messages.success(self.request, done)
