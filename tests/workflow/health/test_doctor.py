"""What the doctor says of a set-up, and that it says nothing of a healthy one."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.utils import timezone

from integrations.lever.oauth import SCOPES
from integrations.models import (
    Assessment,
    CodeScreenConnection,
    Delivery,
    Effect,
    Heartbeat,
    Invitation,
    LeverConnection,
    LeverProbe,
    LeverWebhook,
    Membership,
    Organization,
    Role,
    RoleMapping,
    Stage,
)
from integrations.workflow.health.doctor import findings
from integrations.workflow.health.findings import Finding


@pytest.fixture
def acme(db) -> Organization:
    """A customer with everything set up and a worker alive."""
    organization = Organization.objects.create(name="Acme", slug="acme")
    owner = User.objects.create_user("owner")
    Membership.objects.create(organization=organization, user=owner, role=Membership.Role.SUPER_ADMIN)
    now = timezone.now()
    LeverConnection.objects.create(
        organization=organization,
        access_token="access",
        scopes=" ".join(SCOPES),
        connected_at=now,
        stages_refreshed_at=now,
        roles_refreshed_at=now,
    )
    LeverWebhook.objects.create(organization=organization, signature_token="token", last_received_at=now)
    CodeScreenConnection.objects.create(
        organization=organization, api_key="key", assessments_refreshed_at=now
    )
    Assessment.objects.create(organization=organization, external_id="backend", name="Backend")
    Stage.objects.create(organization=organization, external_id="stage-1", name="CodeScreen Assessment")
    Role.objects.create(organization=organization, external_id="role-1", title="Engineer", state="published")
    RoleMapping.objects.create(organization=organization, role="Engineer", assessment="Backend")
    Heartbeat.beat("drain")
    return organization


def only(organization: Organization) -> Finding:
    found = findings(Organization.objects.get(pk=organization.pk))
    assert len(found) == 1, found
    return found[0]


def invite(organization: Organization, number: int, **values: object) -> Invitation:
    return Invitation.objects.create(
        organization=organization,
        opportunity_id=f"opportunity-{number}",
        assessment_id="backend",
        assessment_name="Backend",
        **values,
    )


def test_all_well(acme: Organization) -> None:
    finding = only(acme)
    assert (finding.organization, finding.code, finding.level) == ("acme", "ok", "info")


def test_an_empty_organization_is_told_everything_and_the_worst_first(db) -> None:
    found = findings(Organization.objects.create(name="New", slug="new"))
    codes = [finding.code for finding in found]
    assert {"lever_not_connected", "codescreen_not_connected", "no_signature_token", "no_super_admin"} <= set(
        codes
    )
    levels = [finding.level.severity for finding in found]
    assert levels == sorted(levels, reverse=True)
    assert all(finding.message.endswith((".", "?")) and finding.fix and finding.url for finding in found)


@pytest.mark.parametrize(
    ("state", "token", "code"),
    [("needs_reconnect", "access", "lever_reconnect"), ("revoked", "", "lever_not_connected")],
)
def test_a_grant_that_no_longer_works(acme: Organization, state: str, token: str, code: str) -> None:
    connection = LeverConnection.objects.get()
    connection.state, connection.access_token = state, token
    connection.save()
    assert (only(acme).code, only(acme).level) == (code, "error")


@pytest.mark.parametrize(("left", "level"), [(29, "warning"), (6, "error"), (-1, "error")])
def test_the_year_that_ends(acme: Organization, left: int, level: str) -> None:
    LeverConnection.objects.update(connected_at=timezone.now() + timedelta(days=left - 365))
    assert (only(acme).code, only(acme).level) == ("lever_token_ends", level)


def test_missing_scopes_are_named_with_their_reason(acme: Organization) -> None:
    granted = [scope for scope in SCOPES if scope not in {"notes:write:admin", "tags:read:admin"}]
    LeverConnection.objects.update(scopes=" ".join([*granted, "tags:write:admin"]))
    finding = only(acme)
    assert finding.code == "lever_scopes_missing"
    assert "notes:write:admin (to leave a note" in finding.message
    assert "tags:" not in finding.message


def test_scopes_that_lever_does_not_tell_are_not_missing(acme: Organization) -> None:
    LeverConnection.objects.update(scopes="")
    assert only(acme).code == "ok"


def test_no_signature_token(acme: Organization) -> None:
    LeverWebhook.objects.all().delete()
    assert (only(acme).code, only(acme).level) == ("no_signature_token", "error")


def test_nothing_has_come_yet(acme: Organization) -> None:
    LeverWebhook.objects.update(last_received_at=None)
    finding = only(acme)
    assert (finding.code, finding.level) == ("no_delivery_seen", "warning")
    assert "switched on" not in finding.message
    LeverWebhook.objects.update(origin="api")
    assert "switched on in Lever" in only(acme).message
    LeverWebhook.objects.update(last_verified_at=timezone.now())
    assert (only(acme).code, only(acme).level) == ("no_delivery_seen", "info")


def test_codescreen_refused_the_key(acme: Organization) -> None:
    CodeScreenConnection.objects.update(state="refused")
    assert (only(acme).code, only(acme).level) == ("codescreen_key_refused", "error")


def test_no_stage_begins_with_the_prefix(acme: Organization) -> None:
    Stage.objects.update(name="Interview")
    assert (only(acme).code, only(acme).level) == ("no_trigger_stage", "error")
    RoleMapping.objects.update(stage="Interview")
    assert only(acme).code == "ok"
    Stage.objects.all().delete()
    assert [finding.code for finding in findings(acme)] == ["unknown_stage"]


def test_no_role_leads_anywhere(acme: Organization) -> None:
    RoleMapping.objects.all().delete()
    assert (only(acme).code, only(acme).level) == ("no_roles_mapped", "warning")
    Role.objects.update(tags=["CodeScreen Backend"])
    assert only(acme).code == "ok"


def test_names_that_mean_nothing(acme: Organization) -> None:
    acme.default_assessment = "Bakcend"
    acme.save()
    finding = only(acme)
    assert (finding.code, finding.level) == ("unknown_assessment", "warning")
    assert "Did you mean “Backend”?" in finding.message


def test_uncertain_and_held_invitations(acme: Organization) -> None:
    invitations = [invite(acme, number, status="uncertain") for number in range(12)]
    finding = only(acme)
    assert (finding.code, finding.level) == ("uncertain_invitations", "error")
    assert finding.message.startswith("12 invitations may or may not have been sent")
    assert f"(invitation {invitations[0].pk})" in finding.message
    assert "and 2 more." in finding.message
    Invitation.objects.filter(pk=invitations[0].pk).update(status="held")
    Invitation.objects.exclude(pk=invitations[0].pk).delete()
    assert (only(acme).code, only(acme).level) == ("held_invitations", "warning")
    assert only(acme).message == "1 invitation waits for an Admin's yes."


def test_failed_effects(acme: Organization) -> None:
    for number in range(2):
        Effect.objects.create(
            organization=acme, kind="leave_note", key=str(number), state="failed", due_at=None
        )
    assert only(acme).code == "failed_effects"
    assert only(acme).message == "2 effects failed and are not tried again: leave note (2)."


def deliver(organization: Organization, key: str, **values: object) -> Delivery:
    return Delivery.objects.create(
        organization=organization,
        platform="lever",
        event="candidateStageChange",
        dedupe_key=key,
        payload={},
        **values,
    )


def test_stuck_deliveries(acme: Organization) -> None:
    delivery = deliver(acme, "1", due_at=None, last_error="The portal failed on this.")
    assert (only(acme).code, only(acme).level) == ("stuck_deliveries", "error")
    assert only(acme).message == f"1 delivery could not be decided after many tries: {delivery.pk}."


def test_work_that_nobody_takes_up(acme: Organization) -> None:
    deliver(acme, "1")
    deliver(acme, "later", due_at=timezone.now() + timedelta(hours=1))
    assert only(acme).code == "ok"
    Delivery.objects.filter(dedupe_key="1").update(due_at=Now() - timedelta(minutes=3))
    assert (only(acme).code, only(acme).level) == ("oldest_due", "error")


def test_workers_that_are_silent(acme: Organization) -> None:
    Heartbeat.objects.update(at=Now() - timedelta(minutes=2))
    assert (only(acme).code, only(acme).level) == ("queue_silent", "warning")


def test_what_the_sweep_repaired(acme: Organization) -> None:
    values = {"verdict": "invite", "decided_at": timezone.now(), "due_at": None}
    delivery = deliver(acme, "sweep:1", invitation=invite(acme, 1, status="pending"), **values)
    Delivery.objects.update(event="sweep")
    assert (only(acme).code, only(acme).level) == ("sweep_repaired", "warning")
    Delivery.objects.filter(pk=delivery.pk).update(received_at=Now() - timedelta(hours=25))
    assert only(acme).code == "ok"


def test_paused(acme: Organization) -> None:
    Organization.objects.update(paused=True)
    assert (only(acme).code, only(acme).level) == ("paused", "warning")


# the clock


@pytest.mark.parametrize(
    ("ahead", "level", "words"),
    [
        (31.0, "warning", "31 seconds ahead of"),
        (-45.5, "warning", "45 seconds behind"),
        (121.0, "error", "2 minutes ahead of"),
        (-7300.0, "error", "2 hours behind"),
    ],
)
def test_a_clock_that_is_wrong(acme: Organization, ahead: float, level: str, words: str) -> None:
    LeverConnection.objects.update(clock_ahead=ahead, clock_compared_at=timezone.now())
    assert (only(acme).code, only(acme).level) == ("clock_skew", level)
    assert words in only(acme).message


@pytest.mark.parametrize(("ahead", "age"), [(29.0, 0), (-29.0, 0), (600.0, 25)])
def test_a_clock_that_is_right_or_was_compared_long_ago(acme: Organization, ahead: float, age: int) -> None:
    LeverConnection.objects.update(clock_ahead=ahead, clock_compared_at=timezone.now() - timedelta(hours=age))
    assert only(acme).code == "ok"


# what the hourly look found


def looked(organization: Organization, **found: object) -> None:
    LeverProbe.objects.update_or_create(
        organization=organization, defaults={"checked_at": timezone.now(), **found}
    )


def silent(organization: Organization, hours: int, unheard: int) -> None:
    heard_at = timezone.now() - timedelta(hours=hours)
    LeverWebhook.objects.update(last_received_at=heard_at)
    looked(organization, missed_events=unheard, silent_since=heard_at)


def test_stage_changes_that_nobody_tells_of_any_more(acme: Organization) -> None:
    silent(acme, hours=9, unheard=7)
    assert (only(acme).code, only(acme).level) == ("webhook_silence", "warning")
    assert "no stage change for 9 hours" in only(acme).message
    assert "at least 7 candidates" in only(acme).message
    LeverWebhook.objects.update(last_received_at=timezone.now())  # it came back
    assert only(acme).code == "ok"


def test_a_quiet_weekend_is_no_finding(acme: Organization) -> None:
    silent(acme, hours=65, unheard=0)
    assert only(acme).code == "ok"
    silent(acme, hours=65, unheard=2)
    assert only(acme).code == "ok"


def test_a_webhook_that_was_removed_in_lever(acme: Organization) -> None:
    LeverWebhook.objects.update(
        origin="api",
        missing_since=timezone.now() - timedelta(hours=1),
        last_received_at=timezone.now() - timedelta(days=1),
    )
    assert (only(acme).code, only(acme).level) == ("webhook_removed", "error")
    assert "The webhook that the portal made" in only(acme).message
    LeverWebhook.objects.create(organization=acme, signature_token="other", last_received_at=timezone.now())
    assert (only(acme).code, only(acme).level) == ("webhook_removed", "info")
    LeverWebhook.objects.update(retired_at=timezone.now())
    assert only(acme).code == "no_signature_token"


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        ({"is_template_gone": True}, "feedback_template_gone", "no longer in Lever"),
        (
            {"missing_fields": ["Result", "Report link"]},
            "feedback_template_incomplete",
            "Result, Report link",
        ),
        ({"is_author_gone": True}, "feedback_author_gone", "has left Lever"),
    ],
)
def test_the_feedback_form_and_its_author(
    acme: Organization, found: dict[str, object], code: str, words: str
) -> None:
    looked(acme, **found)
    assert (only(acme).code, only(acme).level) == (code, "warning")
    assert words in only(acme).message
    looked(acme, checked_at=timezone.now() - timedelta(days=2), **found)
    assert only(acme).code == "ok"


# CodeScreen's key


@pytest.mark.parametrize(
    ("stored", "verified", "code", "level"),
    [
        (timedelta(minutes=11), None, "codescreen_key_untried", "warning"),
        (timedelta(days=30), timedelta(hours=25), "codescreen_key_unheard", "warning"),
        (timedelta(days=366), timedelta(minutes=1), "codescreen_key_old", "info"),
        (timedelta(minutes=9), None, "ok", "info"),
        (timedelta(days=364), timedelta(hours=23), "ok", "info"),
    ],
)
def test_the_age_of_the_key(
    acme: Organization, stored: timedelta, verified: timedelta | None, code: str, level: str
) -> None:
    now = timezone.now()
    CodeScreenConnection.objects.update(
        key_stored_at=now - stored, verified_at=now - verified if verified else None
    )
    assert (only(acme).code, only(acme).level) == (code, level)


def test_the_doctor_does_not_ask_more_of_the_database_the_more_there_is(
    acme: Organization, django_assert_max_num_queries
) -> None:
    for number in range(40):
        Role.objects.create(
            organization=acme, external_id=f"id-{number}", title=f"Role {number}", state="published"
        )
        invite(acme, number, status="uncertain")
    with django_assert_max_num_queries(32):
        findings(acme)


@pytest.mark.parametrize(
    ("written", "code", "words"),
    [
        ("Phone sceen", "unknown_passed_stage", "Did you mean “Phone screen”?"),
        ("stage-1", "passed_stage_invites", "Entering “CodeScreen Assessment” sends an assessment"),
    ],
)
def test_a_stage_on_pass_that_can_move_nobody_is_an_error(
    acme: Organization, written: str, code: str, words: str
) -> None:
    Stage.objects.create(organization=acme, external_id="stage-2", name="Phone screen")
    Organization.objects.filter(pk=acme.pk).update(passed_stage=written)
    finding = only(acme)
    assert (finding.code, finding.level, finding.url) == (code, "error", "/settings/#policies")
    assert words in finding.message
    assert "Nobody is moved" in finding.message


def test_a_stage_on_pass_that_is_there_is_no_finding(acme: Organization) -> None:
    Stage.objects.create(organization=acme, external_id="stage-2", name="Phone screen")
    Organization.objects.filter(pk=acme.pk).update(passed_stage=" phone  SCREEN")
    assert only(acme).code == "ok"


def test_a_stage_is_not_called_unknown_before_lever_was_asked(acme: Organization) -> None:
    LeverConnection.objects.update(stages_refreshed_at=None)
    Organization.objects.filter(pk=acme.pk).update(passed_stage="Anything")
    assert only(acme).code == "ok"
