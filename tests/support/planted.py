"""A portal that serves as an operator runs it, with secrets of every kind that a test can look for."""

import base64
import os
import re
import secrets
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import requests
from cryptography.fernet import Fernet
from django.conf import settings
from django.test import override_settings

from integrations.store.encryption import decrypt, encrypted_fields
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.demo.provisioning import STAGE_NAME, BrowserSession
from portal.devtools.processes import descendants, wait_for_url
from portal.devtools.sandbox.values import stable_id
from tests.support.second_factors import code_of

Secrets = dict[str, str]

APP, CODES = "/accounts/2fa/totp/activate/", "/accounts/2fa/recovery-codes/"


def plant_second_factor(browser: BrowserSession, portal_url: str) -> Secrets:
    """Set up an authenticator app for the person who is signed in, and keep the recovery codes."""
    page = browser.open(portal_url + APP).text
    shown = re.search(r'value="([A-Z2-7]{32})"', page)
    assert shown
    secret = shown[1]
    # opened once more, its own page shows another secret
    browser.submit(APP, "/account/", code=code_of(secret))
    codes = re.findall(r"\b\d{10}\b", browser.open(portal_url + CODES).text)
    assert codes
    return {
        "secret of the app": secret,
        **{f"recovery code {number}": code for number, code in enumerate(codes)},
    }


#: Runs the commands that it is given as arguments, and goes on after one that fails.
RUN_EACH = """
import sys, django
from django.core.management import CommandError, call_command
django.setup()
for line in sys.argv[1:]:
    print(f"ran {line}", flush=True)
    try:
        call_command(*line.split())
    except (CommandError, SystemExit) as error:
        print(error, flush=True)
"""
ROLES = ("super_admin", "admin", "team_member", "limited_team_member")
#: A member who has a second factor, and the superuser.
CAREFUL, OPERATOR = "careful", "operator"
PEOPLE = (*ROLES, CAREFUL, OPERATOR)
SLUG, ASSESSMENT, CANDIDATE = "acme", "Backend", "Alder"
STEP_SECONDS = 90.0


class PlantedPortal:
    """The portal with its workers and the sandbox as processes; `secrets` grows as more become known."""

    def __init__(self) -> None:
        self.environment = DemoEnvironment.create("planted")
        self.folder = self.environment.folder
        self.log = self.folder / "serve.log"
        # far longer than an address: a random one is never refused as similar to it
        self.passwords = {name: f"Planted-{secrets.token_hex(48)}" for name in PEOPLE}
        self.encryption_key = Fernet.generate_key().decode()
        planted = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "METRICS_TOKEN": f"metrics-{secrets.token_hex(12)}",
        }
        self.mail_password = f"mail{secrets.token_hex(12)}"
        self.variables = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("PYTEST_", "DJANGO_"))
            },
            **self.environment.variables(),
            **planted,
            "FIELD_ENCRYPTION_KEYS": self.encryption_key,
            "EMAIL_URL": f"smtp://portal:{self.mail_password}@127.0.0.1:9",  # nothing listens there
            "LOG_LEVEL": "DEBUG",
        }
        self.webhook_secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        self.secrets = {
            **planted,
            "FIELD_ENCRYPTION_KEYS": self.encryption_key,
            "password of the mail server": self.mail_password,
            "LEVER_CLIENT_SECRET": self.variables["LEVER_CLIENT_SECRET"],
            "CodeScreen's API key": stable_id(SLUG, "codescreen-key"),
            "CodeScreen's webhook secret": self.webhook_secret,
            **{f"password of {role}": password for role, password in self.passwords.items()},
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    # processes

    def start(self) -> None:
        """Configure the organization, and start the sandbox and `serve`."""
        configured = self.run_manage("configure", self._organization_file())
        assert "super_admin" in configured, configured
        operator = ("--username", OPERATOR, "--email", f"{OPERATOR}@portal.example")
        made = self.run_manage(
            "createsuperuser", "--noinput", *operator, DJANGO_SUPERUSER_PASSWORD=self.passwords[OPERATOR]
        )
        assert "created" in made, made
        self._start(self.environment.sandbox().argv)
        self._start([sys.executable, "manage.py", "serve", "--port", str(self.environment.port)])
        for url in self.environment.urls_to_wait_for:
            wait_for_url(url)

    def _start(self, argv: Sequence[str]) -> None:
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                argv,
                cwd=settings.BASE_DIR,
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._processes.append(process)

    def stop(self) -> None:
        """End every process."""
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(60)

    def run_manage(self, *arguments: str, **variables: str) -> str:
        """Run a command with further variables; return what it printed, whatever its exit code."""
        return self._run(["manage.py", *arguments], variables)

    def run_commands(self, *lines: str) -> str:
        """Run several commands in one process; return what they printed, however they ended."""
        return self._run(["-c", RUN_EACH, *lines], {"DJANGO_SETTINGS_MODULE": "portal.settings"})

    def _run(self, arguments: Sequence[str], variables: Mapping[str, str]) -> str:
        argv, environ = [sys.executable, *arguments], {**self.variables, **variables}
        done = subprocess.run(
            argv, cwd=settings.BASE_DIR, env=environ, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    def process_arguments(self) -> str:
        """Return the arguments of every process of the portal, as anybody on the machine may read them."""
        pids = [pid for process in self._processes for pid in (process.pid, *descendants(process.pid))]
        files = (Path(f"/proc/{pid}/cmdline") for pid in pids)
        return "\n".join(file.read_bytes().replace(b"\0", b" ").decode() for file in files if file.exists())

    def _organization_file(self) -> str:
        path = self.folder / "acme.toml"
        members = "".join(
            f'[[members]]\nusername = "{name}"\nemail = "{name}@{SLUG}.example"\n'
            f'role = "{name if name in ROLES else "team_member"}"\npassword = "{password}"\n'
            for name, password in self.passwords.items()
            if name != OPERATOR
        )
        path.write_text(
            f'[organization]\nname = "Acme"\nslug = "{SLUG}"\n{members}'
            f'[codescreen]\napi_key = "{self.secrets["CodeScreen's API key"]}"\n'
            f'webhook_secret = "{self.webhook_secret}"\n'
        )
        return str(path)

    # the main job

    def sign_in(self, name: str) -> BrowserSession:
        """Sign somebody in; return their browser."""
        browser = BrowserSession(self.environment.portal_url)
        browser.sign_in(name, self.passwords[name])
        self.secrets |= {
            f"session of {name}": str(cookie.value)
            for cookie in browser._http.cookies
            if "session" in cookie.name
        }
        return browser

    def connect(self) -> None:
        """Consent in Lever, let the portal make its webhook, store a token by hand, replace the webhook address."""
        browser, lever = self.sign_in("super_admin"), self.environment.lever
        begun = browser.submit("/oauth/login/lever/", "/settings/", organization=SLUG).headers["Location"]
        self.secrets["OAuth's state"] = parse_qs(urlsplit(begun).query)["state"][0]
        back = lever.act("consent", account=SLUG, url=begun)["redirect"]
        self.secrets["OAuth's code"] = parse_qs(urlsplit(back).query)["code"][0]
        browser.open(back)
        browser.open(back.replace("code=", "error_description="))  # a second time, and altered
        self.secrets["former webhook key"] = self._webhook_key()
        address = f"{self.environment.portal_url}/webhooks/lever/{self._webhook_key()}/"
        webhook = lever.act("webhook", account=SLUG, event="candidateStageChange", url=address)
        browser.submit("/settings/", "/settings/", lever_signature_token=webhook["signature_token"])
        browser.submit("/settings/webhooks/make/", "/settings/")
        browser.submit("/settings/webhooks/address/", "/settings/")
        self.secrets["webhook key"] = self._webhook_key()
        self._enter_a_key(browser)
        requests.post(address, json={"signature": "x", "token": "y", "triggeredAt": 1}, timeout=60)
        self.environment.codescreen.act(
            "settings",
            account=SLUG,
            webhook_url=f"{self.environment.portal_url}/webhooks/codescreen/{self._webhook_key()}/",
            webhook_secret=self.webhook_secret,
            metadata=True,
        )

    def _enter_a_key(self, browser: BrowserSession) -> None:
        """Connect another organization by an API key of Lever, and leave the key on the page of this one."""
        key = self.environment.lever.act("key", account=SLUG)["api_key"]
        self.secrets["Lever's API key"] = key
        path = self.folder / "keyed.toml"
        path.write_text(
            f'[organization]\nname = "Keyed"\nslug = "keyed"\n[lever]\napi_key = "{key}"\nperform_as = "a@b.example"\n'
        )
        self.run_manage("configure", str(path))
        entered = browser.submit(
            "/settings/lever/key/", "/settings/?change", lever_api_key=key, lever_region="worldwide"
        )
        assert browser.open(self.environment.portal_url + entered.headers["Location"]).ok
        browser.submit(
            "/settings/lever/key/", "/settings/?change", lever_api_key=f"{key}x", lever_region="eu"
        )

    def set_up_a_second_factor(self) -> None:
        """Let somebody set up an authenticator app, sign out and sign in with a code and without."""
        browser = self.sign_in(CAREFUL)
        self.secrets |= plant_second_factor(browser, self.environment.portal_url)
        browser.submit("/accounts/logout/", "/account/")
        browser.sign_in(CAREFUL, self.passwords[CAREFUL])
        challenge = "/accounts/2fa/authenticate/"
        browser.submit(challenge, challenge, code="000000")
        browser.submit(challenge, challenge, code=self.secrets["recovery code 0"])

    def take_a_candidate_through(self) -> None:
        """Move a candidate into the stage and let them pass; return when the feedback is written."""
        self.environment.lever.act(
            "move", account=SLUG, opportunities=[self.opportunity_id], stage=STAGE_NAME
        )
        self._wait("SELECT 1 FROM integrations_invitation WHERE status = 'invited'")
        person = {
            "account": SLUG,
            "email": f"{CANDIDATE.lower()}@candidates.example",
            "assessment": ASSESSMENT,
        }
        for action, more in (("start", {}), ("submit", {}), ("evaluate", {"score": 82, "result": "Passed"})):
            self.environment.codescreen.act("candidate", **person, action=action, **more)
        self._wait("SELECT 1 FROM integrations_effect WHERE kind = 'write_feedback' AND state = 'done'")

    def _wait(self, query: str) -> None:
        deadline = time.monotonic() + STEP_SECONDS
        while not self.rows(query):
            assert time.monotonic() < deadline, f"{query}\n{self.log.read_text()[-6000:]}"
            time.sleep(0.3)

    @property
    def opportunity_id(self) -> str:
        """The candidate's id in Lever."""
        return stable_id(SLUG, "opportunity", CANDIDATE)

    def _webhook_key(self) -> str:
        return str(self.rows("SELECT webhook_key FROM integrations_organization")[0][0])

    # what is searched

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query of the database finds."""
        address = f"file:{self.folder / 'demo.sqlite3'}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=30)) as database:
            return database.execute(query).fetchall()

    def values(self) -> Iterator[tuple[str, str]]:
        """Yield every value of every table, with table and column."""
        for (table,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
            columns = [row[1] for row in self.rows(f"PRAGMA table_xinfo('{table}')")]
            for row in self.rows(f"SELECT * FROM '{table}'"):
                for column, value in zip(columns, row, strict=True):
                    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    yield f"{table}.{column}", text

    def learn_encrypted_secrets(self) -> int:
        """Add everything that is stored encrypted to the secrets to look for; return how many there are."""
        count = 0
        for column in encrypted_fields():
            primary = str(column.model._meta.pk.column)
            names = ", ".join((primary, str(column.column), *column.bound_to))
            bound_to: list[Any] = [column.model._meta.get_field(name) for name in column.bound_to]
            for key, text, *values in self.rows(f"SELECT {names} FROM {column.model._meta.db_table}"):
                if text:
                    row = [field.to_python(value) for field, value in zip(bound_to, values, strict=True)]
                    with override_settings(FIELD_ENCRYPTION_KEYS=[self.encryption_key]):
                        name = f"{column.model._meta.db_table}.{column.column} {key}"
                        self.secrets[name] = decrypt(text, context=column.context(*row))
                    count += 1
        return count


def spellings(secret: str) -> list[str]:
    """Return how a secret may stand in a text: as it is, quoted, escaped, in base64 and in hexadecimals."""
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return [
        secret,
        quote(secret, safe=""),
        secret.encode().hex(),
        encoded[:-2],
        encoded[:-2].replace("+", "-"),
    ]


def found_in(text: str, known: Mapping[str, str]) -> set[str]:
    """Return the names of the secrets that stand in a text."""
    return {name for name, secret in known.items() if any(spelling in text for spelling in spellings(secret))}
