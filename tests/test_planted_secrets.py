"""The main job with recognizable secrets of every kind, then a search for them wherever the portal writes or answers.

Not searched is the environment of the processes: that is how an operator gives the secrets, and Linux shows it to the
same user alone. The few places that hold a secret on purpose are listed with the reason.
"""

import re
import shutil
from collections.abc import Iterator, Sequence

import pytest
import requests

from portal.devtools.demo.provisioning import BrowserSession
from tests.support.planted import (
    OPERATOR,
    PEOPLE,
    ROLES,
    PlantedPortal,
    found_in,
)

pytestmark = pytest.mark.slow

#: Columns that hold a secret on purpose, with the secrets they may hold.
IN_THE_DATABASE = {
    # looked up at every webhook; a person who reads the database has the webhooks' bodies as well
    "integrations_organization.webhook_key": {"webhook key"},
    "integrations_organization.previous_webhook_key": {"former webhook key"},
    # the address as Lever has it
    "integrations_leverwebhook.url": {"webhook key", "former webhook key"},
    # Django's sessions are found by their keys; a stolen database lets its reader act as who is signed in
    "django_session.session_key": {f"session of {name}" for name in PEOPLE},
    "usersessions_usersession.session_key": {f"session of {name}" for name in PEOPLE},
}
#: Pages that show a secret on purpose, who sees it, and why.
ON_PAGES = {
    # a Super Admin copies the address into Lever
    ("super_admin", "/settings/"): {"webhook key"},
    ("super_admin", "/"): {"webhook key"},
}
EXPORTS = ("deliveries", "invitations", "results", "effects", "calls", "verdicts", "audit")
#: Where a visitor begins; the files are linked to by forms alone.
FIRST_PAGES = (
    "/",
    "/settings/",
    "/settings/notifications/",
    "/account/",
    "/activity/",
    "/candidates/export/",
    "/reports/export/",
    "/audit/export/",
)
MOST_PAGES = 160
#: Those of second factors are known when they are set up.
FEWEST_ENCRYPTED = 8


@pytest.fixture(scope="module")
def portal() -> Iterator[PlantedPortal]:
    """A portal after the main job, still running."""
    planted = PlantedPortal()
    try:
        planted.start()
        planted.connect()
        planted.set_up_a_second_factor()
        planted.take_a_candidate_through()
        assert planted.learn_encrypted_secrets() >= FEWEST_ENCRYPTED
        yield planted
    finally:
        planted.stop()
        shutil.rmtree(planted.folder, ignore_errors=True)


def pages_of(
    portal: PlantedPortal, browser: BrowserSession, first: Sequence[str], below: str = "/"
) -> Iterator[tuple[str, str]]:
    """Yield every page that can be reached by links from the first, with its path, its headers and its body."""
    todo, seen = list(first), set[str]()
    while todo and len(seen) < MOST_PAGES:
        path = todo.pop(0)
        if path in seen or "logout" in path:
            continue
        seen.add(path)
        answer = browser.open(portal.environment.portal_url + path)
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "set-cookie"}
        yield path, f"{headers}\n{answer.text}"
        links = re.findall(r'href="(/[^"#]*)', answer.text)
        todo += [link for link in links if link.startswith(below) and not link.startswith("/static/")]


def test_what_people_entered_is_stored_encrypted(portal):
    stored = [secret for name, secret in portal.secrets.items() if name.startswith("integrations_")]
    for name in ("Lever's API key", "CodeScreen's API key", "CodeScreen's webhook secret"):
        assert any(portal.secrets[name] in text for text in stored), name


def test_no_secret_is_on_a_page_for_any_role(portal):
    for role in ROLES:
        browser, count = portal.sign_in(role), 0
        for path, text in pages_of(portal, browser, [*FIRST_PAGES, f"/data/{portal.opportunity_id}/"]):
            count += 1
            assert found_in(text, portal.secrets) <= ON_PAGES.get((role, path), set()), (role, path)
        assert count >= 12, role


def test_no_secret_is_on_a_page_of_the_admin(portal):
    browser = portal.sign_in(OPERATOR)
    pages = dict(pages_of(portal, browser, ["/admin/"], below="/admin/"))
    lists = [path for path in pages if re.fullmatch(r"/admin/integrations/\w+/", path)]
    assert len(lists) >= 25
    for path, text in pages.items():
        assert found_in(text, portal.secrets) == set(), path


def test_no_secret_is_in_the_answer_to_a_request_that_fails(portal):
    url, key = portal.environment.portal_url, portal.secrets["webhook key"]
    wrong = {"username": "super_admin", "password": portal.secrets["password of admin"]}
    bearer = {"Authorization": f"Bearer {portal.secrets['METRICS_TOKEN']}"}
    signed_in = portal.sign_in("team_member")
    complete = f"{url}/oauth/complete/lever/?code={portal.secrets["OAuth's code"]}&state=x"
    answers = [
        requests.get(f"{url}/webhooks/lever/{key}/", timeout=60),
        requests.post(f"{url}/webhooks/lever/{key}/", data="{", timeout=60),
        requests.post(f"{url}/webhooks/lever/{key}/", json={"token": key}, timeout=60),
        requests.post(f"{url}/webhooks/codescreen/{key}/", json={"a": key}, timeout=60),
        requests.post(f"{url}/webhooks/lever/{key}x/", json={}, timeout=60),
        requests.get(f"{url}/nothing/{key}/", timeout=60),
        requests.post(f"{url}/accounts/login/", data=wrong, timeout=60),
        requests.get(f"{url}/accounts/login/", headers={"Host": "evil.example"}, timeout=60),
        requests.get(f"{url}/metrics", headers={"Authorization": "Bearer wrong"}, timeout=60),
        requests.get(f"{url}/metrics", headers=bearer, timeout=60),
        requests.get(f"{url}/healthz/ready", timeout=60),
        requests.get(f"{url}/healthz/work", timeout=60),
        signed_in.open(complete),
        signed_in.open(f"{url}/settings/webhooks/address/1/end/"),
    ]
    for answer in answers:
        text = f"{answer.headers}\n{answer.text}".replace(answer.url, "")
        assert found_in(text, portal.secrets) - {"session of team_member"} == set(), answer.url


def test_no_secret_is_in_an_export_or_the_output_of_a_command(portal):
    commands = [f"export {kind} acme" for kind in EXPORTS]
    commands += ["export_config acme", "doctor --json", "check", "rotate_keys", "verify_audit"]
    output = portal.run_commands(*commands)
    assert [line for line in commands if f"ran {line}\n" not in output] == []
    assert "Traceback" not in output
    assert '"opportunity_id"' in output
    wrong = {line: found for line in output.splitlines() if (found := found_in(line, portal.secrets))}
    assert wrong == {}


def test_no_secret_is_in_a_column_of_the_database(portal):
    places: dict[str, set[str]] = {}
    for where, text in portal.values():
        if found := found_in(text, portal.secrets):
            places.setdefault(where, set()).update(found)
    unexpected = {where: found - IN_THE_DATABASE.get(where, set()) for where, found in places.items()}
    assert {where: found for where, found in unexpected.items() if found} == {}
    assert "integrations_organization.webhook_key" in places  # the search does find what is there


def test_no_secret_is_in_the_arguments_of_a_process(portal):
    arguments = portal.process_arguments()
    assert "portal.process.supervisor" in arguments
    assert "qcluster" in arguments
    assert found_in(arguments, portal.secrets) == set()


def test_no_secret_is_in_the_log_at_its_most_detailed(portal):
    log = portal.log.read_text()
    assert " INFO " in log
    lines = {name: line for line in log.splitlines() for name in found_in(line, portal.secrets)}
    assert lines == {}
