from django.db import migrations, models
from django.db.models.functions import Cast, Now


class Migration(migrations.Migration):
    """The database fills it from now on, whichever release stores the row; rows that are there keep none."""

    dependencies = [("integrations", "0002_delivery_received_on")]
    operations = [
        migrations.AlterField(
            "delivery",
            "received_on",
            models.DateField(null=True, db_default=Cast(Now(), models.DateField()), editable=False),
        ),
    ]
