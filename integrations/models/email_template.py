"""The customer's wording of e-mails."""

from django.core.validators import MaxLengthValidator
from django.db import models

from integrations.models.email import EmailKind


class EmailTemplate(models.Model):
    """The customer's wording of one kind of e-mail; without a row the portal's own wording is used."""

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="email_templates"
    )
    kind = models.CharField(max_length=20, choices=EmailKind)
    subject = models.CharField(max_length=200)
    body = models.TextField(validators=[MaxLengthValidator(5000)])
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["organization", "kind"]
        constraints = [models.UniqueConstraint(fields=["organization", "kind"], name="email_template_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.organization}"
