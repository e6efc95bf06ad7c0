"""Findings on failed and late rows, the workers, the sweep, and duties that fail or aren't done."""

from datetime import timedelta

import psycopg
import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.utils import timezone

from integrations.clients.models import ApiCall, CircuitBreaker
from integrations.health.checks.work import check_duties
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.queue.models.nodes import Heartbeat
from tests.health.rows import code_and_level, create_delivery, create_invitation, only_finding
from tests.support import factories


def test_failed_effects_are_counted_by_kind(healthy_organization: Organization) -> None:
    for number in range(2):
        Effect.objects.create(
            organization=healthy_organization, kind="leave_note", key=str(number), state="failed", due_at=None
        )
    assert only_finding(healthy_organization).code == "failed_effects"
    assert (
        only_finding(healthy_organization).message
        == "2 steps failed and are not tried again: leave note (2)."
    )


def test_invitations_that_could_not_be_sent_have_a_finding_and_a_list_of_their_own(
    healthy_organization: Organization,
) -> None:
    for number in (1, 1, 2):
        invitation = create_invitation(
            healthy_organization, number, status="failed", round=Effect.objects.count() + 1
        )
        Effect.objects.create(
            organization=healthy_organization,
            kind="send_invitation",
            key=str(invitation.pk),
            invitation=invitation,
            state="failed",
            due_at=None,
        )
    finding = only_finding(healthy_organization)
    assert finding.message == "2 candidates could not be sent an invitation."
    assert finding.page.url == "/activity/?status=not_sent"


def test_messages_that_are_tried_in_vain_are_named_after_minutes_with_the_last_reason(
    healthy_organization: Organization,
) -> None:
    reason = "The mail server didn't take the message: ConnectionRefusedError"
    effect = factories.EffectFactory.create(
        organization=healthy_organization, kind="send_alert", attempts=3, last_error=reason
    )
    assert only_finding(healthy_organization).code == "ok"
    Effect.objects.update(created_at=Now() - timedelta(minutes=6))
    assert code_and_level(healthy_organization) == ("messages_unsent", "warning")
    assert reason in only_finding(healthy_organization).message
    Effect.objects.filter(pk=effect.pk).update(attempts=0, last_error="The portal is paused.")
    assert only_finding(healthy_organization).code == "ok"


def test_a_full_disk_is_an_error(healthy_organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError from psycopg.errors.DiskFull()

    monkeypatch.setattr("integrations.health.checks.work.require_room", fail)
    assert code_and_level(healthy_organization) == ("work_late", "error")
    assert only_finding(healthy_organization).message == "Nothing can be stored: the database's disk is full."


def test_a_platform_that_is_down_has_the_reason_of_its_last_call(healthy_organization: Organization) -> None:
    CircuitBreaker.objects.create(organization=healthy_organization, platform="codescreen", failures=5)
    refused = "CodeScreen's certificate was refused: certificate has expired"
    for platform, error, status in (
        ("lever", "x", None),
        ("codescreen", refused, None),
        ("codescreen", "y", 500),
    ):
        ApiCall.objects.create(
            organization=healthy_organization, platform=platform, error=error, status=status, duration_ms=1
        )
    assert only_finding(healthy_organization).message.endswith(f" The last reason: {refused}.")


def test_stuck_deliveries_are_named(healthy_organization: Organization) -> None:
    delivery = create_delivery(
        healthy_organization, "1", due_at=None, last_error="The portal failed on this."
    )
    assert code_and_level(healthy_organization) == ("undecided_deliveries", "error")
    assert (
        only_finding(healthy_organization).message
        == f"1 delivery could not be processed after many tries: {delivery.pk}."
    )


def test_rows_due_for_minutes_are_an_error(healthy_organization: Organization) -> None:
    create_delivery(healthy_organization, "1")
    create_delivery(healthy_organization, "later", due_at=timezone.now() + timedelta(hours=1))
    assert only_finding(healthy_organization).code == "ok"
    Delivery.objects.filter(dedupe_key="1").update(due_at=Now() - timedelta(minutes=3))
    assert code_and_level(healthy_organization) == ("work_late", "error")


def test_a_missing_heartbeat_is_a_warning(healthy_organization: Organization) -> None:
    Heartbeat.objects.update(at=Now() - timedelta(minutes=2))
    assert code_and_level(healthy_organization) == ("work_late", "warning")


def test_sweep_repairs_are_shown_for_a_day(healthy_organization: Organization) -> None:
    values = {"verdict": "invite", "decided_at": timezone.now(), "due_at": None}
    delivery = create_delivery(
        healthy_organization,
        "sweep:1",
        invitation=create_invitation(healthy_organization, 1, status="pending"),
        **values,
    )
    Delivery.objects.update(event="sweep")
    assert code_and_level(healthy_organization) == ("sweep_repaired", "warning")
    Delivery.objects.filter(pk=delivery.pk).update(received_at=Now() - timedelta(hours=25))
    assert only_finding(healthy_organization).code == "ok"


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(minutes=20), ("ok", "info")),
        (timedelta(hours=3), ("work_late", "warning")),
        (timedelta(weeks=3), ("work_late", "error")),
    ],
)
def test_a_sweep_of_long_ago_is_found(
    healthy_organization: Organization, age: timedelta, expected: tuple[str, str]
) -> None:
    LeverConnection.objects.update(swept_at=timezone.now() - age)
    assert code_and_level(healthy_organization) == expected


def test_an_organization_that_was_never_swept_is_found(healthy_organization: Organization) -> None:
    LeverConnection.objects.update(connected_at=timezone.now() - timedelta(hours=3), swept_at=None)
    assert only_finding(healthy_organization).code == "work_late"


def test_an_old_sweep_is_no_finding_while_nothing_is_swept(healthy_organization: Organization) -> None:
    LeverConnection.objects.update(swept_at=timezone.now() - timedelta(weeks=3))
    Organization.objects.update(paused=True)
    assert only_finding(healthy_organization).code == "paused"


def test_a_delivery_undecided_for_a_day_leads_to_its_candidate_without_the_name(
    healthy_organization: Organization,
) -> None:
    later = timezone.now() + timedelta(minutes=30)
    create_delivery(
        healthy_organization, "1", due_at=later, opportunity_id="o-alder", last_error="Lever answered 500."
    )
    assert only_finding(healthy_organization).code == "ok"
    Delivery.objects.update(received_at=Now() - timedelta(hours=25))
    finding = only_finding(healthy_organization)
    assert (finding.code, finding.level, finding.page.url) == (
        "undecided_deliveries",
        "error",
        "/activity/o-alder/",
    )
    assert "for more than a day. The reason: Lever answered 500." in finding.message
    Candidate.objects.create(
        organization=healthy_organization, opportunity_id="o-alder", name="Alder Grey", entered_at=Now()
    )
    assert only_finding(healthy_organization) == finding


def test_several_undecided_deliveries_lead_to_their_list(healthy_organization: Organization) -> None:
    long_ago, later = timezone.now() - timedelta(days=2), timezone.now() + timedelta(minutes=30)
    for name in ("o-alder", "o-birch"):
        create_delivery(healthy_organization, name, due_at=later, opportunity_id=name, received_at=long_ago)
    finding = only_finding(healthy_organization)
    assert finding.message.startswith("2 stage changes could not be decided for more than a day.")
    assert "The reason: no platform answered." in finding.message
    assert finding.page.url == "/#undecided"


def test_a_delivery_that_cannot_be_decided_again_for_a_day_is_named(
    healthy_organization: Organization,
) -> None:
    now = timezone.now()
    create_delivery(
        healthy_organization,
        "1",
        verdict="paused",
        decided_at=now,
        received_at=now - timedelta(days=9),
        due_at=now + timedelta(minutes=30),
    )
    assert only_finding(healthy_organization).code == "ok"
    Delivery.objects.update(failing_since=now - timedelta(days=2))
    assert only_finding(healthy_organization).code == "undecided_deliveries"


def test_a_duty_that_keeps_failing_is_found_with_its_error(organization) -> None:
    row = DutyRun.objects.create(
        organization=organization, duty=Duty.SWEEP, failures=2, last_error="Lever answered 500."
    )
    assert list(check_duties(organization)) == []
    DutyRun.objects.filter(pk=row.pk).update(failures=3, created_at=timezone.now() - timedelta(days=9))
    (finding,) = check_duties(organization)
    assert (finding.code, finding.level) == ("duty_failing", "warning")
    assert "“Compare with Lever” failed 3 times in a row. Lever answered 500." in finding.message


def test_an_overdue_duty_that_gets_on_is_no_finding(organization) -> None:
    DutyRun.objects.create(
        organization=organization,
        duty=Duty.PURGE,
        succeeded_at=timezone.now() - timedelta(days=5),
        place={"people": [0, "opportunity-7"]},
    )
    assert list(check_duties(organization)) == []


def test_an_overdue_duty_is_found(organization) -> None:
    DutyRun.objects.create(
        organization=organization, duty=Duty.SWEEP, succeeded_at=timezone.now() - timedelta(minutes=39)
    )
    assert list(check_duties(organization)) == []
    DutyRun.objects.update(succeeded_at=timezone.now() - timedelta(minutes=41))
    (finding,) = check_duties(organization)
    assert (finding.code, finding.level) == ("work_late", "warning")
    assert "41 minutes" in finding.message
