"""Every page that changes something writes exactly one audit entry."""

import pytest
from django.urls import URLPattern, reverse

from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.catalog.models import RoleMapping
from integrations.pages import urls as page_urls
from portal.accounts import urls as account_urls
from tests.audit_trail.conftest import SECRETS, entry_written_by, ok
from tests.audit_trail.page_acts import MAPPED, PAGE_ACTS, PEOPLE_ACTS
from tests.support import factories
from tests.support.factories import recorded

HELP_PAGES = ("", "-set-up", "-results", "-team")

#: Addresses that only show something, or read the platforms' lists again.
NOT_AUDITED = {
    "login",  # leads to the page
    "account",
    "notifications",  # leads to the page
    "overview",
    "switch-organization",
    "lever-key",  # asks Lever; the next page stores it
    "audit",
    "mapping-list",
    "mapping-refresh",
    "activity",
    "candidate",
    "candidate-data",  # its entry is tested with the page
    "preview",
    "candidates-take-over",  # its entry is tested in tests/invitations/test_take_over.py
    "health",
    "member-link",  # shows
    *(f"help{page}" for page in HELP_PAGES),
    "report",
}
#: What begins the names of addresses about a person's account; tests/portal/accounts has their entries.
OF_ACCOUNTS = ("account_", "mfa_", "usersessions_", "openid_connect_")


PAGES = PAGE_ACTS | PEOPLE_ACTS
#: Pages whose entries have no changes.
WITHOUT_CHANGES = {
    "webhooks-remove",
    "token-retire",
    "ask",
    "pending-member",
}


def test_every_address_is_tested_or_listed_as_changing_nothing():
    tested = {name.partition(":")[0] for name in PAGES}
    patterns = [*page_urls.urlpatterns, *account_urls.urlpatterns]
    names = {pattern.name or "" for pattern in patterns if isinstance(pattern, URLPattern)}
    assert tested | NOT_AUDITED == {name for name in names if not name.startswith(OF_ACCOUNTS)}
    assert not tested & NOT_AUDITED


@pytest.mark.parametrize("name", PAGES)
def test_a_page_writes_one_entry_with_actor_and_changes(scene, name):
    entry = entry_written_by(PAGES[name](scene))
    assert (entry.organization, entry.actor) == (scene.organization, scene.owner)
    assert entry.actor_name == str(scene.owner)
    assert bool(entry.changes) is (name not in WITHOUT_CHANGES)
    for value in entry.changes.values():
        before, after = value
        assert before != after or [before, after] == ["set", "set"]
    if name.startswith("invitation"):
        assert entry.reason == "because"


@pytest.mark.parametrize("name", ["rules", "emails-choose", "mapping-edit", "settings"])
def test_saving_unchanged_values_writes_no_entry(scene, name):
    entry_written_by(PAGES[name](scene))
    again = {
        "rules": lambda: scene.post("rules", {"note_on_skip": "on"}),
        "emails-choose": lambda: scene.post("emails-choose", {"results": "on"}),
        "mapping-edit": lambda: scene.post("mapping-edit", MAPPED, pk=RoleMapping.objects.get().pk),
        "settings": lambda: scene.post("settings", {"lever_signature_token": SECRETS[0]}),
    }
    count = AuditEntry.objects.count()
    again[name]()
    assert AuditEntry.objects.count() == count


def test_connecting_lever_writes_an_entry_of_its_own_and_one_for_each_webhook(
    super_admin_client, super_admin, organization, sandbox
):
    begun = super_admin_client.post(reverse("lever-connect"))
    accepted = sandbox.lever_does("consent", url=begun["Location"])
    before = set(AuditEntry.objects.values_list("pk", flat=True))
    ok(super_admin_client.get(accepted["redirect"].removeprefix("http://testserver")))
    entries = AuditEntry.objects.exclude(pk__in=before).order_by("pk")
    assert [entry.action for entry in entries] == ["connect", "make_webhook", "make_webhook"]
    assert {(entry.actor, entry.organization) for entry in entries} == {(super_admin, organization)}


# taking out everybody's names and addresses leaves a trace, which names nobody


@pytest.mark.parametrize(
    ("address", "name", "lines"),
    [
        ("/candidates/export/", "candidates", 1),
        ("/candidates/export/?q=Alder", "candidates", 1),
        ("/audit/export/", "audit log", 4),
        ("/reports/export/", "report", 0),
    ],
)
def test_an_export_is_recorded_with_what_and_how_many(super_admin_client, super_admin, address, name, lines):
    organization = super_admin.memberships.get().organization
    factories.CandidateFactory.create(organization=organization, name="Alder Grey", email="alder@x.example")
    answer = super_admin_client.get(address)
    assert answer.getvalue().count(b"\r\n") > lines
    entry = recorded().get()
    assert (entry.action, entry.actor) == (AuditAction.EXPORT_LIST, super_admin)
    assert (entry.changes["list"][1], entry.changes["lines"][1]) == (name, lines)
    assert "Alder" not in str(entry.changes)
