"""Store one webhook endpoint whose secret is the first argument; print the key of its address."""

import sys

import django
from django.apps import apps

if __name__ == "__main__":
    django.setup()
    endpoint = (
        apps.get_app_config("djstripe")
        .get_model("WebhookEndpoint")
        ._default_manager.create(
            id="we_benchmark",
            livemode=False,
            secret=sys.argv[1],
            enabled_events=["*"],
            status="enabled",
            url="https://portal.example/",
        )
    )
    sys.stdout.write(str(endpoint.serializable_value("djstripe_uuid")))
