"""Which assessment each role needs: the mappings, and the effective answer per role with its reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.forms import Form, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.views.generic import CreateView, DeleteView, TemplateView, UpdateView, View

from integrations import clients
from integrations.models import AuditEntry, Role, RoleMapping, Stage
from integrations.pages.access import ADMINS, TEAM, OrganizationMixin
from integrations.pages.checklist import trigger_stages
from integrations.pages.connections import known_assessments
from integrations.pages.forms import RoleMappingForm
from integrations.platform import PlatformError
from integrations.workflow import facts, linter
from integrations.workflow.decide import Candidacy, Choice, Facts, choose_assessment, closest

PAGE = 50
SUGGESTIONS = 1000


@dataclass(frozen=True)
class Answer:
    """What one role gets in a trigger stage, and why; `is_problem` when a person has to mend it."""

    role: Role
    assessment: str
    reason: str
    is_problem: bool


def answer(role: Role, known: Facts) -> Answer:
    """Return what a candidate of this role would get, by the same choice as the real run."""
    candidacy = Candidacy(
        stage_id=known.stage_id,
        stage_name=known.stage_name,
        role_id=role.external_id,
        role_title=role.title,
        tags=tuple(role.tags),
    )
    choice = choose_assessment(known, candidacy)
    return Answer(role, *_words(choice, [assessment.name for assessment in known.assessments]))


def _words(choice: Choice, names: Sequence[str]) -> tuple[str, str, bool]:
    if not choice.written:
        return "", "no mapping, no tag, no default", False
    if choice.unknown:
        meant = closest(choice.written[0], names)
        hint = f"; did you mean “{meant}”?" if meant else ""
        return "", f"CodeScreen has no “{choice.written[0]}”, which {choice.source} names{hint}", True
    found = ", ".join(assessment.name for assessment in choice.found)
    if len(choice.found) > 1:
        return found, f"several are named by {choice.source}", True
    return found, choice.source, False


class MappingListView(OrganizationMixin, TemplateView):
    """The mappings, the linter's findings, and the answer for each role."""

    template_name = "integrations/rolemapping_list.html"
    allowed_roles = TEAM

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read one page of mappings and one of roles."""
        query = self.request.GET.get("q", "").strip()
        mappings = RoleMapping.objects.filter(organization=self.organization).order_by("role", "stage")
        roles = Role.objects.live().filter(organization=self.organization).order_by("title", "pk")
        if query:
            mappings = mappings.filter(role__icontains=query)
            roles = roles.filter(title__icontains=query)
        mapping_page = Paginator(mappings, PAGE).get_page(self.request.GET.get("page"))
        stage = next(iter(trigger_stages(self.organization)), "")
        role_page = Paginator(roles, PAGE).get_page(self.request.GET.get("roles"))
        context = super().get_context_data(
            q=query,
            mapping_page=mapping_page,
            role_page=role_page,
            answers=self.answers(list(role_page), stage),
            first_stage=stage,
            findings=linter.findings(self.organization),
            **suggestions(self.organization),
            **kwargs,
        )
        if self.membership.may_configure:
            context.setdefault("form", RoleMappingForm())
        return context

    def answers(self, roles: Sequence[Role], stage: str) -> list[Answer]:
        """Return the answer for each role in this stage."""
        known = Facts(
            event="",
            stage_prefix=self.organization.stage_prefix,
            stage_name=stage or self.organization.stage_prefix,
            mappings=facts.mapping_rules(self.organization),
            assessments=facts.live_assessments(self.organization),
            default_assessment=self.organization.default_assessment,
        )
        return [answer(role, known) for role in roles]


def suggestions(organization: Any) -> dict[str, Any]:
    """Return what the pick-lists offer: live roles, stages and assessments."""
    roles = Role.objects.live().filter(organization=organization).order_by("title")
    stages = Stage.objects.live().filter(organization=organization).order_by("position")
    return {
        "known_roles": list(dict.fromkeys(roles.values_list("title", flat=True)[:SUGGESTIONS])),
        "known_stages": list(dict.fromkeys(stages.values_list("name", flat=True)[:SUGGESTIONS])),
        "known_assessments": known_assessments(organization),
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

    def record(self, action: str, mapping: RoleMapping) -> None:
        """Write the audit entry and the message."""
        changes = {"role": mapping.role, "stage": mapping.stage, "assessment": mapping.assessment}
        AuditEntry.record(self.organization, self.person, f"{action} mapping", mapping, changes)
        messages.success(self.request, f"The mapping {mapping} is {_PAST[action]}.")


_PAST = {"add": "added", "change": "changed", "delete": "deleted"}


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
        response = super().form_valid(form)
        self.record("add", form.instance)
        return response


class MappingUpdateView(MappingEditMixin, UpdateView):
    """Change a mapping."""

    form_class = RoleMappingForm
    success_url = reverse_lazy("mapping-list")

    def form_valid(self, form: ModelForm) -> HttpResponse:
        """Store it."""
        response = super().form_valid(form)
        self.record("change", form.instance)
        return response


class MappingDeleteView(MappingEditMixin, DeleteView):
    """Ask, then delete a mapping."""

    form_class = Form
    success_url = reverse_lazy("mapping-list")

    def form_valid(self, form: Any) -> HttpResponse:
        """Delete it."""
        mapping = self.object
        self.record("delete", mapping)
        mapping.delete()
        return redirect("mapping-list")


class RefreshListsView(OrganizationMixin, View):
    """Read the stages, roles and assessments again."""

    http_method_names = ["post"]
    allowed_roles = ADMINS

    def post(self, request: HttpRequest) -> HttpResponse:
        """Refresh what can be refreshed; each platform's refusal is a message of its own."""
        self._try(self._lever, "Stages and roles are as Lever lists them now.")
        self._try(self._codescreen, "Assessments are as CodeScreen lists them now.")
        return redirect("mapping-list")

    def _lever(self) -> None:
        lever = clients.lever_for(self.organization)
        facts.refresh_stages(self.organization, lever)
        facts.refresh_roles(self.organization, lever)

    def _codescreen(self) -> None:
        facts.refresh_assessments(self.organization, clients.codescreen_for(self.organization))

    def _try(self, refresh: Callable[[], None], done: str) -> None:
        try:
            refresh()
        except PlatformError as error:
            messages.error(self.request, str(error))
        else:
            messages.success(self.request, done)
