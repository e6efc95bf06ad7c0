"""The model's part of the two releases."""

from datetime import date

from django.apps import AppConfig, apps
from django.db.models import DateField
from django.db.models.functions import Cast, Now


class UpgradeRehearsal(AppConfig):
    """Gives deliveries the column that the migrations make."""

    name = "portal.devtools.upgrade_rehearsal"

    def ready(self) -> None:
        """Add the field, before anything asks the model for its columns."""
        # nullable in both releases: the second adds a constraint
        day: DateField[date | None, date | None] = DateField(
            null=True, db_default=Cast(Now(), DateField()), editable=False
        )
        day.contribute_to_class(apps.get_model("integrations", "Delivery"), "received_on")
