"""Configuration against rows: the organization, its policies and mappings; people and connections by their modules."""

import copy
import re
from typing import Any

from django.core.exceptions import ValidationError

from integrations.configuration import connections, members
from integrations.configuration.dump import quoted
from integrations.configuration.load import POLICY, Configuration, ConfigurationError
from integrations.configuration.plan import ACTOR, Act, Plan, changed
from integrations.models import (
    Membership,
    Organization,
    RoleMapping,
)
from integrations.workflow.catalog import stage_on_pass
from integrations.workflow.operations.mappings import save_mapping
from integrations.workflow.operations.organizations import (
    IDENTITY,
    change_organization,
    create_organization,
)
from integrations.workflow.operations.policies import POLICIES, set_policies
from integrations.workflow.rules.mapping_index import MappingRule

WEBHOOK_KEY = re.compile(r"[A-Za-z0-9._~-]+")  # it becomes part of an address


def compare(configuration: Configuration) -> Plan:
    """Return what the file would change; writes nothing. Raises ConfigurationError."""
    plan = Plan(configuration.slug)
    if plan.is_new and "name" not in configuration.organization:
        raise ConfigurationError("organization.name is missing: there is no such organization yet.")
    _check(plan.organization, {**configuration.organization, **configuration.policies})
    _compare_organization(plan, configuration.organization)
    _compare_policies(plan, configuration.policies)
    # whoever becomes Super Admin first, so that the one who steps down in the same file isn't the last
    for member in sorted(
        configuration.members, key=lambda member: member.role != Membership.Role.SUPER_ADMIN
    ):
        members.compare(plan, member)
    connections.compare_lever(plan, configuration.lever)
    connections.compare_codescreen(plan, configuration.codescreen)
    _compare_mappings(plan, configuration.mappings)
    return plan


def _check(organization: Organization, values: dict[str, Any]) -> None:
    """Refuse what only shows on the whole row, such as a webhook key that another organization has."""
    if "webhook_key" in values and not WEBHOOK_KEY.fullmatch(values["webhook_key"]):
        raise ConfigurationError(
            "organization.webhook_key becomes part of an address: use letters, digits, - and _."
        )
    trial = copy.copy(organization)
    changes = {name: value for name, value in values.items() if getattr(organization, name) != value}
    for name, value in changes.items():
        setattr(trial, name, value)
    try:
        trial.full_clean()
        stage_on_pass.refuse_inviting_target(trial, changes)
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        table = "policies" if name in {*POLICY, "__all__"} else "organization"
        path = table if name == "__all__" else f"{table}.{name}"
        raise ConfigurationError(f"{path}: {' '.join(messages)}") from error


def _compare_organization(plan: Plan, wanted: dict[str, str]) -> None:
    organization = plan.organization
    if plan.is_new:
        plan.say("+", f"organization {quoted(organization.slug)}", quoted(wanted["name"]))
    values = {name: value for name, value in wanted.items() if getattr(organization, name) != value}
    for name, value in values.items():
        if name == "webhook_key":
            sign, word = ("+", "set") if plan.is_new else ("~", "changed")
            plan.say(sign, "organization.webhook_key", word)
        elif not (plan.is_new and name == "name"):
            plan.say("~", f"organization.{name}", changed(getattr(organization, name), value))
    if values or plan.is_new:
        plan.do("organization", lambda: _save_organization(plan, values))


def _save_organization(plan: Plan, values: dict[str, str]) -> None:
    organization = plan.organization
    if not plan.is_new:
        change_organization(organization, {name: values[name] for name in IDENTITY if name in values}, ACTOR)
        set_policies(organization, {name: values[name] for name in POLICIES if name in values}, ACTOR)
        return
    for name, value in values.items():
        setattr(organization, name, value)
    create_organization(organization, ACTOR)


def _compare_policies(plan: Plan, wanted: dict[str, Any]) -> None:
    organization = plan.organization
    values = {name: value for name, value in wanted.items() if getattr(organization, name) != value}
    for name, value in values.items():
        plan.say("~", f"policies.{name}", changed(getattr(organization, name), value))
    if values:
        plan.do("policies", lambda: set_policies(organization, values, ACTOR))


def _compare_mappings(plan: Plan, wanted: tuple[MappingRule, ...]) -> None:
    stored: dict[tuple[str, str], str] = {}
    if not plan.is_new:
        rows = RoleMapping.objects.filter(organization=plan.organization)
        stored = {(row.role, row.stage): row.assessment for row in rows}
    for rule in wanted:
        before = stored.get((rule.role, rule.stage))
        if before == rule.assessment:
            continue
        stage = quoted(rule.stage) if rule.stage else "any CodeScreen stage"
        what = f"mapping {quoted(rule.role)} × {stage}"
        plan.say("~" if before else "+", what, changed(before, rule.assessment))
        plan.do(what, _save_mapping(plan.organization, rule))


def _save_mapping(organization: Organization, rule: MappingRule) -> Act:
    def act() -> None:
        mapping = RoleMapping.objects.filter(
            organization=organization, role=rule.role, stage=rule.stage
        ).first()
        mapping = mapping or RoleMapping(organization=organization, role=rule.role, stage=rule.stage)
        mapping.assessment = rule.assessment
        save_mapping(mapping, ACTOR)

    return act
