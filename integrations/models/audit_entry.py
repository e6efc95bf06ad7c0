"""Who changed what: append-only, secrets masked."""

import re
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

_SECRET = re.compile(r"(token|secret|password|api_key|webhook_key)$", re.IGNORECASE)


def masked(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes with every secret, before and after and however deep, replaced by whether it is set."""
    return {
        name: _whether_set(value)
        if _SECRET.search(name)
        else masked(value)
        if isinstance(value, dict)
        else value
        for name, value in changes.items()
    }


def _whether_set(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2:
        return [_whether_set(side) for side in value]
    return "set" if value else "empty"


class AuditEntry(models.Model):
    """One change a person or a command made."""

    organization = models.ForeignKey(
        "integrations.Organization",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="audit_entries",
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    actor_name = models.CharField(
        max_length=200, help_text="Kept when the user is deleted; a command's name otherwise."
    )
    action = models.CharField(max_length=80)
    target = models.CharField(max_length=300)
    changes = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["organization", "-at"], name="audit_recent")]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.target}"

    @classmethod
    def record(
        cls,
        organization: Any,
        actor: Any,
        action: str,
        target: object,
        changes: dict[str, Any] | None = None,
        reason: str = "",
    ) -> None:
        """Append one entry. `actor` is a user or a command's name; secrets in `changes` are masked here."""
        cls.objects.create(
            organization=organization,
            actor=actor if getattr(actor, "pk", None) else None,
            actor_name=str(actor)[:200],
            action=action,
            target=str(target)[:300],
            changes=masked(changes or {}),
            reason=reason,
        )
