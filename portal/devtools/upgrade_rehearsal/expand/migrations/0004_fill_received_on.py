from django.db import migrations
from django.db.models import DateField
from django.db.models.functions import Cast

#: Rows that are locked together, for some milliseconds.
BATCH = 500


def fill(apps, schema_editor):
    """Fill the old rows, each batch in a transaction of its own; begun again it goes on where it was killed."""
    rows = apps.get_model("integrations", "Delivery").objects.using(schema_editor.connection.alias)
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        old = rows.filter(pk__gt=last, pk__lte=batch[-1], received_on=None)
        old.update(received_on=Cast("received_at", DateField()))
        last = batch[-1]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("integrations", "0003_delivery_received_on_default")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
