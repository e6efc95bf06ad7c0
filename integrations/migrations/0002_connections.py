import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('integrations', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='LeverCheckup',
            fields=[
                ('organization', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='lever_checkup', serialize=False, to='integrations.organization')),
                ('checked_at', models.DateTimeField()),
                ('is_template_gone', models.BooleanField(default=False)),
                ('missing_fields', models.JSONField(blank=True, default=list, help_text='What the feedback template lacks of the fields that are filled in.')),
                ('is_author_gone', models.BooleanField(default=False)),
                ('unheard_changes', models.PositiveIntegerField(default=0, help_text='Candidates who changed stage since the last delivery, without one about it.')),
                ('silent_since', models.DateTimeField(blank=True, help_text='The last delivery, when the changes were counted.', null=True)),
            ],
            options={
                'verbose_name': 'Lever checkup',
            },
        ),
        migrations.CreateModel(
            name='PersonalSettings',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='personal_settings', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('time_zone', models.CharField(blank=True, max_length=100)),
            ],
            options={
                'verbose_name_plural': 'personal settings',
            },
        ),
        migrations.RemoveConstraint(
            model_name='leverwebhook',
            name='lever_webhook_one_manual',
        ),
        migrations.RemoveConstraint(
            model_name='leverwebhook',
            name='lever_webhook_one_per_event_by_api',
        ),
        migrations.AddField(
            model_name='codescreenconnection',
            name='key_stored_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='leverconnection',
            name='clock_ahead',
            field=models.FloatField(blank=True, help_text="Seconds by which this server's clock is ahead of Lever's.", null=True),
        ),
        migrations.AddField(
            model_name='leverconnection',
            name='clock_compared_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='leverwebhook',
            name='listed_at',
            field=models.DateTimeField(blank=True, help_text='When Lever last listed this webhook.', null=True),
        ),
        migrations.AddField(
            model_name='leverwebhook',
            name='missing_since',
            field=models.DateTimeField(blank=True, help_text='Since when Lever, which listed it before, no longer does.', null=True),
        ),
        migrations.AddField(
            model_name='leverwebhook',
            name='name',
            field=models.CharField(blank=True, db_default='', default='', help_text='What an additional token is called; the main one has no name.', max_length=60),
        ),
        migrations.AddField(
            model_name='leverwebhook',
            name='previous_proved_at',
            field=models.DateTimeField(blank=True, help_text='When the previous token last proved a request.', null=True),
        ),
        migrations.AddField(
            model_name='leverwebhook',
            name='retired_at',
            field=models.DateTimeField(blank=True, help_text='Since when its tokens prove nothing.', null=True),
        ),
        migrations.AddField(
            model_name='leverwebhook',
            name='token_proved_at',
            field=models.DateTimeField(blank=True, help_text='When the current token last proved a request.', null=True),
        ),
        migrations.AddField(
            model_name='leverwebhook',
            name='token_stored_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name='leverwebhook',
            constraint=models.UniqueConstraint(condition=models.Q(('origin', 'manual'), ('retired_at__isnull', True)), fields=('organization', 'name'), name='lever_webhook_one_manual_per_name'),
        ),
        migrations.AddConstraint(
            model_name='leverwebhook',
            constraint=models.UniqueConstraint(condition=models.Q(('origin', 'api'), ('retired_at__isnull', True)), fields=('organization', 'event'), name='lever_webhook_one_per_event_by_api'),
        ),
        migrations.AddConstraint(
            model_name='leverwebhook',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), ('origin', 'manual'), _connector='OR'), name='lever_webhook_only_manual_named'),
        ),
    ]
