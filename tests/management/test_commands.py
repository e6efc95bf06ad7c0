"""The operators' commands: their output and their errors."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from integrations.http.session import PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue import acts as queue_acts
from tests.management.conftest import printed_by as run
from tests.support.factories import recorded

# doctor


def test_doctor_exits_1_when_there_is_an_error_and_says_where_the_fix_is(acme: Organization) -> None:
    printed, listed = StringIO(), StringIO()
    for out, options in ((printed, {"no_color": True}), (listed, {"json": True})):
        with pytest.raises(SystemExit) as caught:
            call_command("doctor", stdout=out, **options)
        assert caught.value.code == 1
    assert "acme: error lever_not_connected" in printed.getvalue()
    assert "http://testserver/settings/" in printed.getvalue()
    found = json.loads(listed.getvalue())
    assert {"lever_not_connected"} <= {finding["code"] for finding in found}
    assert all(list(finding) == ["organization", "code", "level", "message", "fix"] for finding in found)
    assert {finding["organization"] for finding in found} == {"acme"}


def test_doctor_without_any_organization(db) -> None:
    assert "configure" in run("doctor")
    assert json.loads(run("doctor", "--json")) == []


@pytest.mark.parametrize(("written", "hint"), [("acmee", "Did you mean acme"), ("", "There are: acme")])
@pytest.mark.parametrize(
    "command",
    [
        "doctor",
        "sweep",
        "poll",
        "restored --since 2027-01-31",
        "export deliveries",
        "export_config",
        "verify_audit",
        "forget",
    ],
)
def test_an_unknown_organization_is_an_error_with_suggestions(
    acme: Organization, command: str, written: str, hint: str
) -> None:
    more = ["opportunity-1"] if command == "forget" else []
    with pytest.raises(CommandError, match=f"There is no organization '{written}'. {hint}"):
        run(*command.split(), written, *more)


# sweep, poll


def test_sweep_and_poll_print_a_count_per_organization(acme: Organization, monkeypatch) -> None:
    Organization.objects.create(name="Globex", slug="globex")
    counts = {"acme": 2, "globex": 0}
    asked = []

    def poll(organization: Organization, everything: bool) -> int:
        asked.append(everything)
        return counts[organization.slug]

    monkeypatch.setattr(queue_acts, "poll_organization", poll)
    monkeypatch.setattr(queue_acts, "sweep_organization", lambda organization: counts[organization.slug])
    monkeypatch.setattr(queue_acts, "follow_erasures", lambda organization: None)
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

    monkeypatch.setattr(queue_acts, "sweep_organization", sweep)
    monkeypatch.setattr(queue_acts, "follow_erasures", lambda organization: None)
    out = StringIO()
    with pytest.raises(CommandError, match="acme: Lever isn't connected"):
        call_command("sweep", stdout=out)
    assert out.getvalue() == "repaired 3\n"


def test_sweep_says_why_nothing_was_compared(acme: Organization) -> None:
    out, errors = StringIO(), StringIO()
    call_command("sweep", "acme", stdout=out, stderr=errors)
    assert out.getvalue() == "repaired 0\n"
    assert errors.getvalue() == "Nothing was compared: Lever isn't connected.\n"
    Organization.objects.update(paused=True)
    call_command("sweep", "acme", stdout=out, stderr=errors)
    assert errors.getvalue().endswith("Nothing was compared: The portal is paused.\n")


# replay


def test_replay_decides_the_stored_delivery(delivery: Delivery) -> None:
    assert run("replay", str(delivery.pk), "--dry-run").startswith("verdict: disconnected\n")
    delivery.refresh_from_db()
    assert delivery.verdict == ""
    assert run("replay", str(delivery.pk)).startswith("verdict: disconnected\n")
    delivery.refresh_from_db()
    assert delivery.verdict == "disconnected"
    assert recorded().get().actor_name == "replay"


def test_replay_explains_why_it_is_not_possible(delivery: Delivery) -> None:
    with pytest.raises(CommandError, match="There is no delivery 999"):
        run("replay", "999")
    with pytest.raises(CommandError):
        run("replay", "one")
    Delivery.objects.update(platform="codescreen")
    with pytest.raises(CommandError, match="Only deliveries from Lever"):
        run("replay", str(delivery.pk))


# approve, resolve


def test_approve_sends_a_held_invitation(invitation: Invitation) -> None:
    assert run("approve", str(invitation.pk), "--reason", "agreed") == f"approved {invitation.pk}\n"
    invitation.refresh_from_db()
    assert invitation.status == "pending"
    assert Effect.objects.get().kind == "send_invitation"
    assert recorded().get().reason == "agreed"
    with pytest.raises(CommandError, match="is waiting to be sent"):
        run("approve", str(invitation.pk))


def test_approve_can_cancel(invitation: Invitation) -> None:
    assert run("approve", str(invitation.pk), "--refuse") == f"cancelled {invitation.pk}\n"
    invitation.refresh_from_db()
    assert invitation.status == "withdrawn"


def test_resolve_takes_one_answer_as_sent_or_to_be_sent_again(invitation: Invitation) -> None:
    Invitation.objects.update(status="failed")
    with pytest.raises(CommandError, match="Only one that was possibly sent"):
        run("resolve", str(invitation.pk), "--send-again")
    Invitation.objects.update(status="uncertain")
    for options in ((), ("--instance", "i-1", "--send-again")):
        with pytest.raises(CommandError):
            run("resolve", str(invitation.pk), *options)
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
