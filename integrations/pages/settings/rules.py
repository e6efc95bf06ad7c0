"""What holds for all roles: the rules of sending, of results and of keeping data; and the author of feedback."""

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from django import forms
from django.forms import BoundField, Form
from django.http import QueryDict

from integrations.clients import provider
from integrations.core.vocabulary import ActionNotAllowed, Origin, OriginRule, lower_first
from integrations.http.session import PlatformError
from integrations.lever.acts import choose_feedback_author
from integrations.lever.models.connection import LeverConnection
from integrations.lever.oauth import FILES_SCOPE
from integrations.members.models.membership import ADMINS
from integrations.organizations.acts import set_policies
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.policies import POLICIES, RULES, RuleGroup, rules_of, zone_names
from integrations.pages.access import OrganizationMixin
from integrations.pages.mappings import pick_list
from integrations.pages.mappings.pick_list import PickList
from integrations.pages.views import ActView, OperationView

#: The fields that are chosen from what a platform lists, and what they say when they are empty.
CHOSEN: Mapping[str, tuple[Callable[[Organization], PickList], str]] = {
    "default_assessment": (pick_list.assessments, "None"),
    "stage_on_pass": (pick_list.stages, "Nobody is moved"),
}
#: The fields that are together the rule `origins`, with the origin of each.
ORIGIN_FIELDS = {f"origin_{origin}": origin for origin in Origin}


def origins_in_words(origins: Mapping[str, str]) -> str:
    """Return what happens by the candidate's origin, on one line."""
    named = [f"{one.label}: {OriginRule(origins[one]).label.lower()}" for one in Origin if one in origins]
    return ", ".join(named) or "all are sent"


def rule_in_words(organization: Organization, name: str) -> str:
    """Return how a rule is set, as it stands within a sentence."""
    value = getattr(organization, name)
    if value in (None, ""):
        return lower_first(CHOSEN[name][1]) if name in CHOSEN else "none"
    match value:
        case bool():
            return "on" if value else "off"
        case dict():
            return origins_in_words(value)
        case list():
            return ", ".join(map(str, value))
        case str():
            return f"“{value}”"
    return str(value)


class ScoresField(forms.Field):
    """Scores with commas between them; the column is a list of numbers, and refuses what is no number."""

    def prepare_value(self, value: object) -> object:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: object) -> list[int | str]:
        parts = [part.strip() for part in str(value or "").split(",")]
        return [int(part) if part.isdecimal() and len(part) <= 3 else part for part in parts]


class PoliciesForm(forms.ModelForm):
    """The organization's policies on one page. Assessments and stages are chosen from what the platforms list."""

    rating_thresholds = ScoresField(
        label=RULES["rating_thresholds"].verbose_name, help_text=RULES["rating_thresholds"].help_text
    )

    class Meta:
        model = Organization
        fields = [name for name in POLICIES if name != "origins"]

    def __init__(self, data: QueryDict | None = None, *, page: str, **kwargs: Any) -> None:
        """Fill in the stored value of each field that isn't posted, except checkboxes, which mean off then."""
        organization, origins = kwargs["instance"], kwargs["instance"].origins
        data = data.copy() if data is not None else None
        super().__init__(data, **kwargs)
        self._groups = [group for group in RuleGroup if group.page == page]
        names = rules_of(Organization, *self._groups)
        self.fields = {name: field for name, field in self.fields.items() if name in names}
        # a stored rule that says what holds anyway counts as none
        self.initial["origins"] = {one: rule for one, rule in origins.items() if rule != OriginRule.SEND}
        for name, origin in ORIGIN_FIELDS.items() if "origins" in names else ():
            self.fields[name] = forms.ChoiceField(
                label=f"Origin {origin.label}",
                choices=OriginRule.choices(),
                initial=origins.get(origin, OriginRule.SEND),
                required=False,
            )
        for name, field in self.fields.items():
            if data is not None and not isinstance(field, forms.BooleanField):
                stored = field.prepare_value(self.get_initial_for_field(field, name))
                data.setdefault(name, "" if stored is None else str(stored))
        if "time_zone" in names:
            zones = [(name, name) for name in sorted(zone_names())]
            self.fields["time_zone"].widget = forms.Select(choices=zones)
        self._lists: dict[str, PickList] = {}
        for name, (read, empty) in CHOSEN.items():
            if name in names:
                self._lists[name] = read(organization)
                self._lists[name].offer(self, name, empty)
        #: For each stored name that its platform doesn't list, the reason; the form begins with these.
        self.unknown = [
            reason for name, known in self._lists.items() if (reason := known.refusal(self.initial[name]))
        ]

    @property
    def groups(self) -> dict[RuleGroup, list[BoundField]]:
        """The fields of each group."""
        return {
            group: [
                self[name]
                for name in (ORIGIN_FIELDS if group is RuleGroup.ORIGINS else rules_of(Organization, group))
            ]
            for group in self._groups
        }

    def changed_values(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        return {
            name: cleaned[name]
            for name in POLICIES
            if name in cleaned and cleaned[name] != self.initial[name]
        }

    def clean(self) -> dict[str, Any]:
        """Put the rules of the origins together; reject what a platform doesn't list, unless it was stored before."""
        cleaned = super().clean() or {}
        if ORIGIN_FIELDS.keys() <= self.fields.keys():
            chosen = {origin.value: cleaned.get(name, "") for name, origin in ORIGIN_FIELDS.items()}
            cleaned["origins"] = {
                one: rule for one, rule in chosen.items() if rule not in ("", OriginRule.SEND)
            }
        for name, known in self._lists.items():
            value = str(cleaned.get(name, ""))
            if value != self.initial[name] and (reason := known.refusal(value)):
                self.add_error(name, reason)
        return cleaned


class RulesView(OrganizationMixin, OperationView):
    """Show the rules of sending and save them; a failed save shows the page again with the reasons."""

    template_name = "integrations/rules.html"
    allowed_roles = ADMINS
    form_class = PoliciesForm
    following_page = "rules"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(origins=origins_in_words(self.organization.origins), **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """Give the form a copy: validating writes to it, and the page still needs the stored organization."""
        return {**super().get_form_kwargs(), "instance": copy(self.organization), "page": self.following_page}

    def operate(self, form: PoliciesForm) -> str | None:
        values = form.changed_values()
        if not values:
            return None
        set_policies(self.organization, values, self.user)
        return "The rules are saved."


class ResultRulesView(RulesView):
    """Show the rules of what is written to Lever about results, and save them."""

    template_name = "integrations/result_rules.html"
    following_page = "result-rules"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        connection = LeverConnection.objects.filter(organization=self.organization).first()
        lacks = bool(connection and connection.is_working and connection.lacks(FILES_SCOPE))
        return super().get_context_data(
            lever=connection, files_scope=FILES_SCOPE, lacks_files_scope=lacks, **kwargs
        )


class PassedForm(forms.ModelForm):
    """What counts as passed: one of the two, as the set-up asks it."""

    class Meta:
        model = Organization
        fields = ("passing_score", "passed_as_stated")


class PassedView(OrganizationMixin, ActView):
    """Record what counts as passed: what CodeScreen states, or a bar of the organization's own."""

    allowed_roles = ADMINS
    form_class = PassedForm
    following_page = "overview"
    anchor = "#next-step"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "instance": copy(self.organization)}

    def operate(self, form: PassedForm) -> str:
        values = form.cleaned_data
        if values["passing_score"] is None and not values["passed_as_stated"]:
            raise ActionNotAllowed("Enter the score, from 0 to 100, that meets your bar.")
        set_policies(self.organization, values, self.user)
        return "Recorded: what counts as passed."


class DataView(RulesView):
    """Show how long personal data is kept, what erases it and where it can be exported; save the first."""

    template_name = "integrations/data_settings.html"
    following_page = "data-settings"


class FeedbackAuthorView(OrganizationMixin, OperationView):
    """Show Lever's active users, and store the chosen one."""

    template_name = "integrations/feedback_author.html"
    allowed_roles = ADMINS
    form_class = Form
    following_page = "result-rules"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the users from Lever; without an answer the page says why."""
        context = super().get_context_data(**kwargs)
        try:
            context["authors"] = provider.lever_client(self.organization).active_users()
            context["lever"] = LeverConnection.objects.get(organization=self.organization)
        except PlatformError as error:
            context["problem"] = str(error)
        return context

    def operate(self, form: Form) -> str:
        """Store the chosen user; an empty choice means the person who connected."""
        user_id = self.request.POST.get("author", "")
        lever = provider.lever_client(self.organization)
        name = choose_feedback_author(self.organization, lever, user_id, self.user)
        author = name or ("The chosen user" if user_id else "The person who connected Lever")
        return f"{author} is the author of feedback from now on."
