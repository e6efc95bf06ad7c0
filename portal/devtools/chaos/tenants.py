"""The organization of a run: configured in the portal, with an account in the sandbox, and connected."""

from integrations.core.vocabulary import WebhookEvent
from integrations.organizations.models.organization import Organization
from portal.devtools.demo import provisioning
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.sandbox.values import JsonObject, stable_id
from portal.devtools.sandbox_client import SandboxClient

SLUG = "acme"
ROLE, ASSESSMENT = "Backend Engineer", "Backend"
API_KEY = stable_id(SLUG, "codescreen-key")
TRIGGER, SECOND_TRIGGER, OTHER = "CodeScreen Assessment", "CodeScreen Take-home", "On-site interview"
RETRIES: JsonObject = {"webhook_retry_delays": [0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0]}
POLICIES = """
[policies]
bulk_limit = 0
attach_report = true
[codescreen]
api_key = "{api_key}"
"""


def organization() -> Organization:
    """Return the run's organization, read again."""
    return Organization.objects.get(slug=SLUG)


def configure(environment: DemoEnvironment) -> None:
    """Create the organization in the portal."""
    toml = provisioning.organization_toml("Customer", SLUG, SLUG) + POLICIES.format(api_key=API_KEY)
    provisioning.configure(environment.folder, SLUG, toml)


def connect(environment: DemoEnvironment, *, is_limited: bool) -> provisioning.BrowserSession:
    """Set up the accounts in the sandbox and connect the organization as its people would; return their browser.

    Raises RunFailed.
    """
    settings = RETRIES | ({} if is_limited else {"rate_limit": 0.0})
    environment.lever.act("settings", account=SLUG, **settings)
    environment.codescreen.act("settings", account=SLUG, metadata=True, **RETRIES)
    browser = provisioning.consent(environment, SLUG, SLUG)
    for event in WebhookEvent:
        environment.lever.act("event", account=SLUG, event=event, state="on")
    return browser


def create_candidates(lever: SandboxClient, count: int, prefix: str = SLUG) -> list[str]:
    """Create candidates for the run's role; return their opportunities' ids, in the order of `email()`."""
    answer = lever.act("generate", account=SLUG, count=count, prefix=prefix, posting=ROLE)
    return list(answer["generated"])


def email(number: int) -> str:
    """Return the address of a candidate, counted from 1, as the sandbox makes it."""
    return f"{SLUG}-{number:05d}@candidates.example"


def move(lever: SandboxClient, opportunities: list[str], stage: str = TRIGGER) -> None:
    """Move candidates to a stage, as one bulk action of a recruiter."""
    lever.act("move", account=SLUG, opportunities=opportunities, stage=stage)
