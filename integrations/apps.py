"""The Django app that owns the tables."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Registers the numbered system checks when Django starts."""

    name = "integrations"
    verbose_name = "CodeScreen–Lever integration"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from integrations import checks  # noqa: F401
