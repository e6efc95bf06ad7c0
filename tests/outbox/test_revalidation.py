"""An invitation that waited is decided again before it is sent."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.catalog.acts import MAPPINGS
from integrations.catalog.models.role_mapping import RoleMapping
from integrations.clients import provider
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import HoldReason, ProgressTag
from integrations.http.steps import NOT_SHOWN_WAITS
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import apply_outcome
from integrations.outbox.revalidation import revalidate
from integrations.queue import worker
from tests.support import factories
from tests.support.calls import count_calls
from tests.support.scenario import ASSESSMENT

ALDER = "alder@candidates.example"


@pytest.fixture
def old_invitation(scenario, sandbox):
    """An invitation that was decided five minutes ago, of a candidate in the stage."""
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage="CodeScreen Assessment")
    return scenario.pending_invitation(checked_at=timezone.now() - timedelta(minutes=5))


def test_an_old_invitation_is_sent_when_the_candidate_is_still_in_the_stage(
    scenario, sandbox, old_invitation
):
    scenario.work()
    assert (scenario.reread(old_invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


@pytest.mark.parametrize("change", ["left", "archived", "anonymized", "deleted"])
def test_an_old_invitation_is_withdrawn_when_the_candidate_has_left(
    scenario, sandbox, old_invitation, change
):
    candidate = sandbox.opportunity_id("Alder")
    match change:
        case "left":
            sandbox.lever_does("move", opportunities=[candidate], stage="Phone screen")
        case "archived":
            sandbox.lever_does("archive", opportunities=[candidate], reason="Withdrew")
        case "anonymized":
            sandbox.lever_does("anonymize", opportunities=[candidate])
        case "deleted":
            sandbox.lever_does("delete", opportunities=[candidate])
    for _ in range(len(NOT_SHOWN_WAITS) + 1):
        scenario.work_waiting()
    invitation = scenario.reread(old_invitation)
    assert invitation.status == "withdrawn"
    assert invitation.status_reason
    assert (scenario.latest_effect().state, sandbox.invitations_sent()) == ("cancelled", 0)


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_tag_for_extra_time_that_came_later_holds_it_unless_a_person_sent_it(
    scenario, sandbox, old_invitation, by_hand
):
    scenario.set_policies(hold_tag="Accommodation")
    sandbox.lever.accounts["acme"].opportunities[old_invitation.opportunity_id].tags.append("accommodation")
    if by_hand:
        Invitation.objects.update(held_for=list(HoldReason))
    scenario.work()
    invitation = scenario.reread(old_invitation)
    assert invitation.status == ("invited" if by_hand else "held")
    assert sandbox.invitations_sent(ALDER) == int(by_hand)


def test_an_approval_releases_the_reasons_that_were_shown_and_no_later_one(
    scenario, sandbox, held, super_admin
):
    assert held.held_for == ["bulk_limit"]
    scenario.set_policies(hold_tag="Accommodation")
    sandbox.lever.accounts["acme"].opportunities[held.opportunity_id].tags.append("Accommodation")
    invitations.approve(held, super_admin)
    scenario.work()
    again = scenario.reread(held)
    assert (again.status, again.held_for) == ("held", ["bulk_limit", "extra_time"])
    assert "An Admin sets the extra time in CodeScreen, then sends it." in again.status_reason
    invitations.approve(again, super_admin)
    scenario.work()
    assert (scenario.reread(held).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_an_old_invitation_waits_when_lever_does_not_answer(scenario, sandbox, old_invitation):
    scenario.lever_fails("/opportunities/", method="GET", status=503, times=5)
    scenario.work()
    assert (
        scenario.latest_effect().state,
        scenario.reread(old_invitation).status,
        sandbox.invitations_sent(),
    ) == ("due", "pending", 0)
    scenario.lever_fails("nothing")
    scenario.work_waiting()
    assert sandbox.invitations_sent(ALDER) == 1


@pytest.mark.parametrize("status", [403, 404])
def test_a_candidate_lever_does_not_show_for_a_moment_is_invited(scenario, sandbox, old_invitation, status):
    scenario.lever_fails("/opportunities/", method="GET", status=status, times=len(NOT_SHOWN_WAITS))
    for _ in range(len(NOT_SHOWN_WAITS) + 1):
        scenario.work_waiting()
    assert (scenario.reread(old_invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def add_progress_tag(sandbox):
    """Let the candidate have a progress tag in Lever, as if an invitation had been sent whose row was lost."""
    sandbox.lever_does("tags", opportunity=sandbox.opportunity_id("Alder"), add=[ProgressTag.INVITED])


def test_an_old_invitation_is_uncertain_when_lever_has_a_progress_tag_that_nothing_explains(
    scenario, sandbox, old_invitation, super_admin
):
    add_progress_tag(sandbox)
    scenario.work()
    invitation = scenario.reread(old_invitation)
    assert (invitation.status, scenario.latest_effect().state) == ("uncertain", "uncertain")
    assert "progress tag" in invitation.status_reason
    assert sandbox.invitations_sent() == 0
    invitations.send_again(invitation, super_admin)
    scenario.codescreen_fails(status=503, times=1)
    for _ in range(2):  # the choice outlasts a retry
        scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent()) == ("invited", 1)


def test_an_approved_invitation_is_uncertain_when_lever_has_a_progress_tag_that_nothing_explains(
    scenario, sandbox, old_invitation, super_admin
):
    Invitation.objects.update(status="held", checked_at=timezone.now())
    Effect.objects.filter(kind="send_invitation").delete()
    add_progress_tag(sandbox)
    invitations.approve(scenario.reread(old_invitation), super_admin)
    scenario.work()
    assert (scenario.reread(old_invitation).status, sandbox.invitations_sent()) == ("uncertain", 0)


def test_an_old_invitation_of_a_later_round_is_sent_beside_the_tag_of_the_earlier(
    scenario, sandbox, super_admin
):
    scenario.sent_invitation()
    Invitation.objects.update(status="completed", completed_at=timezone.now())
    invitations.invite_again(Invitation.objects.get(), super_admin)
    scenario.work()
    assert sandbox.invitations_sent() == 2


FINAL_STAGE = "CodeScreen Take-home"


@pytest.fixture
def mapped_stages(scenario):
    """Mappings by which each of two CodeScreen stages leads to an assessment of its own; returns the second one's."""
    RoleMapping.objects.create(
        organization=scenario.organization,
        role="Backend Engineer",
        stage="CodeScreen Assessment",
        assessment="Backend",
    )
    return RoleMapping.objects.create(
        organization=scenario.organization,
        role="Backend Engineer",
        stage=FINAL_STAGE,
        assessment="Frontend Developer",
    )


def test_a_wrong_codescreen_stage_that_is_corrected_before_sending_invites_to_one_assessment(
    scenario, sandbox, mapped_stages
):
    scenario.set_policies(paused=True)
    invitation = scenario.pending_invitation(checked_at=timezone.now() - timedelta(minutes=5))
    scenario.place(stage=FINAL_STAGE)
    scenario.set_policies(paused=False)
    scenario.work_waiting()
    invitation = scenario.reread(invitation)
    assert (invitation.status, sandbox.invitations_sent()) == ("withdrawn", 0)
    assert FINAL_STAGE in invitation.status_reason


def test_a_candidate_who_moved_to_a_stage_with_the_same_assessment_is_invited(
    scenario, sandbox, mapped_stages, old_invitation
):
    RoleMapping.objects.filter(pk=mapped_stages.pk).update(assessment="Backend")
    scenario.place(stage=FINAL_STAGE)
    scenario.work_waiting()
    assert (scenario.reread(old_invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_errors_before_do_not_shorten_the_wait_for_a_candidate_lever_does_not_show(
    scenario, sandbox, old_invitation
):
    scenario.lever_fails("/opportunities/", method="GET", status=503, times=3)
    for _ in range(3):
        scenario.work_waiting()
    scenario.lever_fails("/opportunities/", method="GET", status=404, times=1)
    scenario.work_waiting()
    assert scenario.reread(old_invitation).status == "pending"
    scenario.work_waiting()
    assert (scenario.reread(old_invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


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


@pytest.fixture(params=[on_hold, paused, retried], ids=lambda wait: wait.__name__)
def end_wait(scenario, sandbox, request, roles, move_candidate):
    """What ends the wait of an invitation to “Backend”, and sends what is to be sent."""
    move_candidate()
    go_on = request.param(scenario)
    assert Invitation.objects.get(email=ALDER).status == ("held" if request.param is on_hold else "pending")

    def end() -> None:
        go_on()
        for _ in range(2):
            scenario.work_waiting()

    return end


def given_to_alder():
    """Return the candidate's invitations: to what, for which role, where they stand."""
    rows = Invitation.objects.filter(email=ALDER).order_by("pk")
    return [(row.assessment_name, row.role_title, row.status) for row in rows]


def test_who_waits_is_sent_the_assessment_of_the_mapping_that_was_corrected(
    scenario, sandbox, roles, end_wait
):
    roles.assessment = "Frontend Developer"
    MAPPINGS.save(roles, "test")
    end_wait()
    former, current = given_to_alder()
    assert former == ("Backend", "Backend Engineer", "withdrawn")
    assert current == ("Frontend Developer", "Backend Engineer", "invited")
    assert sandbox.invitations_sent(ALDER) == 1
    reason = Invitation.objects.get(email=ALDER, status="withdrawn").status_reason
    assert reason == "By now the candidate's assessment in “CodeScreen Assessment” is “Frontend Developer”."


def for_another_posting(sandbox):
    """Let the candidate be considered for another posting in Lever, in the same stage."""
    account = sandbox.lever.accounts["acme"]
    account.opportunities[sandbox.opportunity_id("Alder")].posting_id = account.find_posting(
        "Frontend Engineer"
    ).id


def test_who_waits_and_is_moved_to_another_posting_is_sent_its_assessment(sandbox, end_wait):
    for_another_posting(sandbox)
    end_wait()
    former, current = given_to_alder()
    assert former == ("Backend", "Backend Engineer", "withdrawn")
    assert current == ("Frontend Developer", "Frontend Engineer", "invited")
    assert sandbox.invitations_sent(ALDER) == 1


def test_who_waits_and_is_moved_to_a_posting_with_the_same_assessment_is_sent_it_for_the_new_role(
    sandbox, end_wait
):
    mapping = RoleMapping.objects.get(role="Frontend Engineer")
    mapping.assessment = "Backend"
    MAPPINGS.save(mapping, "test")
    for_another_posting(sandbox)
    end_wait()
    assert given_to_alder() == [("Backend", "Frontend Engineer", "invited")]
    assert Invitation.objects.get(email=ALDER).mapping == mapping


def test_who_waits_is_told_the_truth_when_the_stage_was_renamed(scenario, sandbox, end_wait):
    sandbox.lever.accounts["acme"].stages[sandbox.stage_id("CodeScreen Assessment")].text = "Technical test"
    LeverConnection.objects.update(stages_refreshed_at=None)
    end_wait()
    invitation = Invitation.objects.get(email=ALDER)
    assert (invitation.status, sandbox.invitations_sent()) == ("withdrawn", 0)
    assert invitation.status_reason == "The stage “Technical test” sends no assessment."
    assert Delivery.objects.get().verdict == "not_a_trigger_stage"


@pytest.mark.parametrize("rule", ["tag", "origin", "approval"])
def test_who_waits_and_must_be_approved_by_now_is_held(scenario, sandbox, roles, end_wait, rule):
    opportunity = sandbox.lever.accounts["acme"].opportunities[sandbox.opportunity_id("Alder")]
    match rule:
        case "tag":
            scenario.set_policies(hold_tag="Accommodation")
            opportunity.tags.append("Accommodation")
        case "origin":
            scenario.set_policies(origins={"agency": "hold"})
            opportunity.origin = "agency"
        case "approval":
            roles.approval = "always"
            MAPPINGS.save(roles, "test")
    end_wait()
    invitation = Invitation.objects.get(email=ALDER)
    assert (invitation.status, sandbox.invitations_sent()) == ("held", 0)
    assert invitation.status_reason.startswith("Waits for approval: ")
    assert "more than" not in invitation.status_reason  # what was approved holds it no more
    invitations.approve(invitation, "test")
    scenario.work()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)


def test_the_yes_to_what_was_approved_and_read_outlasts_a_later_mapping(scenario, sandbox, roles, held):
    scenario.codescreen_fails(status=503)
    invitations.approve(held, "test")
    scenario.work()  # in vain
    roles.assessment = "Frontend Developer"
    MAPPINGS.save(roles, "test")
    scenario.work_waiting()
    assert given_to_alder() == [("Backend", "Backend Engineer", "invited")]
    assert sandbox.invitations_sent(ALDER) == 1


def test_what_a_person_sends_again_is_theirs_to_choose(scenario, sandbox, roles, move_candidate):
    scenario.codescreen_fails(status=422)
    move_candidate()
    scenario.work()
    roles.assessment = "Frontend Developer"
    roles.approval = "always"
    MAPPINGS.save(roles, "test")
    invitations.send_again(Invitation.objects.get(status="failed"), "test")
    scenario.work()
    assert given_to_alder() == [("Backend", "Backend Engineer", "invited")]
    assert sandbox.invitations_sent(ALDER) == 1


def change(mapping):
    mapping.assessment = "Frontend Developer"
    MAPPINGS.save(mapping, "test")


@pytest.mark.parametrize(
    ("act", "expected"),
    [(change, ["withdrawn", "invited"]), (lambda mapping: MAPPINGS.remove(mapping, "test"), ["withdrawn"])],
    ids=["changed", "deleted"],
)
def test_a_mapping_that_is_corrected_just_after_the_decision_holds(
    scenario, sandbox, roles, move_candidate, act, expected
):
    account = sandbox.lever.accounts["acme"]
    account.opportunities[sandbox.opportunity_id("Alder")].tags.clear()
    move_candidate()
    worker.decide(factories.claimed(Delivery, "me"))
    act(roles)
    scenario.work()
    assert [status for _, _, status in given_to_alder()] == expected
    verdict = "no_assessment" if len(expected) == 1 else "invite"
    assert Delivery.objects.get().verdict == verdict
    assert sandbox.invitations_sent() == len(expected) - 1


def test_who_is_sent_at_once_is_read_once(scenario, roles, move_candidate):
    move_candidate()
    before = count_calls(method="GET", path__contains="/opportunities/")
    scenario.work()
    assert given_to_alder() == [("Backend", "Backend Engineer", "invited")]
    assert count_calls(method="GET", path__contains="/opportunities/") - before == 1


def test_what_was_cancelled_counts_in_no_limit_against_its_candidate(
    scenario, sandbox, roles, move_candidate
):
    scenario.set_policies(bulk_limit=1)
    move_candidate()
    end = paused(scenario)
    change(roles)
    end()
    for _ in range(2):
        scenario.work_waiting()
    assert [status for _, _, status in given_to_alder()] == ["withdrawn", "invited"]


def test_what_a_person_sent_again_in_any_stage_is_sent_although_the_candidate_leaves_another(
    scenario, sandbox, move_candidate, super_admin
):
    earlier = scenario.sent_invitation()
    Invitation.objects.update(status="completed", completed_at=timezone.now())
    again = invitations.invite_again(scenario.reread(earlier), super_admin)
    move_candidate(stage="Phone screen")
    worker.decide(factories.claimed(Delivery, "me"))
    assert (Delivery.objects.get().verdict, scenario.reread(again).status) == (
        "not_a_trigger_stage",
        "pending",
    )
    scenario.work()
    assert (scenario.reread(again).status, sandbox.invitations_sent(ALDER)) == ("invited", 2)


def while_another_decides(decide, revalidate):
    """Return what `revalidate` says, which begins before the decision is committed that holds the lock."""
    outcomes = []

    def run() -> None:
        try:
            outcomes.append(revalidate())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        decide()
        thread.start()
        thread.join(0.5)  # it waits for this transaction, or is done
    thread.join(20)
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

    outcome = while_another_decides(
        invite_elsewhere, lambda: revalidate(effect, old_invitation, clients, is_chosen=False)
    )
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
    outcome = revalidate(effect, invitation, provider.ClientProvider(scenario.organization), is_chosen=False)
    leased = delivery.lease()
    assert outcome is not None
    assert leased is not None

    def decide() -> None:
        Organization.objects.lock(scenario.organization.pk)
        assert leased.decide(VerdictCode.ALREADY_INVITED, "The candidate already has it.", invitation)

    while_another_decides(decide, lambda: apply_outcome(effect, outcome, None))
    scenario.work()
    assert [status for _, _, status in given_to_alder()] == ["withdrawn", "invited"]
