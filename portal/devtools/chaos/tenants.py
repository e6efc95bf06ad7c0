"""The organizations of a run: configured in the portal, with accounts of their own in the sandbox, connected."""

import base64
import os
from pathlib import Path

from django.core.management import call_command

from integrations.models import Organization
from portal.devtools.chaos.options import Options
from portal.devtools.demo import provisioning
from portal.devtools.demo.environment import FOLDER, Stage
from portal.devtools.demo.provisioning import CONFIGURATION, PASSWORD, control
from portal.devtools.sandbox.ids import stable_id
from portal.devtools.sandbox.json_values import JsonObject

ROLE, ASSESSMENT = "Backend Engineer", "Backend"
TRIGGER, SECOND_TRIGGER, OTHER = "CodeScreen Assessment", "CodeScreen Take-home", "On-site interview"
WELL_BEHAVED: JsonObject = {"webhook_retry_delays": [0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0]}
POLICIES = """
[policies]
bulk_limit = 0
[codescreen]
api_key = "{api_key}"
idempotency = {idempotency}
webhook_secret = "{webhook_secret}"
"""


def slugs(count: int) -> list[str]:
    """Return the organizations' slugs."""
    return [f"customer-{number}" for number in range(1, count + 1)]


def configure(options: Options) -> None:
    """Write the organizations into the portal's tables."""
    folder = Path(os.environ[FOLDER])
    for slug in slugs(_count(options)):
        text = CONFIGURATION.format(name=slug.title(), slug=slug, username=slug, password=PASSWORD)
        idempotency = str(options.idempotency).lower()
        text += POLICIES.format(
            api_key=stable_id(slug, "codescreen-key"),
            idempotency=idempotency,
            webhook_secret=_webhook_secret(slug) if options.webhooks or options.forge else "",
        )
        path = folder / f"{slug}.toml"
        path.write_text(text)
        path.chmod(0o600)
        with (folder / "configure.log").open("a") as log:
            call_command("configure", str(path), stdout=log, stderr=log)


def connect(stage: Stage, options: Options) -> None:
    """Make the accounts in the sandbox and connect each organization the way its people would. Raises NotReady."""
    for slug in slugs(_count(options)):
        settings = WELL_BEHAVED | ({"rate_limit": 0.0} if options.has_faults else {})
        postings = [{"text": ROLE, "tags": [f"CodeScreen {ASSESSMENT}"]}]
        control(stage.lever_url, "accounts", account=slug, postings=postings, settings=settings)
        control(
            stage.codescreen_url,
            "accounts",
            account=slug,
            metadata=True,
            idempotency=options.idempotency,
            settings=WELL_BEHAVED | (_webhook(slug) if options.webhooks else {}),
        )
        provisioning.connect(stage, "", slug, slug)


def _webhook(slug: str) -> JsonObject:
    """Return the settings by which an account of CodeScreen's tells the portal what happens, out of order and twice."""
    url = Organization.objects.get(slug=slug).codescreen_webhook_url
    secret = _webhook_secret(slug)
    return {
        "webhook_url": url,
        "webhook_secret": secret,
        "webhook_shuffle_ms": 1500,
        "webhook_duplicates": 1,
    }


def _webhook_secret(slug: str) -> str:
    return "whsec_" + base64.b64encode(stable_id(slug, "codescreen-webhook").encode()).decode()


def generate(stage: Stage, slug: str, count: int) -> list[str]:
    """Make candidates for the run's role in an account; their opportunities' ids, in the order of `email()`."""
    wanted = {"count": count, "prefix": slug, "posting": ROLE}
    made = control(stage.lever_url, "accounts", account=slug, keep=True, generate=wanted)
    return list(made["generated"])


def email(slug: str, number: int) -> str:
    """Return the address of an account's candidate, counted from 1, as the sandbox makes it."""
    return f"{slug}-{number:05d}@candidates.example"


def organizations() -> list[Organization]:
    """Return the run's organizations."""
    return list(Organization.objects.order_by("slug"))


def _count(options: Options) -> int:
    return max(2, options.organizations) if options.bulk or options.forge else options.organizations
