"""The audit log in the admin: changes in words, the subjects that it is filtered by, and the check of the log."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.admin import audit_log
from integrations.admin.audit_log import changes_line, changes_table, target_link
from integrations.audit import verification
from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.members.models.membership import Membership
from tests.admin.conftest import Customer, sign_in
from tests.support import append_only, factories
from tests.support.factories import recorded


def entry(customer: Customer, changes: dict[str, tuple[object, object]]) -> AuditEntry:
    target = AuditTarget(TargetKind.INVITATION, 14, "invitation 14")
    audit(target, "configure", AuditAction.CHANGE_POLICIES, changes, organization=customer.organization)
    return AuditEntry.objects.latest("pk")


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [("", "one", "stored"), ("one", "two", "replaced"), ("one", "", "removed"), ("", "", "none, as before")],
)
def test_a_secret_says_what_happened_to_it(acme: Customer, before: str, after: str, what: str) -> None:
    found = entry(acme, {"api_key": (before, after)})
    assert changes_line(found) == f"API key: {what}"
    table = changes_table(found)
    assert f"The secret was {what}. Its value isn&#x27;t kept in this log." in table
    assert "set" not in table


def test_each_field_is_shown_from_what_to_what(acme: Customer) -> None:
    found = entry(acme, {"bulk_limit": (50, 7), "paused": (False, True), "note": ("", "<b>")})
    assert changes_line(found) == "Bulk limit: 50 → 7 · Note: nothing → <b> · Paused: no → yes"
    assert '<th scope="row">Bulk limit</th><td>50</td><td>7</td>' in changes_table(found)
    assert "&lt;b&gt;" in changes_table(found)


def test_of_a_field_that_holds_several_only_those_that_differ_are_shown(acme: Customer) -> None:
    found = entry(acme, {"values": ({"a": 1, "b": 2}, {"a": 1, "b": 3})})
    assert changes_line(found) == "Values: b: 2 → 3"


def test_a_value_of_a_secret_field_that_is_no_mask_is_shown_as_it_is(acme: Customer) -> None:
    found = entry(acme, {"tokens": (["a"], ["a", "b"])})
    assert changes_line(found) == "Tokens: a → a, b"


def test_the_row_that_an_entry_is_about_is_a_link(acme: Customer) -> None:
    assert (
        target_link(entry(acme, {}))
        == '<a href="/admin/integrations/invitation/14/change/">invitation 14</a>'
    )


def test_an_erased_entry_says_so(acme: Customer) -> None:
    found = entry(acme, {"note": ("", "about somebody")})
    AuditEntry.objects.filter(pk=found.pk).erase_text()
    assert changes_table(AuditEntry.objects.get(pk=found.pk)).startswith("Erased")


_A = AuditAction
#: What people do with their own accounts, and what changes nothing: found by its name, or by who did it.
IN_NO_GROUP = {
    _A.SIGN_IN,
    _A.SIGN_OUT,
    _A.ADD_ACCOUNT,
    _A.CHANGE_ACCOUNT,
    _A.CHANGE_PASSWORD,
    _A.RESET_PASSWORD,
    _A.END_SESSIONS,
    _A.ADD_SECOND_FACTOR,
    _A.REMOVE_SECOND_FACTOR,
    _A.RESET_SECOND_FACTOR,
    _A.MAKE_RECOVERY_CODES,
    _A.USE_RECOVERY_CODE,
    _A.BIND_IDENTITY,
    _A.UNBIND_IDENTITY,
    _A.CHOOSE_EMAILS,
    _A.CHOOSE_OWN_CANDIDATES,
    _A.ASK_ADMINS,
    _A.VERIFY_LOG,
    _A.RENEW_SEAL,
    _A.SEAL_ANEW,
    _A.RECORD_RESTORE,
}


def test_every_action_has_a_subject_or_is_known_to_have_none() -> None:
    assert {action for action in AuditAction if action.record.subject is None} == IN_NO_GROUP


LOG = "admin:log"


def check(client, customer: Customer) -> str:
    answer = client.post(reverse(LOG), {"organization": customer.organization.slug})
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def test_a_whole_log_is_said_to_be_whole_and_the_check_is_recorded(acme: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    assert "Never" in client.get(reverse(LOG)).content.decode()
    assert "Whole: 3 positions, none changed, removed or added." in check(client, acme)
    entry = recorded().get(action="verify_log")
    assert entry.changes["result"][1].startswith("Whole: 3 positions")
    assert "Whole: 3 positions" in client.get(reverse(LOG)).content.decode()


def test_an_edited_row_is_named(acme: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    append_only.overwrite(recorded().filter(organization=acme.organization), actor_name="nobody")
    text = check(client, acme)
    assert "Not whole: 1" in text
    assert "its columns, its position or its hashes were changed" in text


def test_a_check_that_runs_out_of_time_says_how_far_it_came(
    acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    monkeypatch.setattr(audit_log, "CHECKED_FOR", timedelta(0))
    monkeypatch.setattr(verification, "LOOKS_AT_CLOCK", 2)
    text = check(client, acme)
    assert "Whole up to position 1. The rest was not checked in time." in text
    assert "verify_audit" in text


def test_the_page_needs_as_many_queries_for_many_organizations(
    acme: Customer, globex: Customer, django_assert_max_num_queries
) -> None:
    client = sign_in(None, is_superuser=True)
    for customer in (acme, globex):
        check(client, customer)
    with CaptureQueriesContext(connection) as of_two:
        text = client.get(reverse(LOG)).content.decode()
    assert text.count("Whole: 3 positions") == 2
    factories.OrganizationFactory.create_batch(5)
    with django_assert_max_num_queries(len(of_two)):
        client.get(reverse(LOG))


def test_few_of_many_faults_are_shown(acme: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    AuditEntry.objects.create(organization=acme.organization, actor_name="configure", action="replay")
    append_only.overwrite(recorded().filter(organization=acme.organization), actor_name="nobody")
    monkeypatch.setattr(audit_log, "SHOWN_FAULTS", 1)
    text = check(client, acme)
    assert "Not whole: 2" in text
    assert text.count("its columns, its position or its hashes were changed") == 1


def test_only_ones_own_logs_are_shown_and_checked(acme: Customer, globex: Customer) -> None:
    client = sign_in(Membership.Role.TEAM_MEMBER, acme)
    assert "Globex" not in client.get(reverse(LOG)).content.decode()
    for slug in ("globex", "", "nothing"):
        assert client.post(reverse(LOG), {"organization": slug}).status_code == 403
    assert not recorded().filter(action="verify_log").exists()


def test_an_operator_checks_the_log_of_the_whole_portal(acme: Customer) -> None:
    client = sign_in(None, is_superuser=True)
    text = client.post(reverse(LOG), {"organization": ""}).content.decode()
    assert "The whole portal" in text
    assert recorded().get(action="verify_log").organization is None
