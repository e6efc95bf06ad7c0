"""The one Django app that owns tables."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Registers the models and the numbered system checks."""

    name = "integrations"
    verbose_name = "CodeScreen–Lever integration"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from integrations import checks  # noqa: F401
