"""The organization and policies tables of a configuration, compared with the stored organization."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from integrations.configuration.contents import Configuration
from integrations.configuration.load import POLICY, ConfigurationError
from integrations.configuration.plan import ACTOR, Change, Line, Sign, changed_value
from integrations.configuration.toml import Value, quoted
from integrations.models import Organization
from integrations.workflow.catalog import stage_on_pass
from integrations.workflow.operations.organizations import (
    IDENTITY,
    change_organization,
    create_organization,
)
from integrations.workflow.operations.policies import set_policies
from integrations.workflow.operations.webhook_address import refuse_key_of_another


@dataclass(frozen=True)
class OrganizationCreated:
    """A new organization."""

    slug: str
    identity: Mapping[str, str]

    path = "organization"

    @property
    def lines(self) -> list[Line]:
        """Its name, and that its webhook key is given."""
        lines = [Line(Sign.ADDED, f"organization {quoted(self.slug)}", quoted(self.identity["name"]))]
        if "webhook_key" in self.identity:
            lines.append(Line(Sign.ADDED, "organization.webhook_key", "set"))
        return lines

    def apply(self, organization: Organization) -> None:
        """Create it."""
        for field, value in self.identity.items():
            setattr(organization, field, value)
        create_organization(organization, ACTOR)


@dataclass(frozen=True)
class OrganizationChanged:
    """A stored organization's new name or webhook key."""

    before: Mapping[str, str]
    after: Mapping[str, str]

    path = "organization"

    @property
    def lines(self) -> list[Line]:
        """The names, and that the webhook key changes."""
        return [
            Line(
                Sign.CHANGED,
                f"organization.{field}",
                "changed" if field == "webhook_key" else changed_value(self.before[field], value),
            )
            for field, value in self.after.items()
        ]

    def apply(self, organization: Organization) -> None:
        """Store them."""
        change_organization(organization, self.after, ACTOR)


@dataclass(frozen=True)
class PoliciesChanged:
    """New values of policies; the file has the stage prefix in another table than the rest."""

    before: Mapping[str, Value]
    after: Mapping[str, Value]

    path = "policies"

    @property
    def lines(self) -> list[Line]:
        """Each policy before and after."""
        return [
            Line(
                Sign.CHANGED,
                f"{'policies' if name in POLICY else 'organization'}.{name}",
                changed_value(self.before[name], value),
            )
            for name, value in self.after.items()
        ]

    def apply(self, organization: Organization) -> None:
        """Store them, all at the same time."""
        set_policies(organization, self.after, ACTOR)


def compare_organization(configuration: Configuration, organization: Organization) -> Iterator[Change]:
    """Yield what differs; `organization` is not stored yet when it is new. Raises ConfigurationError."""
    is_new = organization.pk is None
    if is_new and "name" not in configuration.organization:
        raise ConfigurationError("organization.name is missing: there is no such organization yet.")
    wanted = {**configuration.organization, **configuration.policies}
    before = {name: getattr(organization, name) for name in wanted}
    after = {name: value for name, value in wanted.items() if before[name] != value}
    _check(organization, after)
    identity = {name: str(value) for name, value in after.items() if name in IDENTITY}
    if is_new:
        yield OrganizationCreated(organization.slug, identity)
    elif identity:
        yield OrganizationChanged(before, identity)
    if policies := {name: value for name, value in after.items() if name not in IDENTITY}:
        yield PoliciesChanged(before, policies)


def _check(organization: Organization, values: Mapping[str, Value]) -> None:
    """Reject what only the whole row shows, such as a webhook key that another organization has."""
    trial = copy.copy(organization)
    for name, value in values.items():
        setattr(trial, name, value)
    try:
        trial.full_clean()
        refuse_key_of_another(trial, trial.webhook_key)
        stage_on_pass.refuse_inviting_target(trial, values)
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        table = "policies" if name in {*POLICY, "__all__"} else "organization"
        path = table if name == "__all__" else f"{table}.{name}"
        raise ConfigurationError(f"{path}: {' '.join(messages)}") from error
