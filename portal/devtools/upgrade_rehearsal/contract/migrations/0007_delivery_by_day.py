from django.db import migrations, models

from portal.devtools.upgrade_rehearsal.operations import AddIndexBesideWrites


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("integrations", "0006_check_delivery_has_day")]
    operations = [
        AddIndexBesideWrites("delivery", models.Index(fields=["received_on"], name="delivery_by_day")),
    ]
