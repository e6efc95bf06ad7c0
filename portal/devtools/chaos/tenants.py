"""The organizations of a run: configured in the portal, with accounts of their own in the sandbox, and connected."""

import base64

from integrations.organizations.models.organization import Organization
from portal.devtools.chaos.run import Options
from portal.devtools.demo import provisioning
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.sandbox.values import JsonObject, stable_id
from portal.devtools.sandbox_client import SandboxClient

ROLE, ASSESSMENT = "Backend Engineer", "Backend"
TRIGGER, SECOND_TRIGGER, OTHER = "CodeScreen Assessment", "CodeScreen Take-home", "On-site interview"
RETRIES: JsonObject = {"webhook_retry_delays": [0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0]}
POLICIES = """
[policies]
bulk_limit = 0
attach_report = true
[codescreen]
api_key = "{api_key}"
webhook_secret = "{webhook_secret}"
"""


def slugs(count: int) -> list[str]:
    """Return the slugs of so many organizations."""
    return [f"customer-{number}" for number in range(1, count + 1)]


def organizations() -> list[Organization]:
    """Return the run's organizations."""
    return list(Organization.objects.order_by("slug"))


def configure(environment: DemoEnvironment, options: Options) -> None:
    """Create the organizations in the portal."""
    for slug in slugs(options.organizations):
        policies = POLICIES.format(
            api_key=stable_id(slug, "codescreen-key"),
            webhook_secret=_webhook_secret(slug) if options.webhooks else "",
        )
        toml = provisioning.organization_toml(slug.title(), slug, slug) + policies
        provisioning.configure(environment.folder, slug, toml)


def connect(environment: DemoEnvironment, options: Options) -> None:
    """Create the accounts in the sandbox and connect each organization as its people would. Raises RunFailed."""
    for slug in slugs(options.organizations):
        settings = RETRIES | ({"rate_limit": 0.0} if options.has_faults else {})
        postings = [{"text": ROLE, "tags": [f"CodeScreen {ASSESSMENT}"]}]
        environment.lever.act("accounts", account=slug, postings=postings, settings=settings)
        environment.codescreen.act(
            "accounts",
            account=slug,
            metadata=True,
            settings=RETRIES | (_webhook_settings(slug) if options.webhooks else {}),
        )
        provisioning.connect(environment, slug, slug)


def _webhook_settings(slug: str) -> JsonObject:
    """Return the settings that make CodeScreen send its webhooks twice and out of order."""
    return {
        "webhook_url": Organization.objects.get(slug=slug).codescreen_webhook_url,
        "webhook_secret": _webhook_secret(slug),
        "webhook_shuffle_ms": 1500,
        "webhook_duplicates": 1,
    }


def _webhook_secret(slug: str) -> str:
    return "whsec_" + base64.b64encode(stable_id(slug, "codescreen-webhook").encode()).decode()


def create_candidates(lever: SandboxClient, slug: str, count: int) -> list[str]:
    """Create candidates for the run's role; return their opportunities' ids, in the order of `email()`."""
    generate = {"count": count, "prefix": slug, "posting": ROLE}
    answer = lever.act("accounts", account=slug, keep=True, generate=generate)
    return list(answer["generated"])


def email(slug: str, number: int) -> str:
    """Return the address of an account's candidate, counted from 1, as the sandbox makes it."""
    return f"{slug}-{number:05d}@candidates.example"


def move(lever: SandboxClient, slug: str, opportunities: list[str], stage: str = TRIGGER) -> None:
    """Move candidates to a stage, as one bulk action of a recruiter."""
    lever.act("move", account=slug, opportunities=opportunities, stage=stage)
