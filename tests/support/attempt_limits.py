"""Time that passes for limits of attempts."""

from django.db import models

from integrations.accounts.models.attempts import AttemptLimit


def let_pass(seconds: float) -> None:
    """Let so many seconds pass for every limit: they run by the database's clock."""
    AttemptLimit.objects.update(free_at=models.F("free_at") - seconds)
