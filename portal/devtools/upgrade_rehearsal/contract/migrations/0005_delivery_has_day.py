from django.db import migrations, models

from portal.devtools.upgrade_rehearsal.operations import AddConstraintUnchecked


class Migration(migrations.Migration):
    """New rows must have the day; the old ones aren't read, so that the lock is short."""

    dependencies = [("integrations", "0004_fill_received_on")]
    operations = [
        AddConstraintUnchecked(
            "delivery",
            models.CheckConstraint(condition=models.Q(received_on__isnull=False), name="delivery_has_day"),
        ),
    ]
