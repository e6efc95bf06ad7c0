"""Who changed what: append-only, secrets masked."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

SECRET_FIELDS = frozenset(
    {
        "access_token",
        "refresh_token",
        "api_key",
        "webhook_secret",
        "signature_token",
        "previous_signature_token",
        "webhook_key",
        "password",
    }
)


def masked(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes with every secret replaced by whether it is set."""
    return {
        name: ("set" if value else "empty") if name in SECRET_FIELDS else value
        for name, value in changes.items()
    }


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
