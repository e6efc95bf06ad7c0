"""Sets up organizations the way their people would: configuration file, Lever's consent, webhook, API key."""

import base64
import re
import secrets
from functools import cache
from pathlib import Path

import requests
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management import call_command

from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import REQUEST_SECONDS, RunFailed
from portal.devtools.sandbox.values import stable_id

SIGN_IN = "/accounts/login/"


class BrowserSession:
    """One person's session at the portal."""

    def __init__(self, portal_url: str) -> None:
        self._url = portal_url
        self._http = requests.Session()

    def sign_in(self, username: str, password: str) -> None:
        """Sign in. Raises RunFailed if the portal refuses it."""
        answer = self.submit(SIGN_IN, SIGN_IN, login=username, password=password)
        if answer.status_code != 302:
            said = re.findall(r'role="alert">(.*?)</div>', answer.text, re.DOTALL)
            raise RunFailed(
                f"signing in failed with {answer.status_code}: {' '.join(said).strip() or answer.text[:300]}"
            )

    def submit(self, path: str, page: str, **fields: str) -> requests.Response:
        """Submit a form of a page to a path; return the response without following its redirect."""
        html = self._http.get(self._url + page, timeout=REQUEST_SECONDS).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)
        if not token:
            raise RunFailed(f"{page} has no form")
        return self._http.post(
            self._url + path,
            data={**fields, "csrfmiddlewaretoken": token.group(1)},
            headers={"Referer": self._url + page},
            timeout=REQUEST_SECONDS,
            allow_redirects=False,
        )

    def open(self, url: str) -> requests.Response:
        """Open an address, following redirects."""
        return self._http.get(url, timeout=REQUEST_SECONDS)


USERNAME, PASSWORD, STAGE_NAME = "demo", "demo", "CodeScreen Assessment"
#: CodeScreen answers the first as it publishes, and states results for the second; the third isn't connected.
PUBLISHED, CONNECTED, UNCONNECTED = "initech", "acme", "globex"

ORGANIZATION = """
[organization]
name = "{name}"
slug = "{slug}"
[[members]]
username = "{username}"
email = "{username}@{domain}.example"
role = "super_admin"
"""

RULES_AND_CODESCREEN = """
[policies]
attach_report = true
other_integration_off = true
[codescreen]
api_key = "{api_key}"
"""
WEBHOOKS_AND_MAPPING = """
webhook_secret = "{webhook_secret}"
[[mappings]]
department = "Infrastructure"
assessment = "SRE Troubleshooting"
"""


def seed(folder: Path) -> str:
    """Create the demo's organizations; return the secret that CodeScreen is to sign its webhooks with.

    Who is in several sees first the one that they joined first: the one that shows what CodeScreen publishes.
    """
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    published, connected = (
        organization_toml(name, slug, USERNAME, CONNECTED)
        + RULES_AND_CODESCREEN.format(api_key=stable_id(slug, "codescreen-key"))
        for name, slug in (("Initech", PUBLISHED), ("Acme", CONNECTED))
    )
    configure(folder, PUBLISHED, published)
    configure(folder, CONNECTED, connected + WEBHOOKS_AND_MAPPING.format(webhook_secret=secret))
    configure(folder, UNCONNECTED, organization_toml("Globex", UNCONNECTED, "newcomer"))
    return secret


def organization_toml(name: str, slug: str, username: str, domain: str = "") -> str:
    """Return the configuration of an organization with one Super Admin, whose password will be PASSWORD."""
    return ORGANIZATION.format(name=name, slug=slug, username=username, domain=domain or slug)


def configure(folder: Path, slug: str, toml: str) -> None:
    """Run `configure` with a configuration, and give its people PASSWORD; file and output are kept in the folder."""
    path = folder / f"{slug}.toml"
    path.write_text(toml)
    path.chmod(0o600)
    with (folder / "configure.log").open("a") as log:
        call_command("configure", str(path), stdout=log, stderr=log)
    set_passwords(slug)


def set_passwords(slug: str) -> None:
    """Give an organization's people PASSWORD, which is known to everybody, so that `configure` would refuse it."""
    User.objects.filter(memberships__organization__slug=slug).update(password=_hashed())


@cache
def _hashed() -> str:
    return make_password(PASSWORD)


def consent(environment: DemoEnvironment, slug: str, username: str) -> BrowserSession:
    """Connect an organization to its account in the sandbox's Lever; return the browser. Raises RunFailed."""
    browser = BrowserSession(environment.portal_url)
    browser.sign_in(username, PASSWORD)
    redirect = browser.submit("/oauth/login/lever/", "/settings/", organization=slug)
    consent_url = redirect.headers.get("Location", "")
    browser.open(environment.lever.act("consent", account=slug, url=consent_url)["redirect"])
    connected = LeverConnection.objects.filter(state=LeverConnection.State.CONNECTED)
    if not connected.filter(organization__slug=slug).exists():
        raise RunFailed("Lever's consent didn't lead to a connection")
    return browser


def add_webhook_by_hand(environment: DemoEnvironment, browser: BrowserSession, slug: str) -> None:
    """Add a webhook as a person would, beside the portal's: each change arrives by both. Raises RunFailed.

    Make it in Lever, paste its signature token, press Verify Connection.
    """
    url = Organization.objects.get(slug=slug).lever_webhook_url
    webhook = environment.lever.act("webhook", account=slug, event="candidateStageChange", url=url)
    browser.submit("/settings/", "/settings/", lever_signature_token=webhook["signature_token"])
    verified = environment.lever.act("verify", account=slug, webhook=webhook["id"])
    if not verified["ok"]:
        raise RunFailed(f"Verify Connection answered {verified['status']}")
