"""What people enter into a portal besides the main job, with recognizable secrets; each returns those by name."""

import re
import secrets
from datetime import UTC, datetime
from html import unescape
from urllib.parse import parse_qs, urlsplit

from integrations.models import AuthenticatorApp
from portal.devtools.demo.provisioning import BrowserSession
from tests.support.identity_provider import PORTAL_SECRET, Provider

Secrets = dict[str, str]

#: Nothing listens there.
NOWHERE = "https://127.0.0.1:9"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
ALERTS, SINGLE_SIGN_ON, APP = "/settings/alerts/", "/settings/sso/", "/account/second-factor/app/"


def plant_alert_addresses(browser: BrowserSession) -> Secrets:
    """Add a program and a chat room for alerts, and send each a test that fails."""
    # one path looks like a random key, the other doesn't
    program = f"alerts{secrets.token_hex(12)}"
    room = "".join(secrets.choice(LETTERS) for _ in range(24))
    wanted = {"wants_results": "on", "wants_held": "on", "wants_incidents": "on"}
    answer = browser.submit(
        ALERTS, ALERTS, name="Program", kind="signed", url=f"{NOWHERE}/{program}", **wanted
    )
    [signing] = re.findall(r"whsec_[\w+/=]+", answer.text)
    browser.submit(
        ALERTS, ALERTS, name="Room", kind="slack", url=f"{NOWHERE}/services/T0/B0/{room}", **wanted
    )
    for number in (1, 2):
        browser.submit(f"{ALERTS}{number}/test/", ALERTS)
    return {
        "path of the program's address": program,
        "path of the chat room's address": room,
        "signing secret of alerts": signing,
    }


def plant_single_sign_on(browser: BrowserSession, provider: Provider, portal_url: str) -> Secrets:
    """Enter an identity provider, and try it as a browser that its page leads on."""
    browser.submit(
        SINGLE_SIGN_ON,
        SINGLE_SIGN_ON,
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret=PORTAL_SECRET,
    )
    leading_on = browser.submit("/sso/try/", SINGLE_SIGN_ON)
    address = leading_on.headers["Refresh"].partition("url=")[2]
    back = browser.open(address)
    assert "Your provider answered" in back.text  # though its domain isn't proven
    [code] = provider.codes
    browser.open(f"{portal_url}/sso/complete/acme/?code={code}&state=another")  # a second time, and altered
    query = parse_qs(urlsplit(address).query)
    return {
        "client secret at the provider": PORTAL_SECRET,
        "the provider's code": code,
        "the provider's state": query["state"][0],
        "the provider's nonce": query["nonce"][0],
    }


def plant_second_factor(browser: BrowserSession, portal_url: str) -> Secrets:
    """Set up an authenticator app for the person who is signed in, and keep the recovery codes."""
    page = browser.open(portal_url + APP).text
    shown = re.search(r"[A-Z2-7]{4}(?: [A-Z2-7]{4}){3,}", unescape(page))
    assert shown
    secret = shown[0].replace(" ", "")
    code = AuthenticatorApp(secret=secret).code_at(datetime.now(UTC))
    answer = browser.submit(
        APP, "/account/", code=code
    )  # opened once more, its own page shows another secret
    codes = re.findall(r"<code>([\w-]{8,})</code>", answer.text)
    assert codes
    return {
        "secret of the app": secret,
        **{f"recovery code {number}": code for number, code in enumerate(codes)},
    }
