from django.db import migrations

from portal.devtools.upgrade_rehearsal.operations import CheckConstraintBesideWrites


class Migration(migrations.Migration):
    """Reads the old rows under a lock that lets others read and write."""

    dependencies = [("integrations", "0005_delivery_has_day")]
    operations = [CheckConstraintBesideWrites("delivery", "delivery_has_day")]
