"""An invitation outside the send window is decided at once, and sent when the window opens."""

from datetime import UTC, timedelta

import pytest
from django.utils import timezone

from integrations.api.rows import InvitationRow
from integrations.audit.models.entry import AuditEntry
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ActionNotAllowed, ErasureCause
from integrations.effects.waits import wait_of
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations as acts
from integrations.invitations.acts.undo import take_back_approval
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.outcome import RETRY_FOR
from integrations.privacy.erase import erase
from tests.effects.conftest import lever_account, sending_calls
from tests.effects.send_windows import close_window, hours, window_has_closed, window_opens

ALDER = "alder@candidates.example"


def is_at(due_at, opens_at):
    """Whether it is due when the window opens, to a moment."""
    return abs(due_at - opens_at) < timedelta(seconds=5)


@pytest.fixture
def waiting(scenario, move_candidate):
    """The invitation of Alder, which was decided while the window was closed."""
    close_window(scenario)
    move_candidate()
    scenario.work()
    return Invitation.objects.get()


def test_it_is_decided_at_once_and_waits_with_the_time_at_which_it_is_sent(scenario, sandbox, waiting):
    assert Delivery.objects.get().verdict == "invite"
    effect = scenario.latest_effect()
    assert (waiting.status, effect.state, sandbox.invitations_sent()) == ("pending", "due", 0)
    assert is_at(effect.due_at, waiting.send_at)
    opens = waiting.send_at.astimezone(UTC)
    assert f"{opens:%H:%M}" == Organization.objects.get().send_from
    assert timedelta(hours=2) < opens - timezone.now() <= timedelta(hours=3)
    assert waiting.words.title == f"Will be sent {opens:%A %H:%M} (UTC)"
    assert waiting.words.label == "Waiting to be sent"
    assert InvitationRow(waiting).data["send_at"] == waiting.send_at.isoformat()
    scenario.work()
    assert sending_calls() == 0


@pytest.mark.parametrize("code", [VerdictCode.PAUSED, VerdictCode.DISCONNECTED])
def test_a_pause_or_a_missing_connection_is_said_as_the_note_in_lever_says_it(scenario, waiting, code):
    if code == VerdictCode.PAUSED:
        scenario.set_policies(paused=True)
    else:
        CodeScreenConnection.objects.update(state=CodeScreenConnection.State.REFUSED)
    held_up = scenario.reread(waiting)
    organization = Organization.objects.reread(held_up.organization_id)
    assert wait_of(held_up, organization) == organization.held_up_by == code
    assert held_up.words is code.record.of_invitation
    assert held_up.waits_for_window  # who sends it now needs no other answer


def test_it_is_sent_once_when_the_window_opens(scenario, sandbox, waiting):
    for _ in range(3):
        window_opens(scenario)
    sent = scenario.reread(waiting)
    assert (sent.status, sent.send_at, sandbox.invitations_sent(ALDER)) == ("invited", None, 1)
    assert InvitationRow(sent).data["send_at"] is None


def test_nothing_waits_while_the_window_is_open(scenario, sandbox, move_candidate):
    scenario.set_policies(**hours(-2, 2))
    move_candidate()
    scenario.work()
    assert (Invitation.objects.get().send_at, sandbox.invitations_sent(ALDER)) == (None, 1)


@pytest.mark.parametrize(("zone", "sent"), [("Etc/GMT-6", 1), ("Mars/Olympus", 0), (None, 0)])
def test_the_time_zone_counts_that_lever_has_of_the_candidate(scenario, sandbox, move_candidate, zone, sent):
    # the window opens in five hours; where it is six hours later it has opened
    scenario.set_policies(**hours(5, 9))
    lever_account(sandbox).opportunities[sandbox.opportunity_id("Alder")].time_zone = zone
    move_candidate()
    scenario.work()
    invitation = Invitation.objects.get()
    assert sandbox.invitations_sent(ALDER) == sent
    assert invitation.time_zone == (zone if sent else "")
    if not sent:
        assert "(UTC)" in invitation.words.title


def test_else_the_time_zone_of_the_organization_counts(scenario, sandbox, move_candidate):
    scenario.set_policies(**hours(5, 9), time_zone="Etc/GMT-6")
    move_candidate()
    scenario.work()
    assert sandbox.invitations_sent(ALDER) == 1


@pytest.mark.parametrize("change", ["left", "archived"])
def test_who_leaves_while_it_waits_is_not_invited(scenario, sandbox, waiting, move_candidate, change):
    if change == "left":
        move_candidate(stage="Phone screen")
        scenario.work()
    else:
        sandbox.lever_does("archive", opportunities=[waiting.opportunity_id], reason="Withdrew")
    window_opens(scenario)
    ended = scenario.reread(waiting)
    assert (ended.status, ended.send_at, sandbox.invitations_sent()) == ("withdrawn", None, 0)
    assert scenario.latest_effect().state == "cancelled"


def test_what_is_tried_after_the_window_has_closed_waits_for_the_next_time(scenario, sandbox, waiting):
    scenario.codescreen_fails(status=503)
    window_opens(scenario)
    assert scenario.reread(waiting).status == "pending"
    window_has_closed()
    before = scenario.latest_effect().attempts
    scenario.work()
    again, effect = scenario.reread(waiting), scenario.latest_effect()
    assert again.waits_for_window
    assert (effect.state, effect.attempts) == ("due", before)
    assert is_at(effect.due_at, again.send_at)
    assert effect.last_error == "The send window is closed."
    window_opens(scenario)
    assert sandbox.invitations_sent(ALDER) == 1


def test_it_is_tried_for_days_from_the_opening_on_however_long_it_waited(scenario, waiting):
    effect = scenario.latest_effect()
    assert is_at(effect.trying_since, waiting.send_at)
    long_ago = timezone.now() - RETRY_FOR - timedelta(days=1)
    type(effect).objects.filter(pk=effect.pk).update(created_at=long_ago)
    scenario.codescreen_fails(status=503, times=3)
    window_opens(scenario)
    assert (scenario.reread(waiting).status, scenario.latest_effect().state) == ("pending", "due")


def test_a_call_without_an_answer_is_repeated_by_its_key_whatever_the_hour(scenario, sandbox, waiting):
    connection = scenario.organization.codescreen_connection
    type(connection).objects.update(idempotency=True)
    sandbox.codescreen_does("settings", idempotency=True)
    scenario.codescreen_fails("reset_after")
    window_opens(scenario)
    assert scenario.reread(waiting).status == "sending"
    window_has_closed()
    scenario.work()
    assert (scenario.reread(waiting).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_a_pause_holds_it_when_the_window_opens(scenario, sandbox, waiting):
    scenario.set_policies(paused=True)
    window_opens(scenario)
    assert (scenario.reread(waiting).status, sandbox.invitations_sent()) == ("pending", 0)
    assert scenario.reread(waiting).words.title == ""
    scenario.set_policies(paused=False)
    scenario.work()
    assert sandbox.invitations_sent(ALDER) == 1


def test_the_end_of_a_pause_sends_nothing_while_the_window_is_closed(scenario, sandbox, waiting):
    scenario.set_policies(paused=True)
    scenario.set_policies(paused=False)
    scenario.work()
    assert sandbox.invitations_sent() == 0
    assert scenario.reread(waiting).waits_for_window


# changes of the window


@pytest.mark.parametrize(
    "changes",
    [hours(-1, 1), {"send_from": "", "send_until": "", "send_days": []}],
    ids=["another window", "no window"],
)
def test_what_waits_is_sent_when_the_window_is_changed_so_that_it_is_open(
    scenario, sandbox, waiting, changes
):
    scenario.set_policies(**changes)
    scenario.work()
    assert (scenario.reread(waiting).send_at, sandbox.invitations_sent(ALDER)) == (None, 1)


def test_what_waits_follows_another_window(scenario, sandbox, waiting):
    scenario.set_policies(**hours(6, 7))
    scenario.work()
    later = scenario.reread(waiting)
    assert later.send_at - waiting.send_at > timedelta(hours=2, minutes=58)
    assert is_at(scenario.latest_effect().due_at, later.send_at)
    assert sandbox.invitations_sent() == 0


def test_what_waits_follows_another_time_zone(scenario, sandbox, waiting):
    scenario.set_policies(time_zone="Etc/GMT-3")  # there it is three hours later, and the window open
    scenario.work()
    assert sandbox.invitations_sent(ALDER) == 1


# people


def test_an_admin_sends_it_at_once(scenario, sandbox, waiting, super_admin):
    acts.send_now(waiting, super_admin, "They start today.")
    scenario.work()
    sent = scenario.reread(waiting)
    assert (sent.status, sent.send_at, sandbox.invitations_sent(ALDER)) == ("invited", None, 1)
    entry = AuditEntry.objects.get(action="send_now")
    assert (entry.actor_name, entry.reason) == (super_admin.get_username(), "They start today.")
    with pytest.raises(ActionNotAllowed, match="doesn't wait for the send window"):
        acts.send_now(sent, super_admin)


def test_what_an_admin_sends_at_once_is_retried_whatever_the_hour(scenario, sandbox, waiting, super_admin):
    scenario.codescreen_fails(status=503)
    acts.send_now(waiting, super_admin)
    scenario.work()
    assert scenario.reread(waiting).status == "pending"
    scenario.work_waiting()
    assert sandbox.invitations_sent(ALDER) == 1


def test_an_approval_waits_for_the_window_and_can_be_taken_back(scenario, sandbox, held, super_admin):
    close_window(scenario)
    acts.approve(held, super_admin, wait=timedelta(seconds=30))
    approved = scenario.reread(held)
    assert approved.waits_for_window
    scenario.work()
    take_back_approval(approved, super_admin)
    assert (scenario.reread(held).status, scenario.reread(held).send_at) == ("held", None)
    acts.approve(scenario.reread(held), super_admin)
    window_opens(scenario)
    assert (scenario.reread(held).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_a_further_round_waits_for_the_window(scenario, sandbox, super_admin):
    invitation = scenario.sent_invitation()
    acts.cancel(invitation, super_admin)
    close_window(scenario)
    again = acts.invite_again(scenario.reread(invitation), super_admin)
    assert again.waits_for_window
    scenario.work()
    assert sandbox.invitations_sent(ALDER) == 1
    window_opens(scenario)
    assert sandbox.invitations_sent(ALDER) == 2


# extra time


def test_who_turns_out_to_need_extra_time_while_it_waits_is_held(scenario, sandbox, waiting, super_admin):
    scenario.set_policies(hold_tag="Accommodation")
    sandbox.lever_does("tags", opportunity=waiting.opportunity_id, add=["accommodation"])
    window_opens(scenario)
    held = scenario.reread(waiting)
    assert (held.status, held.send_at, sandbox.invitations_sent()) == ("held", None, 0)
    assert "An Admin sets the extra time in CodeScreen, then sends it." in held.status_reason
    acts.approve(held, super_admin)
    window_opens(scenario)
    assert (scenario.reread(held).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


# erasure


def test_nothing_is_sent_to_a_person_whose_data_was_erased_while_it_waited(scenario, sandbox, waiting):
    lever_account(sandbox).opportunities[waiting.opportunity_id].time_zone = "Asia/Tokyo"
    Invitation.objects.update(time_zone="Asia/Tokyo")
    erase(scenario.organization, waiting.opportunity_id, ErasureCause.FORGOTTEN, "test")
    erased = scenario.reread(waiting)
    assert (erased.status, erased.send_at, erased.time_zone) == ("withdrawn", None, "")
    window_opens(scenario)
    assert sandbox.invitations_sent() == 0
