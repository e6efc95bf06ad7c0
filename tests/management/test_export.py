"""`export`: the rows of each kind as JSON, line by line."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone

from integrations.audit.models.entry import AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.audit.record import audit
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from tests.management.conftest import printed_by
from tests.support import factories
from tests.support.factories import recorded


def rows(*arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in printed_by("export", *arguments).splitlines()]


def test_export_deliveries(acme: Organization, delivery: Delivery, invitation: Invitation) -> None:
    Delivery.objects.update(opportunity_id="")
    open_row = rows("deliveries", "acme")[0]
    assert set(open_row) >= {"id", "platform", "event", "received_at"}
    for key in ("decided_at", "verdict", "explanation", "invitation_id", "opportunity_id"):
        assert open_row[key] is None
    assert datetime.fromisoformat(str(open_row["received_at"])).tzinfo is not None
    Delivery.objects.update(
        verdict="invite",
        explanation="“é”",
        decided_at=timezone.now(),
        invitation=invitation,
        opportunity_id="o",
    )
    row = rows("deliveries", "acme")[0]
    assert (row["verdict"], row["explanation"], row["invitation_id"]) == ("invite", "“é”", invitation.pk)


def test_export_audit(acme: Organization) -> None:
    target = AuditTarget(TargetKind.ORGANIZATION, acme.pk, "Åcme")
    audit(
        target, "configure", AuditAction.CHANGE_POLICIES, {"paused": (False, True)}, "“é”", organization=acme
    )
    audit(target, "configure", AuditAction.CHANGE_POLICIES, organization=None)
    [_, row] = rows("audit", "acme")
    entry = recorded().get(organization=acme)
    assert row == {
        "id": entry.pk,
        "at": entry.at.isoformat(),
        "actor": "configure",
        "action": "change_policies",
        "target": "Åcme",
        "changes": {"paused": [False, True]},
        "reason": "“é”",
        "position": 2,
        "hash": entry.hash,
    }
    AuditEntry.objects.filter(pk=entry.pk).erase_text()
    [_, row] = rows("audit", "acme")
    assert (row["target"], row["changes"], row["reason"], row["hash"]) == (None, None, None, entry.hash)


def test_export_effects(acme: Organization) -> None:
    later = timezone.now() + timedelta(hours=1)
    states: dict[str, dict[str, Any]] = {
        "due": {"due_at": later},
        "leased": {"leased_until": later, "lease_owner": "somebody"},
        "failed": {"state": "failed", "due_at": None, "last_error": "Lever answered 400"},
    }
    for key, values in states.items():
        Effect.objects.create(organization=acme, kind="leave_note", key=key, **values)
    found = rows("effects", "acme")
    assert [row["state"] for row in found] == ["due", "leased", "failed"]
    assert datetime.fromisoformat(str(found[0]["next_attempt_at"])) == later
    assert [row["last_error"] for row in found] == [None, None, "Lever answered 400"]
    assert found[2]["next_attempt_at"] is None


def test_export_calls_of_one_organization_since_a_date(acme: Organization) -> None:
    globex = Organization.objects.create(name="Globex", slug="globex")
    for organization, day in ((acme, 1), (acme, 3), (globex, 3)):
        factories.ApiCallFactory.create(
            organization=organization,
            path=f"/stages/{day}",
            at=datetime(2027, 1, day, 12, tzinfo=UTC),
        )
    found = rows("calls", "acme")
    assert [row["path"] for row in found] == ["/stages/1", "/stages/3"]
    assert found[0]["status"] is None
    assert not {"request_body", "response_body"} & set(found[0])
    for since in ("2027-01-02", "2027-01-03T12:00:00", "2027-01-03T13:00:00+01:00"):
        assert [row["path"] for row in rows("calls", "acme", "--since", since)] == ["/stages/3"]
    for since in ("yesterday", "2027-13-01", "9999-12-31T23:59:59-14:00", ""):
        with pytest.raises(CommandError, match="is no date"):
            rows("calls", "acme", "--since", since)
    with pytest.raises(CommandError):
        rows("nothing", "acme")
