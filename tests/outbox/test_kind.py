"""Choose the author of what the portal writes to Lever."""

import pytest

from integrations.core.vocabulary import ProgressTag
from integrations.lever.models.connection import LeverConnection
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import ReportLinkPayload, enqueue
from tests.outbox.conftest import enqueue_note_on_candidate, feedback_forms
from tests.support.effects import enqueue_progress_tag


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_super_admin_is_the_author_when_none_is_stored_or_that_one_has_left(scenario, sandbox, is_stored):
    scenario.sent_invitation()
    if is_stored:
        sandbox.account.users[LeverConnection.objects.get().lever_user_id].deactivated_at = 1
    else:
        LeverConnection.objects.update(lever_user_id="")
    sandbox.lever_does("settings", strict_perform_as=True)
    scenario.evaluate(score=82, result="Passed")
    scenario.work_waiting()
    [form] = feedback_forms(sandbox)
    author = sandbox.account.users[form["user"]]
    assert author.deactivated_at is None
    assert is_stored or author.role == "super admin"


def test_the_connected_user_is_the_author_of_all_writes(scenario, sandbox, invitation):
    sandbox.lever_does("settings", strict_perform_as=True)
    enqueue_progress_tag(invitation, ProgressTag.INVITED)
    enqueue_note_on_candidate(scenario)
    payload = ReportLinkPayload("https://report.example/1")
    enqueue(scenario.organization.pk, Effect.Kind.ADD_REPORT_LINK, "x", payload, invitation=invitation)
    scenario.work()
    assert set(Effect.objects.values_list("state", flat=True)) == {"done"}


def another_user(sandbox):
    """Return an active user in Lever who didn't connect it."""
    connected = LeverConnection.objects.get().lever_user_id
    users = sandbox.account.users.values()
    return next(user for user in users if user.deactivated_at is None and user.id != connected)


def test_the_chosen_author_signs_the_feedback_and_nothing_else(scenario, sandbox):
    chosen = another_user(sandbox)
    LeverConnection.objects.update(feedback_author=chosen.id)
    scenario.completed_invitation(score=82, result="Passed")
    assert feedback_forms(sandbox)[0]["user"] == chosen.id
    assert LeverConnection.objects.get().lever_user_id != chosen.id


def test_the_person_who_connected_signs_when_the_chosen_author_has_left(scenario, sandbox):
    chosen = another_user(sandbox)
    LeverConnection.objects.update(feedback_author=chosen.id, feedback_author_name=chosen.name)
    scenario.sent_invitation()
    chosen.deactivated_at = 1
    sandbox.lever_does("settings", strict_perform_as=True)
    scenario.evaluate(score=82, result="Passed")
    scenario.work_waiting()
    connection = LeverConnection.objects.get()
    assert feedback_forms(sandbox)[0]["user"] == connection.lever_user_id
    assert (connection.feedback_author, connection.feedback_author_name) == ("", "")
