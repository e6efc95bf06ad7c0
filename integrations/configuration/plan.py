"""What a configuration would change: a list of changes that can be printed and applied."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.configuration.load import ConfigurationError
from integrations.configuration.toml import Value, literal
from integrations.models import Organization
from integrations.workflow.operations.errors import ActionNotAllowed

#: The actor of these changes in the audit log: the command.
ACTOR = "configure"


class Sign(StrEnum):
    """What happens to a value: it is added, changed or removed."""

    ADDED = "+"
    CHANGED = "~"
    REMOVED = "-"

    @classmethod
    def between(cls, before: str, after: str) -> "Sign":
        """Return the sign of a change between two values that may be empty."""
        if not after:
            return cls.REMOVED
        return cls.CHANGED if before else cls.ADDED


@dataclass(frozen=True)
class Line:
    """One line of the difference."""

    sign: Sign
    subject: str
    value: str

    def __str__(self) -> str:
        return f"{self.sign} {self.subject}: {self.value}"


class Change(Protocol):
    """One thing that the file would change of an organization."""

    @property
    def path(self) -> str:
        """The key of the file that errors are about."""

    @property
    def lines(self) -> Sequence[Line]:
        """The change as people read it, secrets left out."""

    def apply(self, organization: Organization) -> None:
        """Store it. Raises ValidationError and ActionNotAllowed."""


@dataclass(frozen=True)
class Plan:
    """The difference between a file and the stored rows of one organization, which may be new."""

    organization: Organization
    changes: Sequence[Change]

    @property
    def lines(self) -> list[Line]:
        """The whole difference; empty when there is none."""
        return [line for change in self.changes for line in change.lines]

    def apply(self) -> None:
        """Store every change, in one transaction. Raises ConfigurationError."""
        with transaction.atomic():
            if self.organization.pk is not None:
                # several audit entries, each of which may wait for a worker that decides: those begin with this lock
                Organization.objects.lock(self.organization.pk)
            for change in self.changes:
                try:
                    change.apply(self.organization)
                except ValidationError as error:
                    raise ConfigurationError(f"{change.path}: {' '.join(error.messages)}") from error
                except ActionNotAllowed as error:
                    raise ConfigurationError(f"{change.path}: {error}") from error

    def check(self) -> None:
        """Find out whether `apply` would work, and store nothing. Raises ConfigurationError."""
        with transaction.atomic():
            self.apply()
            transaction.set_rollback(True)


def changed_value(before: Value | None, after: Value) -> str:
    """Return a change of a value, as a line shows it."""
    return literal(after) if before is None else f"{literal(before)} → {literal(after)}"


def changed_secret(before: str, after: str) -> str:
    """Return a change of a secret, as a line shows it: without either value."""
    if not after:
        return "removed"
    return "changed" if before else "set"
