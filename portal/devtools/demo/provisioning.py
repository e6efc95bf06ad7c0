"""Set the demo's organization up the way its people would: configuration file, consent, webhook, key."""

import base64
import re
import secrets
import time
from pathlib import Path
from typing import Any

import requests
from django.core.management import call_command

from integrations.models import LeverConnection, Organization
from portal.devtools.demo.environment import Stage
from portal.devtools.sandbox.ids import stable_id

USERNAME, PASSWORD, STAGE_NAME = "demo", "demo", "CodeScreen Assessment"
CONNECTED, UNCONNECTED = "acme", "globex"
SECONDS = 10
START_SECONDS = 60.0


class NotReady(Exception):
    """A part of the demo doesn't answer, or not as it should."""


CONFIGURATION = """
[organization]
name = "{name}"
slug = "{slug}"
[[members]]
username = "{username}"
email = "{username}@{slug}.example"
role = "super_admin"
password = "{password}"
"""

MAPPED = """
[codescreen]
api_key = "{api_key}"
webhook_secret = "{webhook_secret}"
[[mappings]]
role = "Site Reliability Engineer"
assessment = "SRE Troubleshooting"
"""


def seed(folder: Path) -> str:
    """Write both organizations; the webhook secret that CodeScreen is to sign with."""
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    acme = CONFIGURATION.format(name="Acme", slug=CONNECTED, username=USERNAME, password=PASSWORD)
    acme += MAPPED.format(api_key=stable_id(CONNECTED, "codescreen-key"), webhook_secret=secret)
    globex = CONFIGURATION.format(name="Globex", slug=UNCONNECTED, username="newcomer", password=PASSWORD)
    for slug, text in ((CONNECTED, acme), (UNCONNECTED, globex)):
        path = folder / f"{slug}.toml"
        path.write_text(text)
        path.chmod(0o600)
        with (folder / "configure.log").open("a") as log:
            call_command("configure", str(path), stdout=log, stderr=log)
    return secret


def control(address: str, act: str, /, **body: Any) -> Any:
    """Do something in the sandbox through its control door. Raises NotReady."""
    answer = requests.post(f"{address}/_control/{act}", json={"account": CONNECTED, **body}, timeout=SECONDS)
    if not answer.ok:
        raise NotReady(f"the sandbox refused {act}: {answer.status_code} {answer.text[:300]}")
    return answer.json()


def wait_for(url: str) -> None:
    """Return once an address answers. Raises NotReady."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            requests.get(url, timeout=SECONDS)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise NotReady(f"{url} doesn't answer")


class Visitor:
    """Somebody with a browser: signs in and presses buttons over HTTP."""

    def __init__(self, portal_url: str) -> None:
        self._url = portal_url
        self._http = requests.Session()

    def _token(self, page: str) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if not found:
            raise NotReady("a page without its form")
        return found.group(1)

    def post(self, path: str, page: str, **fields: str) -> requests.Response:
        """Fill in a form on `page` and send it to `path`; the answer, not followed."""
        shown = self._http.get(self._url + page, timeout=SECONDS).text
        fields["csrfmiddlewaretoken"] = self._token(shown)
        headers = {"Referer": self._url + page}
        return self._http.post(
            self._url + path, data=fields, headers=headers, timeout=SECONDS, allow_redirects=False
        )

    def follow(self, address: str) -> requests.Response:
        """Go to an address."""
        return self._http.get(address, timeout=SECONDS)

    def sign_in(self, username: str) -> None:
        """Sign in as a Super Admin of the demo."""
        if self.post("/login/", "/login/", username=username, password=PASSWORD).status_code != 302:
            raise NotReady("signing in failed")


def connect(stage: Stage, webhook_secret: str, slug: str = CONNECTED, username: str = USERNAME) -> None:
    """Go through consent, make the webhook in Lever, paste its token, verify, and tell CodeScreen our address."""
    visitor = Visitor(stage.portal_url)
    visitor.sign_in(username)
    begun = visitor.post("/oauth/login/lever/", "/settings/", organization=slug)
    accepted = control(stage.lever_url, "consent", account=slug, url=begun.headers.get("Location", ""))
    visitor.follow(accepted["redirect"])
    organization = Organization.objects.get(slug=slug)
    if not LeverConnection.objects.filter(organization=organization, state="connected").exists():
        raise NotReady("Lever's consent didn't lead to a connection")
    webhook = control(
        stage.lever_url,
        "webhook",
        account=slug,
        event="candidateStageChange",
        url=organization.lever_webhook_url,
    )
    visitor.post("/settings/", "/settings/", lever_signature_token=webhook["signature_token"])
    verified = control(stage.lever_url, "verify", account=slug, webhook=webhook["id"])
    if not verified["ok"]:
        raise NotReady(f"Verify Connection answered {verified['status']}")
    if webhook_secret:
        control(
            stage.codescreen_url,
            "settings",
            account=slug,
            webhook_url=organization.codescreen_webhook_url,
            webhook_secret=webhook_secret,
        )
