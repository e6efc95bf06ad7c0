"""The findings of the linter's last runs, so that people see which are new."""

from django.db import models
from django.db.models.functions import Now


class LinterFinding(models.Model):
    """One finding of the linter: when it was first and last found, and since when it is gone."""

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="linter_findings"
    )
    digest = models.CharField(max_length=64, help_text="SHA-256 of the code and the message.")
    code = models.CharField(max_length=60)
    level = models.CharField(max_length=20)
    message = models.TextField()
    first_seen_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "set-up issue"
        ordering = ["-first_seen_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["organization", "digest"], name="linter_finding_once")]

    def __str__(self) -> str:
        return f"{self.code} #{self.pk}"
