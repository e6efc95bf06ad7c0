"""What a file would change, printed and applied; and the file that would change nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.catalog.lists import mapping_index
from integrations.configuration.section import (
    Change,
    Configuration,
    ConfigurationError,
    Section,
    Table,
)
from integrations.configuration.sections import SECTIONS
from integrations.configuration.toml import literal
from integrations.core.rules.backtest import Rules
from integrations.core.rules.facts import MappingIndex, MappingRule
from integrations.core.vocabulary import ActionNotAllowed
from integrations.inbox.acts import DECIDING_POLICIES, rules_of
from integrations.notifications.links import choose_password_link
from integrations.organizations.models.organization import Organization


@dataclass(frozen=True)
class Plan:
    """The difference between a file and the stored rows of one organization, which may be new."""

    organization: Organization
    changes: Sequence[Change]

    @property
    def lines(self) -> list[str]:
        """The whole difference; empty when there is none."""
        return [line for change in self.changes for line in change.lines]

    def apply(self) -> None:
        """Store every change, in one transaction. Raises ConfigurationError."""
        with transaction.atomic():
            if self.organization.pk is not None:
                # each of several audit entries may wait for a worker that decides: such workers begin with this lock
                Organization.objects.lock(self.organization.pk)
            for change in self.changes:
                try:
                    change.apply()
                except ValidationError as error:
                    raise ConfigurationError(f"{change.path}: {' '.join(error.messages)}") from error
                except ActionNotAllowed as error:
                    raise ConfigurationError(f"{change.path}: {error}") from error

    def check(self) -> None:
        """Find out whether `apply` would work, and store nothing. Raises ConfigurationError."""
        with transaction.atomic():
            self.apply()
            transaction.set_rollback(True)


def compare(configuration: Configuration) -> Plan:
    """Return what the file would change, in the order in which it is applied. Raises ConfigurationError."""
    stored = Organization.objects.filter(slug=configuration.slug).first()
    organization = stored or Organization(slug=configuration.slug)
    changes = [change for section in SECTIONS for change in section.changes(configuration, organization)]
    return Plan(organization, changes)


def dump(organization: Organization) -> str:
    """Return the organization's configuration file. Secrets are left out; comments name those that are set."""
    return "\n".join(_block(section, table) for section in SECTIONS for table in section.stored(organization))


def _block(section: Section, table: Table) -> str:
    lines = [f"[[{section.name}]]" if section.is_array else f"[{section.name}]"]
    secrets = []
    for name, value in table.items():
        if not section.keys[name].is_secret:
            lines.append(f"{name} = {literal(value)}")
        elif value != "":  # one that no key opens is set as well
            secrets.append(f"# {name} is set; secrets are left out")
    return "\n".join([*lines, *secrets]) + "\n"


def rules_after(configuration: Configuration, organization: Organization) -> Rules:
    """Return the rules that would be in force. What the file leaves out stays, as when it is applied."""
    tables = configuration.tables
    written = tables["organization"][0] | tables["policies"][0]
    policies = {name: value for name, value in written.items() if name in DECIDING_POLICIES}
    rules = {(rule.role, rule.stage): rule for rule in mapping_index(organization).rules}
    for table in tables["mappings"]:
        rule = MappingRule(table["role"], table.get("stage", ""), table["assessment"])
        rules[rule.role, rule.stage] = rule
    return rules_of(organization, policies, MappingIndex(rules.values()))


def invitation_links(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Yield each member of the file who has no password yet, with a link to choose one."""
    for table in configuration.tables["members"]:
        user = User.objects.filter(username=table["username"]).first()
        if user and not user.has_usable_password():
            yield user.username, choose_password_link(user)
