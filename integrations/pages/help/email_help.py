"""The kinds of e-mail: when each is sent, and who gets it without having chosen."""

from dataclasses import dataclass

from integrations.models import EmailKind, Membership
from integrations.models.notification_preference import WANTED_BY_DEFAULT
from integrations.workflow.email.kinds import EMAIL_KINDS


@dataclass(frozen=True)
class EmailHelp:
    """One kind of e-mail; `roles` get it unless they choose otherwise."""

    code: str
    label: str
    purpose: str
    roles: str


def email_helps() -> list[EmailHelp]:
    """Return every kind of e-mail that members choose between."""
    return [
        EmailHelp(kind.value, str(kind.label), EMAIL_KINDS[kind].purpose, _roles(kind)) for kind in EmailKind
    ]


def _roles(kind: EmailKind) -> str:
    roles = [str(label) for value, label in Membership.Role.choices if kind in WANTED_BY_DEFAULT[value]]
    return ", ".join(roles) or "Only who chooses it"
