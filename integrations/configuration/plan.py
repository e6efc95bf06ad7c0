"""What a configuration would change: lines to read, and the acts behind them."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.configuration.dump import literal
from integrations.configuration.load import ConfigurationError
from integrations.models import Organization
from integrations.workflow.operations.errors import ActionNotAllowed

ACTOR = "configure"

Act = Callable[[], Any]


class Plan:
    """The difference between a file and one organization's rows; nothing happens before `apply`."""

    def __init__(self, slug: str) -> None:
        found = Organization.objects.filter(slug=slug).first()
        self.organization = found or Organization(slug=slug)
        self.is_new = found is None
        self.lines: list[str] = []
        self._acts: list[tuple[str, Act]] = []

    def say(self, sign: str, what: str, value: str) -> None:
        """Add a line: `+` for what is made, `~` for what is changed, `-` for what is taken away."""
        self.lines.append(f"{sign} {what}: {value}")

    def do(self, path: str, act: Act) -> None:
        """Add an act, in order; `path` is the key that its errors are about."""
        self._acts.append((path, act))

    def apply(self) -> None:
        """Make the rows as the file says, in one transaction. Raises ConfigurationError."""
        with transaction.atomic():
            for path, act in self._acts:
                try:
                    act()
                except ValidationError as error:
                    raise ConfigurationError(f"{path}: {' '.join(error.messages)}") from error
                except ActionNotAllowed as error:
                    raise ConfigurationError(f"{path}: {error}") from error

    def rehearse(self) -> None:
        """Find out whether `apply` would work; leaves nothing behind. Raises ConfigurationError."""
        with transaction.atomic():
            self.apply()
            transaction.set_rollback(True)


def changed(before: Any, after: Any) -> str:
    """Return a change of something that may be read."""
    return literal(after) if before is None else f"{literal(before)} → {literal(after)}"


def secret_changed(before: str, after: str) -> str:
    """Return a change of something that may not be read."""
    if not after:
        return "removed"
    return "changed" if before else "set"


def sign_of(before: str, after: str) -> str:
    """Return the sign of a change of something that may be empty."""
    if not after:
        return "-"
    return "~" if before else "+"
