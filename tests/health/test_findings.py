"""What the doctor finds, one change after another in an organization that has everything set up."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.utils import timezone

from integrations.catalog.feedback_template import TEMPLATE
from integrations.catalog.models import Role, RoleMapping, Stage
from integrations.clients.models import ApiCall, CircuitBreaker
from integrations.codescreen.models import CodeScreenConnection
from integrations.health.models import WebhookRejection
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.oauth import SCOPES
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.queue.models.nodes import Heartbeat
from tests.health.conftest import only_finding
from tests.support import factories

type Act = Callable[[Organization], object]
#: What happens, the code and level of the only finding then, and words in it, its fix or its page's address.
type Step = tuple[Act, str, *tuple[str, ...]]

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OK = "ok info"
WITHOUT_SOME = [
    field for field in TEMPLATE["fields"] if field["text"] not in {"Rating", "Result", "Report link"}
]


def update(model: Any, **values: object) -> Act:
    return lambda _: model.objects.update(**values)


def create(model: Any, **values: object) -> Act:
    return lambda organization: model.objects.create(organization=organization, **values)


def made(factory: Any, number: int = 1, **values: object) -> Act:
    return lambda organization: factory.create_batch(number, organization=organization, **values)


def delete(model: Any) -> Act:
    return lambda _: model.objects.all().delete()


def disconnect(organization: Organization) -> None:
    connection = LeverConnection.objects.get()
    connection.state, connection.access_token = "revoked", ""
    connection.save()


def reject(platform: str, ago: timedelta, **values: Any) -> Act:
    own = {"platform": platform, "code": "signature_mismatch", "count": 41} | values
    return lambda organization: WebhookRejection.objects.create(
        organization=organization, last_at=timezone.now() - ago, **own
    )


def fail_to_invite(organization: Organization) -> None:
    for number in (1, 2):
        row = factories.InvitationFactory.create(organization=organization, status="failed", round=number)
        factories.EffectFactory.create(
            organization=organization, kind="send_invitation", invitation=row, state="failed", due_at=None
        )


CODESCREEN: dict[str, list[Step]] = {
    "the key is refused": [(update(CodeScreenConnection, state="refused"), "codescreen_key_refused error")],
    "results aren't stated": [
        (update(CodeScreenConnection, states_results=False), "results_not_stated info"),
        (
            update(Organization, failed_tag="Failed"),
            "results_not_stated info",
            "These have no effect: the result tags.",
            "failureReason to the metadata",
        ),
        (update(Organization, passing_score=70), OK),
    ],
    "no result has arrived yet": [
        (update(CodeScreenConnection, states_results=None), OK),
        (update(Organization, failed_tag="Failed"), "results_not_stated info", "No result has arrived yet"),
        (update(RoleMapping, passing_score=70), OK),
    ],
    "results are stated": [(update(Organization, failed_tag="Failed"), OK)],
}
LEVER: dict[str, list[Step]] = {
    "the grant has ended": [(update(LeverConnection, state="needs_reconnect"), "lever_reconnect error")],
    "a backup was put back": [
        (update(LeverConnection, refreshed_at=Now() - 3 * HOUR), OK),
        (
            update(Organization, rows_lost_from=Now() - 2 * HOUR, rows_lost_until=Now() - HOUR),
            "lever_reconnect warning",
        ),
        (update(LeverConnection, refreshed_at=Now()), OK),
    ],
    "there is no grant": [(disconnect, "lever_not_connected error")],
    "the consent ends": [
        (update(LeverConnection, connected_at=Now() - 336 * DAY), "lever_token_ends warning"),
        (update(LeverConnection, connected_at=Now() - 359 * DAY), "lever_token_ends error"),
        (update(LeverConnection, connected_at=Now() - 366 * DAY), "lever_token_ends error"),
    ],
    "the scope for files": [
        (
            update(LeverConnection, scopes=" ".join(SCOPES)),
            "lever_scopes_missing warning",
            "files:write:admin (",
        ),
        (update(Organization, attach_report=False), OK),
    ],
    "Lever doesn't tell the scopes": [(update(LeverConnection, scopes=""), OK)],
    "fields of the feedback template are gone": [
        (
            update(
                LeverConnection,
                feedback_template_id="1",
                feedback_template={"id": "1", "fields": WITHOUT_SOME},
            ),
            "feedback_template_incomplete warning",
            "Rating, Result, Report link",
        ),
        (update(LeverConnection, feedback_template_id="another"), OK),
    ],
}
SET_UP: dict[str, list[Step]] = {
    "no stage invites": [
        (update(Stage, name="Interview"), "no_trigger_stage error"),
        (update(RoleMapping, stage="Interview"), OK),
        (delete(Stage), "unknown_stage warning"),
        (update(LeverConnection, swept_at=Now() - 21 * DAY), "unknown_stage warning"),
    ],
    "no role is mapped": [
        (delete(RoleMapping), "no_roles_mapped warning"),
        (update(Role, tags=["CodeScreen Backend"]), OK),
    ],
    "the stage on pass": [
        (create(Stage, external_id="stage-2", name="Phone screen"), OK),
        (
            update(Organization, stage_on_pass="Phone sceen"),
            "unknown_stage_on_pass error",
            "Did you mean “Phone screen”?",
            "/settings/rules/#results",
        ),
        (update(Organization, stage_on_pass=" phone  SCREEN"), OK),
    ],
    "a stage on pass before the stages were read": [
        (update(LeverConnection, stages_refreshed_at=None), OK),
        (update(Organization, stage_on_pass="Anything"), OK),
    ],
}
WEBHOOKS: dict[str, list[Step]] = {
    "there is none": [(delete(LeverWebhook), "no_webhook error")],
    "nothing has arrived": [
        (update(LeverWebhook, last_received_at=None), "no_webhook warning"),
        (update(LeverWebhook, origin="api"), "no_webhook warning", "switched on in Lever"),
        (update(LeverWebhook, last_verified_at=Now()), "no_webhook info"),
    ],
    "one was removed in Lever": [
        (
            update(LeverWebhook, origin="api", missing_since=Now() - HOUR, last_received_at=Now() - DAY),
            "webhook_removed error",
            "The webhook that the portal made",
        ),
        (made(factories.LeverWebhookFactory, last_received_at=Now()), "webhook_removed info"),
        (update(LeverWebhook, retired_at=Now()), "no_webhook error"),
    ],
    "Lever's are refused": [
        (update(LeverWebhook, last_received_at=Now() - 2 * HOUR), OK),
        (
            reject("lever", 5 * MINUTE, hint="unknown_token"),
            "webhook_rejected warning",
            "We rejected Lever's last message 5 minutes ago: wrong signature.",
            "41 times",
            "The token saved here isn't the one that Lever uses",
            "/settings/#webhook",
        ),
    ],
    "another was accepted since": [(reject("lever", HOUR), OK)],
    "they were refused days ago": [
        (update(LeverWebhook, last_received_at=Now() - 9 * DAY), OK),
        (reject("lever", 2 * DAY), OK),
    ],
    "CodeScreen's are refused": [
        (reject("codescreen", MINUTE), "webhook_rejected warning", "We rejected CodeScreen's last message"),
        (update(CodeScreenConnection, last_received_at=Now()), OK),
    ],
}
ROWS: dict[str, list[Step]] = {
    "steps failed": [
        (lambda _: factories.EffectFactory.create(state="failed", due_at=None), OK),
        (
            made(factories.EffectFactory, 2, state="failed", due_at=None),
            "failed_effects warning",
            "2 steps failed and are not tried again: leave note (2).",
        ),
    ],
    "invitations failed": [
        (
            fail_to_invite,
            "failed_effects warning",
            "2 candidates could not be sent an invitation.",
            "/activity/?status=not_sent",
        )
    ],
    "messages are tried in vain": [
        (made(factories.EffectFactory, kind="send_alert", attempts=3, last_error="Refused: 550."), OK),
        (update(Effect, created_at=Now() - 6 * MINUTE), "messages_unsent warning", "Refused: 550."),
        (update(Effect, attempts=0, last_error="The portal is paused."), OK),
    ],
    "a delivery is stuck": [
        (
            made(factories.DeliveryFactory, due_at=None, last_error="The portal failed on this."),
            "undecided_deliveries error",
            "1 delivery could not be processed after many tries: ",
        )
    ],
    "a row is late": [
        (made(factories.DeliveryFactory, dedupe_key="1"), OK),
        (update(Delivery, due_at=Now() - 3 * MINUTE), "work_late error"),
        (update(Delivery, due_at=Now() + HOUR), OK),
    ],
    "one is undecided for a day": [
        (made(factories.DeliveryFactory, due_at=Now() + HOUR, last_error="Lever answered 500."), OK),
        (
            update(Delivery, received_at=Now() - 25 * HOUR),
            "undecided_deliveries error",
            "for more than a day. The reason: Lever answered 500.",
            "/activity/opportunity-1/",
        ),
    ],
    "several are undecided for a day": [
        (
            made(factories.DeliveryFactory, 2, due_at=Now() + HOUR, received_at=Now() - 2 * DAY),
            "undecided_deliveries error",
            "2 stage changes could not be decided for more than a day. The reason: no platform answered.",
            "/#undecided",
        )
    ],
    "one can't be decided again": [
        (
            made(factories.DeliveryFactory, verdict="paused", decided_at=Now(), received_at=Now() - 9 * DAY),
            OK,
        ),
        (update(Delivery, failing_since=Now() - 2 * DAY), "undecided_deliveries error"),
    ],
    "people are to decide": [
        (
            made(factories.InvitationFactory, 12, status="uncertain"),
            "uncertain_invitations error",
            "Did 12 candidates get the invitation? We don't know.",
        ),
        (update(Invitation, status="held"), "held_invitations warning", "12 candidates need approval."),
    ],
    "it is paused": [(update(Organization, paused=True), "paused warning")],
    "the last Super Admin is deactivated in Lever": [
        (
            update(Membership, deactivated_in_lever_at=Now()),
            "no_super_admin warning",
            "keeps access until there is another",
        ),
        (lambda organization: factories.member(organization, Membership.Role.SUPER_ADMIN, "another"), OK),
    ],
}
WORK: dict[str, list[Step]] = {
    "no worker is alive": [(update(Heartbeat, at=Now() - 2 * MINUTE), "work_late warning")],
    "the comparison repaired something": [
        (
            lambda organization: factories.DeliveryFactory.create(
                organization=organization,
                event="sweep",
                verdict="invite",
                decided_at=Now(),
                due_at=None,
                invitation=factories.InvitationFactory.create(organization=organization),
            ),
            "sweep_repaired warning",
        ),
        (update(Delivery, received_at=Now() - 25 * HOUR), OK),
    ],
    "the comparison is of long ago": [
        (update(LeverConnection, swept_at=Now() - 20 * MINUTE), OK),
        (update(LeverConnection, swept_at=Now() - 3 * HOUR), "work_late warning"),
        (update(LeverConnection, swept_at=Now() - 21 * DAY), "work_late error"),
        (update(LeverConnection, swept_at=None, connected_at=Now() - 3 * HOUR), "work_late warning"),
        (update(Organization, paused=True), "paused warning"),
    ],
    "a duty keeps failing": [
        (create(DutyRun, duty=Duty.SWEEP, failures=2, last_error="Lever answered 500."), OK),
        (
            update(DutyRun, failures=3, created_at=Now() - 9 * DAY),
            "duty_failing warning",
            "“Compare with Lever” failed 3 times in a row. Lever answered 500.",
        ),
    ],
    "an overdue duty gets on": [
        (create(DutyRun, duty=Duty.PURGE, place={"people": [0, "opportunity-7"]}), OK),
        (update(DutyRun, succeeded_at=Now() - 5 * DAY), OK),
    ],
    "a duty is overdue": [
        (create(DutyRun, duty=Duty.SWEEP), OK),
        (update(DutyRun, succeeded_at=Now() - 39 * MINUTE), OK),
        (update(DutyRun, succeeded_at=Now() - 41 * MINUTE), "work_late warning", "41 minutes"),
    ],
}
CASES = CODESCREEN | LEVER | SET_UP | WEBHOOKS | ROWS | WORK


@pytest.mark.parametrize("case", CASES)
def test_what_is_found_and_until_when(healthy_organization: Organization, case: str) -> None:
    for act, expected, *words in CASES[case]:
        act(healthy_organization)
        found = only_finding(healthy_organization)
        assert f"{found.code} {found.level}" == expected
        said = f"{found.message} {found.fix} {found.page.url}"
        assert [word for word in words if word not in said] == [], said


def test_missing_scopes_are_named_with_their_reason(healthy_organization: Organization) -> None:
    granted = [scope for scope in SCOPES if scope not in {"notes:write:admin", "postings:read:admin"}]
    LeverConnection.objects.update(scopes=" ".join([*granted, "postings:write:admin", "files:write:admin"]))
    message = only_finding(healthy_organization).message
    assert "notes:write:admin (to leave a note" in message
    assert "postings:" not in message


def test_a_full_disk_is_an_error(healthy_organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError from psycopg.errors.DiskFull()

    monkeypatch.setattr("integrations.health.checks.work.require_room", fail)
    found = only_finding(healthy_organization)
    assert (found.code, found.level) == ("work_late", "error")
    assert found.message == "Nothing can be stored: the database's disk is full."


def test_a_platform_that_is_down_has_the_reason_of_its_last_call(healthy_organization: Organization) -> None:
    CircuitBreaker.objects.create(organization=healthy_organization, platform="codescreen", failures=5)
    refused = "CodeScreen's certificate was refused: certificate has expired"
    for platform, error, status, reason in (
        ("codescreen", "y", 503, "it answered 503"),
        ("codescreen", refused, None, refused),
        ("codescreen", "", 200, refused),
        ("lever", "x", None, refused),
    ):
        ApiCall.objects.create(
            organization=healthy_organization, platform=platform, error=error, status=status, duration_ms=1
        )
        assert only_finding(healthy_organization).message.endswith(f" The last reason: {reason}.")


def test_no_finding_names_a_person(healthy_organization: Organization) -> None:
    factories.DeliveryFactory.create(
        organization=healthy_organization, due_at=Now() + HOUR, received_at=Now() - 2 * DAY
    )
    Candidate.objects.create(
        organization=healthy_organization, opportunity_id="opportunity-1", name="Alder Grey", entered_at=Now()
    )
    assert "Alder" not in str(only_finding(healthy_organization))
    Delivery.objects.update(received_at=Now())
    Membership.objects.update(deactivated_in_lever_at=Now())
    found = only_finding(healthy_organization)
    assert found.code == "no_super_admin"
    assert Membership.objects.get().user.username not in f"{found.message} {found.fix}"
