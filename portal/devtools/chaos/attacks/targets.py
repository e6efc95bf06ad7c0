"""What the attacks aim at: one organization's endpoints and secrets, and where something of a forgery may remain."""

from django.apps import apps
from django.db.models import F, TextField
from django.db.models.functions import Cast, Now

from integrations.models import CodeScreenConnection, Delivery, LeverWebhook, Organization
from integrations.models.organization import make_webhook_key
from portal.devtools.chaos import tenants
from portal.devtools.chaos.attacks.generator import CODESCREEN, LEVER, Endpoints
from portal.devtools.demo.environment import DemoEnvironment

RETIRED_TOKEN = "retired-token-" + "r" * 34
TEXT_FIELDS = {"CharField", "TextField", "JSONField", "URLField"}


def prepare_endpoints(environment: DemoEnvironment, slug: str, other: str) -> Endpoints:
    """Return an organization's endpoints; it gets a retired token, and another organization's secrets are added."""
    organization = Organization.objects.get(slug=slug)
    retired = {"name": "Retired", "signature_token": RETIRED_TOKEN, "retired_at": Now()}
    LeverWebhook.objects.create(organization=organization, **retired)
    tokens = {name: LeverWebhook.objects.active().get(organization__slug=name) for name in (slug, other)}
    secrets = dict(CodeScreenConnection.objects.values_list("organization__slug", "webhook_secret"))
    lever = organization.lever_webhook_url.removeprefix(environment.portal_url)
    codescreen = organization.codescreen_webhook_url.removeprefix(environment.portal_url)
    key, unknown_key = organization.webhook_key, make_webhook_key()
    return Endpoints(
        lever=lever,
        codescreen=codescreen,
        unknown={LEVER: lever.replace(key, unknown_key), CODESCREEN: codescreen.replace(key, unknown_key)},
        token=tokens[slug].signature_token,
        wrong_tokens={
            "another organization's token": tokens[other].signature_token,
            "a retired token": RETIRED_TOKEN,
            "an empty token": "",
            "the address's key": key,
        },
        secret=secrets[slug],
        wrong_secrets={"another organization's secret": secrets[other]},
        stage_id=tenants.stage_id(environment.lever, slug, tenants.TRIGGER),
    )


def accepted_keys() -> set[str]:
    """Return the dedupe keys of all deliveries."""
    return set(Delivery.objects.values_list("dedupe_key", flat=True))


def columns_with(text: str) -> list[str]:
    """Return the columns of the portal's tables that hold a text somewhere, as `Model.column`."""
    found = []
    for model in apps.get_app_config("integrations").get_models():
        for column in model._meta.concrete_fields:
            if column.get_internal_type() in TEXT_FIELDS:
                rows = model._default_manager.annotate(_as_text=Cast(F(column.name), TextField()))
                if rows.filter(_as_text__contains=text).exists():
                    found.append(f"{model._meta.object_name}.{column.name}")
    return found
