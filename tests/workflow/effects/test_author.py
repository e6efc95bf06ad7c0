"""Choose the author of what the portal writes to Lever."""

from integrations.models import (
    Effect,
    LeverConnection,
)
from integrations.vocabulary import ProgressTag
from integrations.workflow.outbox import enqueue
from integrations.workflow.outbox.payloads import ReportLinkPayload
from tests.workflow.effects.conftest import evaluate, feedback_forms, lever_account

TARGET = "Phone screen"


def test_a_super_admin_is_the_author_when_none_is_stored(scenario, sandbox):
    LeverConnection.objects.update(lever_user_id="")
    scenario.sent_invitation()
    evaluate(scenario, score=82, result="Passed")
    [form] = feedback_forms(sandbox)
    author = lever_account(sandbox).users[form["user"]]
    assert author.role == "super admin"
    assert author.deactivated_at is None


def test_the_author_is_replaced_when_deactivated_in_lever(scenario, sandbox):
    scenario.sent_invitation()
    lever_account(sandbox).users[LeverConnection.objects.get().lever_user_id].deactivated_at = 1
    sandbox.lever_does("settings", strict_perform_as=True)
    evaluate(scenario, score=82, result="Passed")
    scenario.work_waiting()
    [form] = feedback_forms(sandbox)
    assert lever_account(sandbox).users[form["user"]].deactivated_at is None


def test_the_connected_user_is_the_author_of_all_writes(scenario, sandbox, invitation):
    sandbox.lever_does("settings", strict_perform_as=True)
    enqueue.enqueue_progress_tag(invitation, ProgressTag.INVITED)
    enqueue.enqueue_note(
        scenario.organization, invitation.opportunity_id, "no_email", "CodeScreen: nothing was sent."
    )
    enqueue.enqueue(
        scenario.organization,
        "add_report_link",
        "x",
        invitation=invitation,
        payload=ReportLinkPayload("https://report.example/1"),
    )
    scenario.work()
    assert set(Effect.objects.values_list("state", flat=True)) == {"done"}


def test_the_connected_user_is_the_author_of_the_move(scenario, sandbox):
    sandbox.lever_does("settings", strict_perform_as=True)
    scenario.set_policies(passed_stage=TARGET)
    scenario.evaluated_invitation(score=90, result="Passed")
    scenario.work()
    change = sandbox.lever.accounts["acme"].opportunities[sandbox.opportunity_id("Alder")].stage_changes[-1]
    assert change["userId"] == scenario.organization.lever_connection.lever_user_id
