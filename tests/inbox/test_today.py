"""Who was not invited and would be now: by the rules of now, and by what Lever last showed."""

import pytest

from integrations.catalog.models import RoleMapping
from integrations.core.verdict_code import REMOVABLE_VERDICTS
from integrations.core.vocabulary import ErasureCause
from integrations.inbox.today import Today
from integrations.invitations.acts import invitations
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.privacy.erase import erase
from integrations.queue import acts as queue_acts
from tests.support import duty_runs, factories
from tests.support.scenario import ASSESSMENT, verdict

#: Of each reason that can end: the seeded candidate who has it.
CANDIDATES = {
    "archived": "Pine",
    "contact_not_allowed": "Rowan",
    "no_assessment": "Hazel",
    "unknown_assessment": "Ginkgo",
    "ambiguous_assessment": "Maple",
    "origin_excluded": "Upas",
    "no_email": "Nyssa",
    "invited_elsewhere": "Alder",
}


def end_reason(scenario, code: str) -> None:
    """Remove what keeps the candidate from being invited: in the portal, or in Lever with a sweep after it."""
    sandbox, word = scenario.sandbox, CANDIDATES[code]
    ids = [sandbox.opportunity_id(word)]
    match code:
        case "archived":
            sandbox.lever_does("archive", opportunities=ids, reason=None)
        case "contact_not_allowed":
            sandbox.candidate(word).data_protection = None
        case "no_assessment":
            scenario.set_policies(default_assessment="Backend")
        case "unknown_assessment":
            sandbox.lever_does(
                "tags", opportunities=ids, remove=["CodeScreen Data Enginer"], add=["CodeScreen Backend"]
            )
        case "ambiguous_assessment":
            RoleMapping.objects.create(
                organization=scenario.organization, role="Mobile Engineer", stage="", assessment="Backend"
            )
        case "origin_excluded":
            scenario.set_policies(origins={})
        case "no_email":
            scenario.correct(word, f"{word.lower()}@candidates.example")
        case "invited_elsewhere":
            invitations.cancel(Invitation.objects.get(status="held"), "test")
    duty_runs.sweep_whole(scenario.organization)


def test_every_reason_that_can_end_has_a_candidate_here():
    assert set(CANDIDATES) == set(REMOVABLE_VERDICTS)


@pytest.mark.parametrize("code", CANDIDATES)
def test_a_candidate_is_freed_when_the_reason_ended(scenario, super_admin, code):
    scenario.set_policies(origins={"sourced": "skip"})  # which one of them has
    factories.InvitationFactory.create(  # of Alder through another opportunity
        organization=scenario.organization,
        email="ALDER@candidates.example",
        assessment_id=ASSESSMENT,
        status="held",
    )
    delivery = scenario.enter(CANDIDATES[code])
    assert delivery.verdict == code
    assert not Today(scenario.organization).changed
    end_reason(scenario, code)
    changed = list(Today(scenario.organization).freed.values())
    assert [one.candidate.opportunity_id for one in changed] == [delivery.opportunity_id]
    assert changed[0].stored == code
    assert " when they entered the stage; " in changed[0].sentence
    assert verdict(delivery) == code, "nothing is decided by looking"
    assert queue_acts.replay(delivery, super_admin).verdict == "invite"
    assert not Today(scenario.organization).changed


@pytest.fixture
def hazel(scenario):
    """A candidate whose role had no assessment when they entered the stage; it has one now."""
    delivery = scenario.enter("Hazel")
    scenario.set_policies(default_assessment="Backend")
    return delivery


def test_the_sentence_says_what_was_and_what_is(scenario, hazel):
    (changed,) = Today(scenario.organization).freed.values()
    role = changed.candidate.role_title
    assert changed.sentence == (
        f"“{role}” had no assessment when they entered the stage; it has one now. "
        "The assessment is “Backend”, because of the default."
    )


def test_another_reason_is_said_as_that_of_now(scenario):
    scenario.enter("Hazel")
    scenario.set_policies(default_assessment="Nothing like it")
    (changed,) = Today(scenario.organization).changed.values()
    assert (changed.is_freed, changed.record.code) == (False, "unknown_assessment")
    assert ". Now: CodeScreen has no assessment “Nothing like it”." in changed.sentence


def test_nobody_is_freed_during_a_pause_or_who_moved_on_or_is_erased(scenario, hazel):
    assert Today(scenario.organization).freed
    scenario.set_policies(paused=True)
    assert not Today(scenario.organization).changed
    scenario.set_policies(paused=False)
    scenario.enter("Hazel", "Phone screen")
    assert not Today(scenario.organization).freed
    row = Candidate.objects.get()
    assert row.shown
    erase(scenario.organization, row.opportunity_id, ErasureCause.FORGOTTEN, "test")
    row.refresh_from_db()
    assert row.shown == {}


def test_nobody_is_freed_who_has_the_assessment_elsewhere(scenario, hazel):
    row = Candidate.objects.get()
    other = {"opportunity_id": "another", "email": row.email.upper(), "assessment_id": ASSESSMENT}
    factories.in_status(scenario.organization, "invited", **other)
    (changed,) = Today(scenario.organization).changed.values()
    assert changed.record.code == "invited_elsewhere"
