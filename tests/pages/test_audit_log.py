"""The audit log: filters, pages, masking and export, for the own organization only."""

import csv
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from integrations.audit.models.chain import ChainHead
from integrations.audit.models.entry import AuditAction, AuditTarget, TargetKind
from integrations.audit.record import audit
from integrations.catalog.models import RoleMapping
from integrations.pages import audit_log
from tests.support import append_only, factories
from tests.support.factories import recorded
from tests.support.page_text import text

AUDIT = "/audit/"


@pytest.fixture
def entries(organization, super_admin):
    action = AuditAction
    acme = AuditTarget(TargetKind.ORGANIZATION, organization.pk, "Acme", organization.pk)
    changes = {"bulk_limit": (50, 7), "paused": (False, True)}
    audit(acme, super_admin, action.CHANGE_POLICIES, changes)
    connection = AuditTarget(TargetKind.CODESCREEN_CONNECTION, 1, "CodeScreen connection", organization.pk)
    audit(connection, "configure", action.SAVE_CONNECTION, {"api_key": ("", "very-secret")})
    somebody = AuditTarget(TargetKind.MEMBER, 1, "somebody", organization.pk)
    audit(somebody, super_admin, action.CHANGE_ROLE, {"role": ("admin", "team_member")})
    invitation = AuditTarget(TargetKind.INVITATION, 5, "invitation 5", organization.pk)
    audit(invitation, super_admin, action.CANCEL_INVITATION, reason="=cmd|' /C calc'!A0")
    other = factories.OrganizationFactory.create()
    theirs = AuditTarget(TargetKind.ORGANIZATION, 0, "theirs", other.pk)
    audit(theirs, "their person", action.CHANGE_ORGANIZATION)


def test_whether_the_log_is_whole_is_said_at_a_click(super_admin_client, entries, monkeypatch):
    page = text(super_admin_client.get(AUDIT))
    assert 'href="?check#proof"' in page
    assert "Whole:" not in page
    assert "Whole: " in text(super_admin_client.get(f"{AUDIT}?check"))
    assert "Whole: " not in text(super_admin_client.get(f"{AUDIT}?check&page=1")), "a page is only turned"
    monkeypatch.setattr(audit_log, "MOST_CHECKED", 1)
    long = text(super_admin_client.get(f"{AUDIT}?check"))
    assert "Whole: " not in long
    assert "too long for a page" in long
    monkeypatch.undo()
    append_only.overwrite(recorded().filter(action=AuditAction.CHANGE_ROLE), actor_name="else")
    assert "Not whole: " in text(super_admin_client.get(f"{AUDIT}?check"))
    ChainHead.objects.all().delete()
    assert "Not whole: " in text(super_admin_client.get(f"{AUDIT}?check")), "also where the head is gone"


def export(client, query: str = "") -> list[list[str]]:
    answer = client.get(reverse("audit-export") + query)
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.reader(answer.getvalue().decode("utf-8-sig").splitlines()))


def test_entries_show_both_values_and_no_secret(organization_admin_client, entries):
    page = text(organization_admin_client.get(AUDIT))
    assert "<del>50</del>" in page
    assert "<del>Admin</del>" in page
    assert "very-secret" not in page
    assert "theirs" not in page
    assert "their person" not in page, "the filter has the organization's own people"


def test_people_and_candidates_are_named_with_links(organization_admin_client, organization, super_admin):
    super_admin.first_name, super_admin.last_name = "Super", "Admin"
    super_admin.save()
    candidate = factories.CandidateFactory.create(organization=organization, name="Candidate Birch")
    invitation = factories.InvitationFactory.create(
        organization=organization, opportunity_id=candidate.opportunity_id
    )
    audit(invitation, super_admin, AuditAction.APPROVE, {"status": ("held", "pending")})
    kept, gone = (
        RoleMapping.objects.create(organization=organization, role=role, assessment="Backend")
        for role in ("Engineer", "Designer")
    )
    for mapping in (kept, gone):
        audit(mapping, super_admin, AuditAction.CHANGE_MAPPING)
    gone.delete()
    page = organization_admin_client.get(AUDIT)
    shown = [(row.entry.who, row.about, row.url) for row in page.context["rows"][:3]]
    assert shown == [
        ("Super Admin", str(gone), ""),
        ("Super Admin", str(kept), reverse("mapping-edit", args=[kept.pk])),
        ("Super Admin", "Candidate Birch", reverse("candidate", args=[candidate.opportunity_id])),
    ]
    assert "<del>On hold</del>" in text(page)
    approval = next(row for row in export(organization_admin_client) if "approved" in row[2])
    assert approval[1:7] == [
        "Super Admin",
        "approved the invitation",
        "Candidate Birch",
        "status",
        "On hold",
        "Waiting to be sent",
    ]


def test_it_is_filtered_by_person_action_and_date(organization_admin_client, entries, super_admin):
    def rows(query: str) -> int:
        return len(organization_admin_client.get(AUDIT + query).context["rows"])

    assert rows("") == 5
    assert rows("?person=configure") == 2
    assert rows("?action=change_role") == 1
    refusal = recorded().filter(action="cancel_invitation")
    append_only.overwrite(refusal, at=datetime(2026, 1, 31, tzinfo=UTC))
    assert rows("?until=2026-01-31") == 1
    assert rows("?until=2026-01-30") == 0
    assert rows("?since=2026-01-31") == 5
    assert rows("?since=2026-02-01") == 4
    assert rows("?since=nonsense&until=2026-99-99") == 5
    # there the first day of all years begins before them
    organization_admin_client.cookies["time_zone"] = "Europe/Berlin"
    assert rows("?since=0001-01-01&until=9999-12-31") == 5


def test_a_long_log_is_paginated_and_exported_whole_a_line_per_change_without_formulas(
    organization_admin_client, entries, monkeypatch
):
    monkeypatch.setattr(audit_log, "PAGE_SIZE", 2)
    assert "Page 1 of 3" in text(organization_admin_client.get(AUDIT))
    rows = export(organization_admin_client)
    assert rows[0][:4] == ["when (UTC)", "who", "action", "target"]
    assert [row[4:7] for row in rows if row[2] == "changed the rules"] == [
        ["bulk_limit", "50", "7"],
        ["paused", "no", "yes"],
    ]
    assert next(row for row in rows if row[2] == "cancelled the invitation")[7] == "'=cmd|' /C calc'!A0"
    assert "very-secret" not in str(rows)
    assert "theirs" not in str(rows)
    assert len(export(organization_admin_client, "?action=change_role")) == 2


def test_a_log_too_long_for_one_file_is_to_be_exported_in_parts(super_admin_client, entries, monkeypatch):
    monkeypatch.setattr("integrations.pages.views.MOST_CHARACTERS", 10)
    answer = super_admin_client.get("/audit/export/?since=2020-01-01", follow=True)
    assert answer.redirect_chain == [("/audit/?since=2020-01-01", 302)]
    assert "Export it in parts" in answer.content.decode()
    assert not recorded().filter(action="export_list").exists()
