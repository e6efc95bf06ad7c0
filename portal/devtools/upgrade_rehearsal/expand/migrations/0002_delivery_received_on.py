from django.db import migrations, models


class Migration(migrations.Migration):
    """A nullable column without a default: the table isn't rewritten, and the release before needn't know it."""

    dependencies = [("integrations", "0001_initial")]
    operations = [
        migrations.AddField("delivery", "received_on", models.DateField(null=True, editable=False)),
    ]
