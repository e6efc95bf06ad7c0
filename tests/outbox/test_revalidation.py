"""An invitation that waited is decided again: it is sent as the rules and people say by then."""

import pytest
from django.utils import timezone

from integrations.catalog.acts import MAPPINGS
from integrations.catalog.models import RoleMapping
from integrations.clients import provider
from integrations.core.rules.facts import Pause
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ProgressTag
from integrations.http.steps import NOT_SHOWN_WAITS
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.acts import set_policies
from integrations.organizations.models.organization import Organization
from integrations.outbox.kinds.invitation import revalidate
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import apply_outcome
from integrations.queue import worker
from tests.support import factories
from tests.support.at_once import run_during_transaction
from tests.support.scenario import ASSESSMENT, STAGE

ALDER = "alder@candidates.example"


@pytest.mark.parametrize(("act", "more"), [("move", {"stage": "Phone screen"}), ("delete", {})])
def test_an_old_invitation_is_withdrawn_when_the_candidate_has_left(
    scenario, sandbox, old_invitation, act, more
):
    sandbox.lever_does(act, opportunities=[sandbox.opportunity_id("Alder")], **more)
    for _ in range(len(NOT_SHOWN_WAITS) + 1):
        scenario.work_waiting()
    invitation = scenario.reread(old_invitation)
    assert invitation.status == "withdrawn"
    assert invitation.status_reason
    assert (scenario.latest_effect().state, sandbox.invitations_sent()) == ("cancelled", 0)


def test_a_candidate_lever_does_not_show_for_a_moment_is_invited(scenario, sandbox, old_invitation):
    scenario.lever_fails("/opportunities/", method="GET", status=503, times=3)
    for _ in range(3):  # which doesn't shorten the wait
        scenario.work_waiting()
    scenario.lever_fails("/opportunities/", method="GET", status=404, times=len(NOT_SHOWN_WAITS))
    for _ in NOT_SHOWN_WAITS:
        scenario.work_waiting()
        assert scenario.reread(old_invitation).status == "pending"
    scenario.work_waiting()
    assert (scenario.reread(old_invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_an_old_invitation_is_uncertain_when_lever_has_a_progress_tag_that_nothing_explains(
    scenario, sandbox, old_invitation, super_admin
):
    # as if an invitation had been sent whose row was lost
    sandbox.lever_does("tags", opportunity=sandbox.opportunity_id("Alder"), add=[ProgressTag.INVITED])
    scenario.work()
    invitation = scenario.reread(old_invitation)
    assert (invitation.status, scenario.latest_effect().state) == ("uncertain", "uncertain")
    assert "progress tag" in invitation.status_reason
    assert sandbox.invitations_sent() == 0
    scenario.organization.refresh_from_db()
    assert scenario.organization.pause is Pause.OTHER_INTEGRATION  # the others wait for a person's word
    scenario.set_policies(other_integration_off=True)
    invitations.send_again(invitation, super_admin)
    scenario.codescreen_fails(status=503, times=1)
    for _ in range(2):  # the choice outlasts a retry
        scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent()) == ("invited", 1)


def test_an_old_invitation_of_a_later_round_is_sent_beside_the_tag_of_the_earlier(
    scenario, sandbox, super_admin
):
    scenario.sent_invitation()
    Invitation.objects.update(status="completed", completed_at=timezone.now())
    invitations.invite_again(Invitation.objects.get(), super_admin)
    scenario.work()
    assert sandbox.invitations_sent() == 2


def test_a_candidate_who_moved_to_a_stage_with_the_same_assessment_is_invited(
    scenario, sandbox, old_invitation
):
    for stage in (STAGE, "CodeScreen Take-home"):
        own = {"role": "Backend Engineer", "stage": stage, "assessment": "Backend"}
        RoleMapping.objects.create(organization=scenario.organization, **own)
    scenario.place(stage="CodeScreen Take-home")
    scenario.work_waiting()
    assert (scenario.reread(old_invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


# who waited to be sent an assessment gets what the rules and people say by then


@pytest.fixture
def roles(scenario):
    """Mappings of two roles to an assessment each; returns the one of the candidate's role."""
    backend, _ = (
        RoleMapping.objects.create(organization=scenario.organization, role=role, assessment=assessment)
        for role, assessment in (("Backend Engineer", "Backend"), ("Frontend Engineer", "Frontend Developer"))
    )
    return backend


def on_hold(scenario):
    """Let the candidate's invitation be on hold; return what approves it."""
    scenario.set_policies(bulk_limit=1)
    factories.InvitationFactory(organization=scenario.organization, status="invited", instance_id="i-0")
    scenario.work()
    invitation = Invitation.objects.get(status="held")
    scenario.set_policies(bulk_limit=50)
    return lambda: invitations.approve(invitation, "test")


def paused(scenario):
    """Let the candidate's invitation be decided just before a pause; return what ends it."""
    worker.decide(factories.claimed(Delivery, "me"))
    scenario.set_policies(paused=True)
    scenario.work()
    return lambda: scenario.set_policies(paused=False)


def retried(scenario):
    """Let the candidate's invitation be sent in vain; return what happens before the next try: nothing."""
    scenario.codescreen_fails(status=503)
    scenario.work()
    return lambda: None


@pytest.fixture
def end_wait(scenario, request, roles, move_candidate):
    """What ends the wait of an invitation to “Backend”, by default on hold, and sends what is to be sent."""
    move_candidate()
    wait = getattr(request, "param", on_hold)
    go_on = wait(scenario)
    assert Invitation.objects.get(email=ALDER).status == ("held" if wait is on_hold else "pending")

    def end() -> None:
        go_on()
        for _ in range(2):
            scenario.work_waiting()

    return end


def given_to_alder():
    """Return the candidate's invitations: to what, for which role, where they stand."""
    rows = Invitation.objects.filter(email=ALDER).order_by("pk")
    return [(row.assessment_name, row.role_title, row.status) for row in rows]


@pytest.mark.parametrize(
    "end_wait", [on_hold, paused, retried], indirect=True, ids=lambda wait: wait.__name__
)
def test_who_waits_is_sent_the_assessment_of_the_mapping_that_was_corrected(sandbox, roles, end_wait):
    change(roles)
    end_wait()
    former, current = given_to_alder()
    assert former == ("Backend", "Backend Engineer", "withdrawn")
    assert current == ("Frontend Developer", "Backend Engineer", "invited")
    assert sandbox.invitations_sent(ALDER) == 1
    assert Delivery.objects.get().explanation.startswith("The assessment is “Frontend Developer”")
    reason = Invitation.objects.get(email=ALDER, status="withdrawn").status_reason
    assert reason == "By now the candidate's assessment in “CodeScreen Assessment” is “Frontend Developer”."


def test_who_waits_and_must_be_approved_by_now_is_held(scenario, sandbox, end_wait):
    scenario.set_policies(hold_tag="Accommodation")
    sandbox.candidate("Alder").tags.append("Accommodation")
    end_wait()
    invitation = Invitation.objects.get(email=ALDER)
    assert (invitation.status, sandbox.invitations_sent()) == ("held", 0)
    assert invitation.held_for == ["bulk_limit", "extra_time"]
    assert invitation.status_reason.startswith("Waits for approval: ")
    assert "more than" not in invitation.status_reason  # what was approved holds it no more
    invitations.approve(invitation, "test")
    scenario.work()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_the_yes_to_what_was_approved_and_read_outlasts_a_later_mapping(scenario, sandbox, roles, held):
    scenario.codescreen_fails(status=503)
    invitations.approve(held, "test")
    scenario.work()  # in vain
    change(roles)
    scenario.work_waiting()
    assert given_to_alder() == [("Backend", "Backend Engineer", "invited")]
    assert sandbox.invitations_sent(ALDER) == 1


def change(mapping):
    mapping.assessment = "Frontend Developer"
    MAPPINGS.save(mapping, "test")


def map_the_stage(mapping):
    """Map the role anew, in the candidate's stage."""
    own = {"role": mapping.role, "stage": "CodeScreen Assessment", "assessment": "Frontend Developer"}
    MAPPINGS.save(RoleMapping(organization=mapping.organization, **own), "test")


@pytest.mark.parametrize(
    ("act", "statuses"),
    [
        (change, ["withdrawn", "invited"]),
        (lambda mapping: MAPPINGS.remove(mapping, "test"), ["withdrawn"]),
        (map_the_stage, ["withdrawn", "invited"]),
        (lambda mapping: set_policies(mapping.organization, {"hold_tag": "On hold"}, "test"), ["held"]),
    ],
    ids=["mapping changed", "mapping deleted", "mapping added", "policy"],
)
def test_a_rule_that_changes_just_after_the_decision_holds(
    scenario, sandbox, roles, move_candidate, act, statuses
):
    sandbox.candidate("Alder").tags[:] = ["On hold"]
    move_candidate()
    worker.decide(factories.claimed(Delivery, "me"))
    act(roles)
    scenario.work()
    assert [status for _, _, status in given_to_alder()] == statuses
    assert sandbox.invitations_sent() == statuses.count("invited")


def while_another_decides(decide, revalidate):
    """Return what `revalidate` says, which begins before the decision is committed that holds the lock."""
    outcomes = []
    assert run_during_transaction(decide, lambda: outcomes.append(revalidate())) == []
    [outcome] = outcomes
    return outcome


@pytest.mark.django_db(transaction=True)
def test_nobody_is_sent_what_a_decision_at_the_same_moment_gives_them_elsewhere(scenario, old_invitation):
    effect = factories.claimed(Effect, "me")
    clients = provider.ClientProvider(scenario.organization)
    clients.lever().opportunity(old_invitation.opportunity_id)  # connected by now

    def invite_elsewhere() -> None:
        Organization.objects.lock(scenario.organization.pk)
        factories.InvitationFactory(
            organization=scenario.organization, email=ALDER, assessment_id=ASSESSMENT, instance_id="i-1"
        )

    outcome = while_another_decides(invite_elsewhere, lambda: revalidate(effect, old_invitation, clients))
    apply_outcome(effect, outcome, None)
    invitation = scenario.reread(old_invitation)
    assert (invitation.status, scenario.latest_effect().state) == ("withdrawn", "cancelled")
    assert "through another opportunity" in invitation.status_reason


@pytest.mark.django_db(transaction=True)
def test_a_decision_at_the_same_moment_does_not_take_a_cancelled_invitation_for_a_valid_one(
    scenario, roles, move_candidate
):
    move_candidate()
    worker.decide(factories.claimed(Delivery, "me"))
    delivery, invitation = Delivery.objects.get(), Invitation.objects.get()
    change(roles)
    effect = factories.claimed(Effect, "me")
    outcome = revalidate(effect, invitation, provider.ClientProvider(scenario.organization))
    leased = delivery.lease()
    assert outcome is not None
    assert leased is not None

    def decide() -> None:
        Organization.objects.lock(scenario.organization.pk)
        assert leased.decide(VerdictCode.ALREADY_INVITED, "The candidate already has it.", invitation)

    while_another_decides(decide, lambda: apply_outcome(effect, outcome, None))
    scenario.work()
    assert [status for _, _, status in given_to_alder()] == ["withdrawn", "invited"]
