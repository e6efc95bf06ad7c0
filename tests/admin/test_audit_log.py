"""The audit log in the admin: changes in words, the subjects that it is filtered by, and the check of the log."""

import pytest
from django.urls import reverse

from integrations.admin.audit_log import changes_line, changes_table
from integrations.audit.models.entry import AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.audit.record import audit
from integrations.catalog.models import RoleMapping
from tests.admin.conftest import Customer, sign_in


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


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        # only those that differ, where a field holds several
        ({"values": ({"a": 1, "b": 2}, {"a": 1, "b": 3})}, "Values: b: 2 → 3"),
        # a secret field whose value is no mask
        ({"tokens": (["a"], ["a", "b"])}, "Tokens: a → a, b"),
    ],
)
def test_a_change_is_one_line(acme: Customer, changes: dict[str, tuple[object, object]], line: str) -> None:
    assert changes_line(entry(acme, changes)) == line


def test_the_row_that_an_entry_is_about_is_a_link_while_it_is_there(acme: Customer) -> None:
    mapping = acme.rows[RoleMapping]
    audit(mapping, "configure", AuditAction.CHANGE_MAPPING)
    client, log = sign_in("super_admin", acme), reverse("admin:integrations_auditentry_changelist")
    link = f'<a href="{reverse("admin:integrations_rolemapping_change", args=[mapping.pk])}">{mapping}</a>'
    assert link in client.get(log).content.decode()
    mapping.delete()
    page = client.get(log).content.decode()
    assert link not in page
    assert str(mapping) in page


def test_an_erased_entry_says_so(acme: Customer) -> None:
    found = entry(acme, {"note": ("", "about somebody")})
    AuditEntry.objects.filter(pk=found.pk).erase_text()
    assert changes_table(AuditEntry.objects.get(pk=found.pk)).startswith("Erased")
