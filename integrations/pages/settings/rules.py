"""What holds for all roles, on one page: the rules of the organization and the author of feedback."""

from collections.abc import Callable, Collection, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.http import QueryDict
from django.utils.functional import cached_property

from integrations.clients import provider
from integrations.core.vocabulary import ActionNotAllowed, Origin, OriginRule, lower_first
from integrations.http.session import PlatformError
from integrations.lever.acts.connection import choose_feedback_author
from integrations.lever.models.connection import LeverConnection
from integrations.lever.oauth import FILES_SCOPE
from integrations.members.models.membership import ADMINS
from integrations.organizations.acts import set_policies
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.policies import POLICIES, RULES, RuleGroup, rules_of, zone_names
from integrations.pages.access import OrganizationMixin
from integrations.pages.mappings import pick_list
from integrations.pages.mappings.pick_list import PickList
from integrations.pages.stored_form import StoredForm
from integrations.pages.views import ActView, OperationView

#: The fields that are chosen from what a platform lists, and what they say when they are empty.
CHOSEN: Mapping[str, tuple[Callable[[Organization], PickList], str]] = {
    "default_assessment": (pick_list.assessments, "None"),
    "stage_on_pass": (pick_list.stages, "Nobody is moved"),
}
#: The fields that are together the rule `origins`, with the origin of each.
ORIGIN_FIELDS = {f"origin_{origin}": origin for origin in Origin}
#: The fields that stand beside the one before them.
BESIDE = ("bulk_window", "failed_tag")
#: The rules of the page, and by group the part of the help that says more.
ON_PAGE = rules_of(Organization, *(group for group in RuleGroup if group.heading))
HELP = {
    RuleGroup.SENDING: ("help", "on-hold", "Invitations on hold"),
    RuleGroup.RESULTS: ("help-results", "rating", "How ratings work"),
    RuleGroup.WAITING: ("help", "reminders", "How Lever sends a reminder"),
    RuleGroup.DATA: ("help-team", "how-long", "What is stored, and for how long"),
}


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


@dataclass(frozen=True)
class Row:
    """One rule on the page, or two beside each other; `label` and `help_text` stand above several that are one rule."""

    fields: list[BoundField]
    label: str = ""
    help_text: str = ""


@dataclass(frozen=True)
class Group:
    """The rules below one heading, and the page, the place and the text of the link into the help."""

    code: RuleGroup
    rows: list[Row]
    help: tuple[str, str, str]


#: Where time zones are named by a city; other names, such as US/Eastern, are other names of these.
_AREAS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def zones_to_choose(chosen: str) -> list[str]:
    """Return the time zones that the form offers: UTC, those of cities, and the one that is chosen already."""
    cities = {name for name in zone_names() if name.split("/")[0] in _AREAS}
    return sorted({*cities, "UTC", chosen} - {""})


class PoliciesForm(StoredForm):
    """The organization's policies, or those that are asked for; with Lever's users the author of feedback too.

    Assessments and stages are chosen from what the platforms list.
    """

    rating_thresholds = ScoresField(
        label=RULES["rating_thresholds"].verbose_name, help_text=RULES["rating_thresholds"].help_text
    )

    class Meta:
        model = Organization
        fields = [name for name in ON_PAGE if name != "origins"]

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        names: Collection[str] = ON_PAGE,
        authors: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Fill in the stored value of each field that isn't posted, except checkboxes, which mean off then."""
        organization, origins = kwargs["instance"], kwargs["instance"].origins
        super().__init__(data, **kwargs)
        self.fields = {name: field for name, field in self.fields.items() if name in names}
        # a stored rule that says what holds anyway counts as none
        self.initial["origins"] = {one: rule for one, rule in origins.items() if rule != OriginRule.SEND}
        for name, origin in ORIGIN_FIELDS.items() if "origins" in names else ():
            self.fields[name] = forms.ChoiceField(
                label=origin.label,
                choices=OriginRule.choices(),
                initial=origins.get(origin, OriginRule.SEND),
                required=False,
            )
        self.fill_in(name for name, field in self.fields.items() if not isinstance(field, forms.BooleanField))
        if "time_zone" in names:
            zones = [(name, name) for name in zones_to_choose(self.instance.time_zone)]
            self.fields["time_zone"].widget = forms.Select(choices=zones)
        if authors is not None:
            self.fields["feedback_author"] = forms.ChoiceField(
                label="Author of the feedback",
                help_text="Lever shows this person as the author of each result.",
                choices=list(authors.items()),
                required=False,
                error_messages={"invalid_choice": "This person isn't active in Lever: choose another."},
            )
        self.compare_with_shown()
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
    def groups(self) -> list[Group]:
        """The fields as the page shows them."""
        return [Group(code, self._rows(code), HELP[code]) for code in RuleGroup if code.heading]

    def _rows(self, group: RuleGroup) -> list[Row]:
        rows: list[Row] = []
        for name in rules_of(Organization, group):
            if name in BESIDE:
                rows[-1].fields.append(self[name])
            elif name == "origins":
                column, fields = RULES[name], [self[field] for field in ORIGIN_FIELDS]
                rows.append(Row(fields, str(column.verbose_name), str(column.help_text)))
            else:
                rows.append(Row([self[name]]))
        if group is RuleGroup.RESULTS and "feedback_author" in self.fields:
            rows.append(Row([self["feedback_author"]]))
        return rows

    def changed_values(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        return {
            name: cleaned[name]
            for name in POLICIES
            if name in cleaned and cleaned[name] != self.initial[name]
        }

    def clean(self) -> dict[str, Any]:
        """Put the rules of the origins together; reject what a platform doesn't list, unless it was stored before."""
        cleaned = super().clean()
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
    """Show the rules and save them; a failed save shows the page again with the reasons.

    Lever is asked for its users only where somebody wants to choose the author: it may be slow or down.
    """

    template_name = "integrations/rules.html"
    allowed_roles = ADMINS
    form_class = PoliciesForm
    following_page = "rules"
    #: Why Lever's users couldn't be read.
    problem = ""

    @cached_property
    def lever(self) -> LeverConnection | None:
        """The connection to Lever; None before there is one."""
        return LeverConnection.objects.filter(organization=self.organization).first()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        lacks = bool(self.lever and self.lever.is_working and self.lever.lacks(FILES_SCOPE))
        return super().get_context_data(
            lever=self.lever,
            files_scope=FILES_SCOPE,
            lacks_files_scope=lacks,
            **kwargs,
        )

    def get_form_kwargs(self) -> dict[str, Any]:
        """Give the form a copy: validating writes to it, and the page still needs the stored organization."""
        kwargs = super().get_form_kwargs()
        if "author" in self.request.GET or "feedback_author" in self.request.POST:
            stored = self.lever.feedback_author if self.lever else ""
            kwargs["initial"] = {**kwargs["initial"], "feedback_author": stored}
            kwargs["authors"] = self._authors()
        return {**kwargs, "instance": copy(self.organization)}

    def _authors(self) -> dict[str, str] | None:
        """Return who may be the author in Lever, the one of now too: names by id; None without an answer."""
        try:
            users = provider.lever_client(self.organization).active_users()
        except PlatformError as error:
            self.problem = f"Lever's users could not be read: {error}"
            return None
        lever = LeverConnection.objects.get(organization=self.organization)
        names = {"": str(lever.user or "The person who connected Lever")}
        if lever.feedback_author:
            name = lever.feedback_author_name or lever.feedback_author
            names[lever.feedback_author] = f"{name} (not active in Lever)"
        return names | {user.id: user.name or user.id for user in users}

    def operate(self, form: PoliciesForm) -> str | None:
        if self.problem:
            raise ActionNotAllowed(self.problem)
        values, is_chosen = form.changed_values(), "feedback_author" in form.changed_data
        if is_chosen:
            lever = provider.lever_client(self.organization)
            choose_feedback_author(self.organization, lever, form.cleaned_data["feedback_author"], self.user)
        if values:
            set_policies(self.organization, values, self.user)
        return "The rules are saved." if values or is_chosen else None


class PassedView(OrganizationMixin, ActView):
    """Record what the set-up asks, what counts as passed: what CodeScreen states, or a passing score."""

    allowed_roles = ADMINS
    form_class = PoliciesForm
    following_page = "overview"
    anchor = "#next-step"

    def get_form_kwargs(self) -> dict[str, Any]:
        names = ("passing_score", "passed_as_stated")
        return {**super().get_form_kwargs(), "instance": copy(self.organization), "names": names}

    def operate(self, form: PoliciesForm) -> str:
        values = form.cleaned_data
        if values["passing_score"] is None and not values["passed_as_stated"]:
            raise ActionNotAllowed("Enter the score, from 0 to 100, that meets your bar.")
        set_policies(self.organization, values, self.user)
        return "Recorded: what counts as passed."
