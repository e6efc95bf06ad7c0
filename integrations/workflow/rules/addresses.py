"""Which of a candidate's e-mail addresses an invitation is sent to."""

from collections.abc import Iterable

LONGEST_EMAIL = 320


def first_usable_email(emails: Iterable[str]) -> str:
    """Return the first address that an invitation can be sent to, empty when there is none."""
    return next((email for email in emails if "@" in email and len(email) <= LONGEST_EMAIL), "")
