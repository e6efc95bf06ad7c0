"""Every rule of an organization, and of a mapping: its default, bounds, file, page, audit entry and help."""

import re
from html import unescape
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse

from integrations.catalog.models import OWN_RULES, RoleMapping, rule_for
from integrations.configuration.file import compare, dump, load
from integrations.configuration.section import ConfigurationError, literal
from integrations.organizations.acts import set_policies
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.policies import POLICIES, RULES, RuleGroup, rules_of
from integrations.pages.settings.rules import ON_PAGE, rule_in_words
from tests.support import factories
from tests.support.factories import recorded
from tests.support.page_text import text

pytestmark = pytest.mark.django_db
type Column = models.Field[Any, Any]

#: What a rule may hold beside its default, where its type alone doesn't say.
ALLOWED = {
    "origins": {"agency": "hold"},
    "rating_thresholds": [40, 60, 90],
    "time_zone": "Europe/Warsaw",
    "passing_score": 70,
    "approval": "always",
}
SCORES, PORTAL_TAG = "Give three whole numbers from 0 to 100 that rise", "Begin with another word"
#: What a rule refuses for a reason of its own.
REFUSED: dict[str, list[tuple[Any, str]]] = {
    "origins": [
        ({"agent": "skip"}, "Known are: agency,"),
        ({"agency": "never"}, "must be one of send, hold, skip"),
    ],
    "rating_thresholds": [(scores, SCORES) for scores in ([90, 50, 75], [25, 50, 101], [25, 50])],
    "time_zone": [("Mars/Olympus", "Write a name such as Europe/Warsaw")],
    "stage_prefix": [("", "")],
    **{tag: [("CodeScreen: Backend", PORTAL_TAG)] for tag in ("hold_tag", "passed_tag", "failed_tag")},
}


@pytest.fixture
def organization():
    return factories.OrganizationFactory(slug="acme", attach_report=True)


def another(column: Column) -> Any:
    """Return a value that the rule may hold, other than its default."""
    if isinstance(column, models.BooleanField):
        return not column.get_default()
    if isinstance(column, models.IntegerField) and not column.null:
        return column.get_default() + 1
    return ALLOWED.get(column.name, "anything")


def refused(column: Column) -> list[tuple[Any, str]]:
    """Return values that the rule may not hold, each with what its refusal says."""
    wrong: list[tuple[Any, str]] = [*REFUSED.get(column.name, [])]
    if isinstance(column, models.IntegerField):
        wrong += [(-1, "Ensure this value is"), (9 * 10**18, "less than or equal to")]
    if isinstance(column, models.CharField) and not column.choices:
        wrong.append(("x" * 301, "at most"))
    return wrong


def file_with(name: str, value: Any) -> str:
    table = "" if name == "stage_prefix" else "[policies]\n"
    return f'[organization]\nslug = "acme"\n{table}{name} = {literal(value)}\n'


@pytest.mark.parametrize("name", POLICIES)
def test_a_rule_is_changed_recorded_and_told_by_its_file(name, organization):
    value = another(RULES[name])
    default = Organization().serializable_value(name)
    assert getattr(organization, name) == default
    plan = compare(load(file_with(name, value)))
    assert len(plan.lines) == 1
    plan.apply()
    organization.refresh_from_db()
    assert getattr(organization, name) == value
    assert recorded().get(action="change_policies").changes == {name: [default, value]}
    assert f"{name} = {literal(value)}" in dump(organization)
    assert not compare(load(dump(organization))).lines


def test_the_help_tells_each_rule_as_it_is(organization, team_member_client):
    closing = rules_of(Organization, RuleGroup.SECURITY)  # members who don't meet them see no page
    values = {name: another(column) for name, column in RULES.items() if name not in closing}
    set_policies(organization, values, "test")
    page = unescape(text(team_member_client.get(reverse("help"))))
    for name, column in RULES.items():
        words = f"{column.verbose_name}: {rule_in_words(organization, name)}"
        assert column.help_text, name
        assert f"<dt>{words}</dt> <dd> {column.help_text} </dd>" in page


@pytest.mark.parametrize(
    ("name", "value", "reason"), [(name, *wrong) for name in POLICIES for wrong in refused(RULES[name])]
)
def test_what_a_rule_may_not_hold_is_refused_with_the_fix(name, value, reason, organization, super_admin):
    with pytest.raises(ValidationError) as by_act:
        set_policies(organization, {name: value}, super_admin)
    assert list(by_act.value.message_dict) == [name]
    assert reason in str(by_act.value.message_dict[name])
    with pytest.raises(ConfigurationError, match=rf"\.{name}\b.*{re.escape(reason)}"):
        compare(load(file_with(name, value)))
    assert getattr(organization, name) == getattr(Organization(), name)
    assert not recorded().exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ON_PAGE if name != "origins"])
def test_a_rule_is_saved_and_refused_on_the_page_of_the_rules(name, organization, super_admin_client):
    page = reverse("rules")
    form = super_admin_client.get(page).context["form"]
    fields = {field: form[field].value() for field in form.fields if form[field].value() not in (None, False)}
    for value, _ in refused(RULES[name])[:1]:  # the act refuses the others too
        written = ", ".join(map(str, value)) if isinstance(value, list) else value
        answer = super_admin_client.post(page, fields | {name: written})
        assert list(answer.context["form"].errors) == [name]
        assert f'id="id_{name}_error"' in answer.content.decode()
    value = another(RULES[name])
    posted = {field: held for field, held in fields.items() if field != name}
    if value is not False:
        posted[name] = ", ".join(map(str, value)) if isinstance(value, list) else value
    super_admin_client.post(page, posted)
    assert recorded().get().changes == {name: [getattr(Organization(), name), value]}


@pytest.mark.parametrize("name", OWN_RULES)
def test_an_own_rule_of_a_mapping_holds_until_it_is_left_to_the_organization(
    name, ready_organization, super_admin_client
):
    mapping = RoleMapping.objects.get(organization=ready_organization)
    column = {field.name: field for field in mapping._meta.local_fields}[name]
    value, empty = another(column), column.get_default() or (None if column.null else "")
    if name in POLICIES:
        set_policies(ready_organization, {name: value}, "test")
        assert (
            rule_for(ready_organization, mapping, name) == rule_for(ready_organization, None, name) == value
        )
        set_policies(ready_organization, {name: empty}, "test")
    ready_organization.stages.all().delete()
    address = reverse("mapping-edit", args=[mapping.pk])
    assert f">{column.verbose_name}</label>" in super_admin_client.get(address).content.decode()
    posted = {"role": mapping.role, "stage": mapping.stage, "assessment": mapping.assessment}
    super_admin_client.post(address, posted | {name: value})
    without, mapping = mapping.rule, RoleMapping.objects.get()
    assert getattr(mapping, name) == value
    assert recorded().last().changes == {name: [empty, value]}
    assert (mapping.rule.approval, mapping.rule.own_rules) != (without.approval, without.own_rules)
    assert f"{name} = {literal(value)}" in dump(ready_organization)
    assert not compare(load(dump(ready_organization))).lines
    super_admin_client.post(address, posted | {name: ""})
    assert not RoleMapping.objects.get().has_own_rules
    assert f"\n{name} = {literal(value)}" not in dump(ready_organization)
