"""Which assessment a role needs."""

from django.db import models


class RoleMapping(models.Model):
    """Role × stage (or any CodeScreen stage) → assessment.

    Each of the three columns holds a name or an id, as a person or a configuration file gave it. It is resolved
    when used: a file can be loaded before Lever is connected, and the linter reports a name that matches nothing.
    """

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="role_mappings"
    )
    role = models.CharField(max_length=300, help_text="A Lever posting's title or id.")
    stage = models.CharField(
        max_length=300,
        blank=True,
        help_text="A stage's name or id; empty means any stage that begins with the prefix.",
    )
    assessment = models.CharField(max_length=300, help_text="A CodeScreen assessment's name or id.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["organization", "role", "stage"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "role", "stage"],
                name="role_mapping_once",
                violation_error_message="This role already has an assessment for that stage.",
            ),
            models.CheckConstraint(
                condition=~models.Q(role="") & ~models.Q(assessment=""), name="role_mapping_complete"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} × {self.stage or 'any CodeScreen stage'} → {self.assessment}"
