"""A portal that serves as an operator runs it, with secrets of every kind that a test can look for."""

import base64
import os
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
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from portal.devtools.chaos.serve import descendants
from portal.devtools.demo.browser_session import BrowserSession
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.demo.provisioning import STAGE_NAME
from portal.devtools.sandbox.ids import stable_id
from portal.devtools.waiting import wait_for_url

ROLES = ("super_admin", "admin", "team_member", "limited_team_member")
SLUG, ASSESSMENT, CANDIDATE = "acme", "Backend", "Alder"
STEP_SECONDS = 90.0


class PlantedPortal:
    """The portal with its workers and the sandbox as processes; `secrets` grows as more become known."""

    def __init__(self) -> None:
        self.environment = DemoEnvironment.create("planted")
        self.folder = self.environment.folder
        self.log = self.folder / "serve.log"
        self.passwords = {role: f"Planted-{role}-{secrets.token_hex(8)}" for role in ROLES}
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
            "METRICS_ENABLED": "True",
            "ALLOW_PRIVATE_ADDRESSES": "True",  # for an address of alerts at which nothing listens
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
        self.run_manage("configure", self._organization_file())
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

    def run_manage(self, *arguments: str) -> str:
        """Run a command; return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
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
            f'[[members]]\nusername = "{role}"\nemail = "{role}@{SLUG}.example"\nrole = "{role}"\n'
            f'password = "{password}"\n'
            for role, password in self.passwords.items()
        )
        path.write_text(
            f'[organization]\nname = "Acme"\nslug = "{SLUG}"\n{members}'
            f'[codescreen]\napi_key = "{self.secrets["CodeScreen's API key"]}"\n'
            f'webhook_secret = "{self.webhook_secret}"\n'
        )
        return str(path)

    # the main job

    def sign_in(self, role: str) -> requests.Session:
        """Sign a member in; return the browser's cookies and connections."""
        browser = BrowserSession(self.environment.portal_url)
        browser.sign_in(role, self.passwords[role])
        session = browser._http
        for cookie in session.cookies:
            if "session" in cookie.name:
                self.secrets[f"session of {role}"] = str(cookie.value)
        return session

    def connect(self) -> None:
        """Consent in Lever, let the portal make its webhook, store a token by hand, replace the webhook address."""
        browser, lever = BrowserSession(self.environment.portal_url), self.environment.lever
        browser.sign_in("super_admin", self.passwords["super_admin"])
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
        browser.submit("/settings/webhooks/address/", "/settings/", overlap_days="7")
        self.secrets["webhook key"] = self._webhook_key()
        requests.post(address, json={"signature": "x", "token": "y", "triggeredAt": 1}, timeout=10)
        self._add_alert_address(browser)
        self.environment.codescreen.act(
            "settings",
            account=SLUG,
            webhook_url=f"{self.environment.portal_url}/webhooks/codescreen/{self._webhook_key()}/",
            webhook_secret=self.webhook_secret,
        )

    def _add_alert_address(self, browser: BrowserSession) -> None:
        page = "/settings/alerts/"
        self.secrets["path of the alert address"] = f"alerts{secrets.token_hex(12)}"
        url = f"https://127.0.0.1:9/{self.secrets['path of the alert address']}"  # nothing listens there
        answer = browser.submit(page, page, name="Program", kind="signed", url=url, wants_results="on")
        assert "whsec_" in answer.text
        browser.submit("/settings/alerts/1/test/", page)

    def take_a_candidate_through(self) -> None:
        """Move a candidate into the stage and let them pass; return when the feedback is written."""
        opportunity = stable_id(SLUG, "opportunity", CANDIDATE)
        self.environment.lever.act("move", account=SLUG, opportunities=[opportunity], stage=STAGE_NAME)
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
        fernet, count = Fernet(self.encryption_key), 0
        for where, text in self.values():
            if text.startswith("gAAAA"):
                try:
                    self.secrets[f"{where} {count}"] = fernet.decrypt(text.encode()).decode()
                except InvalidToken:
                    continue
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
