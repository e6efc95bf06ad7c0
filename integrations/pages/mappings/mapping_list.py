"""The mappings page: what each role gets, the mappings, the linter's findings, buttons; and the page of one role."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import TemplateView

from integrations.catalog import lists
from integrations.catalog.acts import assign_assessment
from integrations.catalog.lists import trigger_stages
from integrations.catalog.models import CATEGORY_COLUMNS, Role, RoleMapping, Stage
from integrations.clients import provider
from integrations.core.rules.facts import TriggerPolicy
from integrations.core.rules.names import closest_name, normalize
from integrations.core.vocabulary import ActionNotAllowed
from integrations.health import linter
from integrations.health.findings import counted
from integrations.http.session import PlatformError
from integrations.members.models.membership import ADMINS, TEAM
from integrations.organizations.models.organization import Organization
from integrations.pages.access import OrganizationMixin
from integrations.pages.mappings import pick_list
from integrations.pages.views import ActView
from integrations.store.database import keys_of

PAGE_SIZE = 50
MAX_SEARCHED = 3000  # roles whose effective assessment a search or filter works out
MAX_ROLES = 200


@dataclass(frozen=True)
class EffectiveAssessment:
    """The assessment that one role gets in a stage; `is_problem` when a person has to correct something."""

    role: Role
    assessment: str
    reason: str
    is_problem: bool


#: The list's filters by the value of the parameter `show`: what each is called, and whether it shows a role.
FILTERS: Mapping[str, tuple[str, Callable[[EffectiveAssessment], bool]]] = {
    "unmapped": ("Without an assessment", lambda effective: not effective.assessment),
    "problems": ("With a problem", lambda effective: effective.is_problem),
}


class EffectiveAssessments:
    """The effective assessments of an organization's roles in one stage; mappings and lists are read once."""

    def __init__(self, organization: Organization, stage: Stage | None) -> None:
        self._roles = lists.RoleAssessments(organization)
        self._stage = (stage.external_id, stage.name) if stage else ("", organization.stage_prefix)
        #: Else what mappings name together with the stage is all that is sent there.
        self.is_codescreen_stage = TriggerPolicy(organization.stage_prefix).has_prefix(self._stage[1])

    def of(self, role: Role) -> EffectiveAssessment:
        """Return what a candidate of this role gets, by posting tags but without tags of their own."""
        match = self._roles.match(role, *self._stage)
        if match is None:
            reason = (
                "no mapping, no tag, no default" if self.is_codescreen_stage else "no mapping for this stage"
            )
            return EffectiveAssessment(role, "", reason, is_problem=False)
        source = match.names.named_by
        if not match.found:
            closest = closest_name(match.names.written[0], [one.name for one in self._roles.assessments])
            hint = f"; did you mean “{closest}”?" if closest else ""
            reason = f"CodeScreen has no “{match.names.written[0]}”, which {source} names{hint}"
            return EffectiveAssessment(role, "", reason, is_problem=True)
        assessments = ", ".join(assessment.name for assessment in match.found)
        if len(match.found) > 1:
            return EffectiveAssessment(
                role, assessments, f"several assessments fit {source}", is_problem=True
            )
        if match.has_contrary_rules:
            reason = f"more than one mapping fits, each with other rules: {source}"
            return EffectiveAssessment(role, assessments, reason, is_problem=True)
        return EffectiveAssessment(role, assessments, source, is_problem=False)

    def matching(self, roles: Iterable[Role], query: str, show: str) -> list[Role]:
        """Return the roles whose title or assessment contains the query; `show` may name one of FILTERS.

        A filter leaves out roles that are closed in Lever.
        """
        text = normalize(query)
        found = []
        for role in roles:
            effective = self.of(role)
            if text and text not in normalize(f"{role.title} {effective.assessment}"):
                continue
            if show:
                _, includes = FILTERS[show]
                if role.state not in ("", *lists.OPEN_ROLE_STATES) or not includes(effective):
                    continue
            found.append(role)
        return found


def chosen_stage(request: HttpRequest, stages: Sequence[Stage]) -> Stage | None:
    """Return the stage that the address names, or the first trigger stage."""
    stage_id = request.GET.get("stage", "")
    first = stages[0] if stages else None
    return next((stage for stage in stages if stage.external_id == stage_id), first)


class MappingListView(OrganizationMixin, TemplateView):
    """Show the mappings and, for one trigger stage, what each role gets."""

    template_name = "integrations/rolemapping_list.html"
    allowed_roles = TEAM

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        query = self.request.GET.get("q", "").strip()[:200]
        show = self.request.GET.get("show", "")
        show = show if show in FILTERS else ""
        stages = trigger_stages(self.organization)
        stage = chosen_stage(self.request, stages)
        effective = EffectiveAssessments(self.organization, stage)
        roles: QuerySet[Role] | list[Role] = (
            Role.objects.live().filter(organization=self.organization).order_by("title", "pk")
        )
        if query or show:
            roles = effective.matching(roles[:MAX_SEARCHED], query, show)
        role_page = Paginator(roles, PAGE_SIZE).get_page(self.request.GET.get("roles"))
        answers = [effective.of(role) for role in role_page]
        return super().get_context_data(
            q=query,
            show=show,
            filters={"": "All roles", **{code: label for code, (label, _) in FILTERS.items()}},
            stages=[(one.external_id, one.name) for one in stages],
            stage=stage,
            tags_count=effective.is_codescreen_stage,
            role_page=role_page,
            rows=list(zip(answers, self._addresses([answer.role for answer in answers], stage), strict=True)),
            return_here=self._return_here(),
            mapping_page=Paginator(self._mappings(query), PAGE_SIZE).get_page(self.request.GET.get("page")),
            findings=linter.findings(self.organization),
            known_assessments=pick_list.assessments(self.organization).names
            if self.membership.may_configure
            else [],
            **kwargs,
        )

    def _return_here(self) -> str:
        """Return the parameter with which a form returns to the list as it is filtered."""
        return urlencode({"next": self.request.get_full_path()})

    def _addresses(self, roles: Sequence[Role], stage: Stage | None) -> list[str]:
        """Return, for each role, the page that changes the mapping which counts for it, or adds one."""
        names = [name for role in roles for name in (role.title, role.external_id) if name]
        stages = ["", stage.name, stage.external_id] if stage else [""]
        mappings = RoleMapping.objects.filter(
            organization=self.organization, role__in=names, stage__in=stages
        )
        found = {mapping.role: mapping.pk for mapping in mappings.order_by("stage", "pk")}
        titles = Counter(role.title for role in roles)
        addresses = []
        for role in roles:
            pk = found.get(role.external_id) or found.get(role.title)
            name = role.title if role.title and titles[role.title] == 1 else role.external_id
            page = reverse("mapping-edit", args=[pk]) if pk else reverse("mapping-add")
            role_named = "" if pk else f"{urlencode({'role': name})}&"
            addresses.append(f"{page}?{role_named}{self._return_here()}")
        return addresses

    def _mappings(self, query: str) -> QuerySet[RoleMapping]:
        mappings = RoleMapping.objects.filter(organization=self.organization)
        if not query:
            return mappings
        searched = ("role", *CATEGORY_COLUMNS, "assessment")
        return mappings.filter(reduce(or_, (Q(**{f"{name}__icontains": query}) for name in searched)))


class _MappingListActView(OrganizationMixin, ActView):
    """A button of the page."""

    allowed_roles = ADMINS
    following_page = "mapping-list"


class BulkAssignView(_MappingListActView):
    """Give the ticked roles one assessment."""

    def operate(self, form: Form) -> str:
        """Add or change the mapping of each ticked role, all or none."""
        ticked, assessment = self.request.POST.getlist("roles"), self.request.POST.get("assessment", "")
        found = Role.objects.live().filter(organization=self.organization, pk__in=keys_of(ticked)[:MAX_ROLES])
        roles = list(found.select_related("organization"))
        if not roles:
            raise ActionNotAllowed("Tick the roles first.")
        if assessment not in pick_list.assessments(self.organization).names:
            raise ActionNotAllowed("Choose an assessment that CodeScreen lists.")
        changed = assign_assessment(self.organization, roles, assessment, self.user)
        return f"{counted(len(roles), 'role')}: “{assessment}”. {counted(changed, 'mapping')} changed."


class RefreshCatalogView(_MappingListActView):
    """Read the stages, roles and assessments again."""

    def operate(self, form: Form) -> HttpResponse:
        """Refresh both platforms' lists; each platform's error becomes a message of its own."""
        self._refresh(self._refresh_lever, "Stages and roles are as Lever lists them now.")
        self._refresh(self._refresh_codescreen, "Assessments are as CodeScreen lists them now.")
        return redirect(self.get_success_url())

    def _refresh(self, refresh: Callable[[], None], success: str) -> None:
        try:
            refresh()
        except PlatformError as error:
            messages.error(self.request, str(error))
        else:
            messages.success(self.request, success)

    def _refresh_lever(self) -> None:
        lever = provider.lever_client(self.organization)
        lists.refresh_stages(self.organization, lever)
        lists.refresh_roles(self.organization, lever)

    def _refresh_codescreen(self) -> None:
        lists.refresh_assessments(self.organization, provider.codescreen_client(self.organization))
