"""The operators' commands: their output and their errors."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from integrations.http.errors import PlatformError
from integrations.models import (
    ApiCall,
    AuditAction,
    AuditEntry,
    AuditTarget,
    Delivery,
    Effect,
    Invitation,
    Organization,
    Result,
    TargetKind,
)
from integrations.queue import on_request
from integrations.vocabulary import VerdictCode
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.rules.facts import Decision

ROOT = Path(__file__).parents[2]
STAGE_CHANGE = {"event": "candidateStageChange", "data": {"opportunityId": "o", "toStageId": "stage-1"}}


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def rows(*arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("export", *arguments).splitlines()]


@pytest.fixture
def acme(db) -> Organization:
    return Organization.objects.create(name="Acme", slug="acme")


@pytest.fixture
def invitation(acme: Organization) -> Invitation:
    return Invitation.objects.create(
        organization=acme,
        opportunity_id="opportunity-1",
        candidate_name="Candidate Alder",
        email="alder@candidates.example",
        assessment_id="backend",
        assessment_name="Backend",
        status="held",
    )


@pytest.fixture
def delivery(acme: Organization) -> Delivery:
    return Delivery.objects.create(
        organization=acme,
        platform="lever",
        event="candidateStageChange",
        dedupe_key="1",
        payload=STAGE_CHANGE,
    )


# doctor


def test_doctor_exits_1_when_there_is_an_error(acme: Organization) -> None:
    out = StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("doctor", "acme", "--json", stdout=out)
    assert caught.value.code == 1
    found = json.loads(out.getvalue())
    assert {"lever_not_connected"} <= {finding["code"] for finding in found}
    assert all(list(finding) == ["organization", "code", "level", "message", "fix"] for finding in found)
    assert {finding["organization"] for finding in found} == {"acme"}


def test_doctor_prints_the_address_of_the_page_with_the_fix(acme: Organization) -> None:
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", stdout=out, no_color=True)
    assert "acme: error lever_not_connected" in out.getvalue()
    assert "http://testserver/settings/" in out.getvalue()


def test_doctor_without_any_organization(db) -> None:
    assert "configure" in run("doctor")
    assert json.loads(run("doctor", "--json")) == []


@pytest.mark.parametrize(
    "arguments", [("doctor",), ("sweep",), ("poll",), ("export", "deliveries"), ("export_config",)]
)
def test_an_unknown_organization_is_an_error_with_suggestions(
    acme: Organization, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(CommandError, match=r"There is no organization 'acmee'\. Did you mean acme"):
        run(*arguments, "acmee")


# sweep, poll


def test_sweep_and_poll_print_a_count_per_organization(acme: Organization, monkeypatch) -> None:
    Organization.objects.create(name="Globex", slug="globex")
    counts = {"acme": 2, "globex": 0}
    asked = []

    def poll(organization: Organization, everything: bool) -> int:
        asked.append(everything)
        return counts[organization.slug]

    monkeypatch.setattr(on_request, "poll_organization", poll)
    monkeypatch.setattr(on_request, "sweep_organization", lambda organization: counts[organization.slug])
    assert run("sweep") == "repaired 2\nrepaired 0\n"
    assert run("sweep", "globex") == "repaired 0\n"
    assert run("poll") == "asked 2\nasked 0\n"
    assert run("poll", "acme", "--all") == "asked 2\n"
    assert asked == [False, False, True]


def test_one_organization_that_fails_does_not_stop_the_others(acme: Organization, monkeypatch) -> None:
    Organization.objects.create(name="Globex", slug="globex")

    def sweep(organization: Organization) -> int:
        if organization.slug == "acme":
            raise PlatformError("Lever isn't connected.")
        return 3

    monkeypatch.setattr(on_request, "sweep_organization", sweep)
    out = StringIO()
    with pytest.raises(CommandError, match="acme: Lever isn't connected"):
        call_command("sweep", stdout=out)
    assert out.getvalue() == "repaired 3\n"


# replay


def test_replay_prints_the_verdict(delivery: Delivery, monkeypatch) -> None:
    monkeypatch.setattr(
        on_request, "preview", lambda found: Decision(VerdictCode.NO_EMAIL, "There is no address.")
    )
    monkeypatch.setattr(
        on_request, "replay", lambda found, actor: Decision(VerdictCode.INVITE, f"Sent by {actor}.")
    )
    assert (
        run("replay", str(delivery.pk), "--dry-run")
        == "verdict: no_email\nexplanation: There is no address.\n"
    )
    assert run("replay", str(delivery.pk)) == "verdict: invite\nexplanation: Sent by replay.\n"


def test_replay_decides_the_stored_delivery(delivery: Delivery) -> None:
    assert run("replay", str(delivery.pk), "--dry-run").startswith("verdict: disconnected\n")
    delivery.refresh_from_db()
    assert delivery.verdict == ""
    assert run("replay", str(delivery.pk)).startswith("verdict: disconnected\n")
    delivery.refresh_from_db()
    assert delivery.verdict == "disconnected"
    assert AuditEntry.objects.get().actor_name == "replay"


def test_replay_explains_why_it_is_not_possible(delivery: Delivery, monkeypatch) -> None:
    with pytest.raises(CommandError, match="There is no delivery 999"):
        run("replay", "999")
    with pytest.raises(CommandError):
        run("replay", "one")

    def busy(found: Delivery, actor: str) -> Decision:
        raise ActionNotAllowed("A worker is deciding it.")

    monkeypatch.setattr(on_request, "replay", busy)
    with pytest.raises(CommandError, match="A worker is deciding it"):
        run("replay", str(delivery.pk))
    Delivery.objects.update(platform="codescreen")
    with pytest.raises(CommandError, match="Only Lever's"):
        run("replay", str(delivery.pk))


# approve, resolve


def test_approve_sends_a_held_invitation(invitation: Invitation) -> None:
    assert run("approve", str(invitation.pk), "--reason", "agreed") == f"approved {invitation.pk}\n"
    invitation.refresh_from_db()
    assert invitation.status == "pending"
    assert Effect.objects.get().kind == "send_invitation"
    assert AuditEntry.objects.get().reason == "agreed"
    with pytest.raises(CommandError, match=r"is pending\. Only a held invitation"):
        run("approve", str(invitation.pk))


def test_approve_can_refuse(invitation: Invitation) -> None:
    assert run("approve", str(invitation.pk), "--refuse") == f"refused {invitation.pk}\n"
    invitation.refresh_from_db()
    assert invitation.status == "withdrawn"


def test_resolve_requires_exactly_one_answer(invitation: Invitation) -> None:
    for options in ((), ("--instance", "i-1", "--send-again")):
        with pytest.raises(CommandError):
            run("resolve", str(invitation.pk), *options)


def test_resolve_rejects_an_invitation_that_is_not_uncertain(invitation: Invitation) -> None:
    Invitation.objects.update(status="failed")
    with pytest.raises(CommandError, match="is failed: only an uncertain one"):
        run("resolve", str(invitation.pk), "--send-again")
    with pytest.raises(CommandError, match="There is no invitation 999"):
        run("resolve", "999", "--send-again")


def test_resolve_as_sent_and_send_again(invitation: Invitation) -> None:
    Invitation.objects.update(status="uncertain")
    with pytest.raises(CommandError, match="Give the id"):
        run("resolve", str(invitation.pk), "--instance", " ")
    assert (
        run("resolve", str(invitation.pk), "--instance", "i-1", "--reason", "seen")
        == f"resolved {invitation.pk}\n"
    )
    invitation.refresh_from_db()
    assert (invitation.status, invitation.instance_id) == ("invited", "i-1")
    Invitation.objects.update(status="uncertain", instance_id="")
    run("resolve", str(invitation.pk), "--send-again")
    invitation.refresh_from_db()
    assert invitation.status == "pending"


# export


def test_export_deliveries(acme: Organization, delivery: Delivery, invitation: Invitation) -> None:
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


def test_export_verdicts(acme: Organization, delivery: Delivery) -> None:
    Delivery.objects.update(opportunity_id="o")
    for code in (VerdictCode.PAUSED, VerdictCode.INVITE):
        claimed = delivery.lease()
        assert claimed is not None
        assert claimed.decide(code, f"It is {code}.")
    earlier, current = rows("verdicts", "acme")
    assert {name: earlier[name] for name in ("delivery_id", "opportunity_id", "code", "explanation")} == {
        "delivery_id": delivery.pk,
        "opportunity_id": "o",
        "code": "paused",
        "explanation": "It is paused.",
    }
    assert (earlier["is_current"], current["is_current"], current["code"]) == (False, True, "invite")
    assert set(earlier) == {
        "id",
        "delivery_id",
        "opportunity_id",
        "code",
        "explanation",
        "decided_at",
        "is_current",
        "position",
        "hash",
    }
    assert [earlier["position"], current["position"]] == [1, 2]
    assert rows("verdicts", "acme", "--since", "2999-01-01") == []


def test_export_audit(acme: Organization) -> None:
    target = AuditTarget(TargetKind.ORGANIZATION, acme.pk, "Åcme")
    AuditEntry.record(
        acme, "configure", AuditAction.CHANGE_POLICIES, target, {"paused": (False, True)}, "“é”"
    )
    AuditEntry.record(None, "configure", AuditAction.CHANGE_POLICIES, target)
    [row] = rows("audit", "acme")
    entry = AuditEntry.objects.get(organization=acme)
    assert row == {
        "id": entry.pk,
        "at": entry.at.isoformat(),
        "actor": "configure",
        "action": "change_policies",
        "target": "Åcme",
        "changes": {"paused": [False, True]},
        "reason": "“é”",
        "position": 1,
        "hash": entry.hash,
    }
    AuditEntry.objects.filter(pk=entry.pk).erase_text()
    [row] = rows("audit", "acme")
    assert (row["target"], row["changes"], row["reason"], row["hash"]) == (None, None, None, entry.hash)


def test_export_invitations_and_results(acme: Organization, invitation: Invitation) -> None:
    row = rows("invitations", "acme")[0]
    assert (row["assessment"], row["round"], row["status"], row["instance_id"]) == (
        "Backend",
        1,
        "held",
        None,
    )
    assert (row["invited_at"], row["started_at"], row["completed_at"]) == (None, None, None)
    assert "alder" not in json.dumps(row).lower()
    assert row["awaits_decision_since"] is None
    now = timezone.now()
    Invitation.objects.update(
        status="completed", instance_id="i", completed_at=now, awaits_decision_since=now
    )
    row = rows("invitations", "acme")[0]
    assert row["awaits_decision_since"] == row["completed_at"] == now.isoformat()
    Result.objects.create(invitation=invitation)
    row = rows("results", "acme")[0]
    assert (row["invitation_id"], row["attempt"]) == (invitation.pk, 1)
    for key in ("outcome", "score", "failure_reason", "rating", "report_url", "feedback_id"):
        assert row[key] is None


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
        ApiCall.objects.create(
            organization=organization,
            platform="lever",
            method="GET",
            path=f"/stages/{day}",
            duration_ms=3,
            correlation_id="c",
            at=datetime(2027, 1, day, 12, tzinfo=UTC),
        )
    found = rows("calls", "acme")
    assert [row["path"] for row in found] == ["/stages/1", "/stages/3"]
    assert found[0]["status"] is None
    assert set(found[0]) == {
        "id", "platform", "method", "path", "status", "duration_ms", "attempt", "at", "correlation_id", "repeats",
        "last_at",
    }  # fmt: skip
    for since in ("2027-01-02", "2027-01-03T12:00:00", "2027-01-03T13:00:00+01:00"):
        assert [row["path"] for row in rows("calls", "acme", "--since", since)] == ["/stages/3"]
    for since in ("yesterday", "2027-13-01", ""):
        with pytest.raises(CommandError, match="is no date"):
            rows("calls", "acme", "--since", since)
    with pytest.raises(CommandError):
        rows("nothing", "acme")


# every command migrates first


@pytest.mark.slow
def test_a_command_on_an_empty_database_migrates_first(tmp_path: Path) -> None:
    if not list((ROOT / "integrations" / "migrations").glob("0*.py")):
        pytest.skip("there are no migrations yet")
    environment = {
        "PATH": "/usr/bin:/bin",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}",
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "FIELD_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    }
    answer = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == []
    assert "Bringing the database up to date" in answer.stderr
