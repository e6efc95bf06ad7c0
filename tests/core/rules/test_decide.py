"""Every verdict in its order, and what an existing invitation, the bulk limit and the addresses do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from integrations.core.rules.decide import decide
from integrations.core.rules.facts import EnteredBefore, LostElsewhere, LostRows, NoCandidate, Pause
from integrations.core.rules.mappings import MappingIndex, MappingRule
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import Approval, Origin
from tests.core.rules.examples import BACKEND, FACTS, FRONTEND, existing_invitation, with_candidate

CODES = [verdict for verdict in VerdictCode if verdict != VerdictCode.NOTED]


#: Each makes its own verdict hold and changes nothing that the later ones depend on.
HOLDS = {
    "test_request": lambda facts: replace(facts, is_test=True),
    "paused": lambda facts: replace(facts, pause=Pause.BY_ADMIN),
    "disconnected": lambda facts: replace(facts, disconnected_reason="Lever isn't connected."),
    "ignored_event": lambda facts: replace(facts, event="candidateHired"),
    "erased": lambda facts: replace(facts, is_erased=True),
    "not_a_trigger_stage": lambda facts: replace(facts, stage_name="Phone screen"),
    "not_visible": lambda facts: replace(facts, candidate=NoCandidate.NOT_VISIBLE),
    "left_stage": lambda facts: with_candidate(facts, stage_id="stage-2", stage_name="Offer"),
    "archived": lambda facts: with_candidate(facts, is_archived=True),
    "anonymized": lambda facts: with_candidate(facts, is_anonymized=True),
    "entered_before": lambda facts: replace(facts, entered_before=EnteredBefore.CONNECTING),
    "contact_not_allowed": lambda facts: with_candidate(facts, may_contact=False),
    "no_assessment": lambda facts: replace(facts, mappings=MappingIndex()),
    "unknown_assessment": lambda facts: replace(
        facts, mappings=MappingIndex([MappingRule("Backend Engineer", "", "Bakend")])
    ),
    "ambiguous_assessment": lambda facts: with_candidate(
        replace(facts, mappings=MappingIndex()), tags=("CodeScreen Backend", "CodeScreen Frontend Developer")
    ),
    "origin_excluded": lambda facts: with_candidate(
        replace(facts, origins={"agency": "skip"}), origin=Origin.AGENCY
    ),
    "no_email": lambda facts: with_candidate(facts, emails=()),
    "already_invited": lambda facts: replace(facts, invitations_here=(existing_invitation(),)),
    "invited_elsewhere": lambda facts: replace(facts, invitations_elsewhere=(existing_invitation(),)),
    "held_for_approval": lambda facts: replace(facts, recently_invited=50),
    "invite": lambda facts: facts,
}


#: Of these verdicts only one can hold at a time.
EXCLUSIVE = {"no_assessment", "unknown_assessment", "ambiguous_assessment"}


#: Who has an invitation here is neither offered one nor left out, and needs no address.
UNLESS_INVITED = {"entered_before", "origin_excluded", "no_email"}


def test_every_code_has_a_case():
    assert list(HOLDS) == CODES


PAIRS = [
    (first, second)
    for position, first in enumerate(CODES)
    for second in CODES[position + 1 :]
    if not {first, second} <= EXCLUSIVE
    and not (first in UNLESS_INVITED and second == VerdictCode.ALREADY_INVITED)
    and second != VerdictCode.INVITE
    # every later verdict needs a candidate
    and first != VerdictCode.NOT_VISIBLE
]


@pytest.mark.parametrize("first", CODES)
def test_the_earlier_verdict_wins_when_two_hold(first):
    decision = decide(HOLDS[first](FACTS))
    assert decision.verdict == first
    assert decision.explanation.endswith((".", "?"))
    assert decision.next_step
    for second in [later for earlier, later in PAIRS if earlier == first]:
        assert decide(HOLDS[first](HOLDS[second](FACTS))).verdict == first, second


def test_an_invitation_names_the_assessment_and_the_address():
    decision = decide(FACTS)
    assert (decision.assessment, decision.email) == (BACKEND, "alder@candidates.example")
    assert decision.explanation == "The assessment is “Backend”, because of the mapping for this role."


# who may be invited already
@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({}, "paused"),
        ({"other_integration_off": True}, "entered_before"),
        ({"event": "sweep"}, "entered_before"),
        ({"lost": LostRows(datetime(2026, 1, 1, tzinfo=UTC))}, "entered_before"),
        ({"invitations_here": (existing_invitation(status="invited"),)}, "already_invited"),
    ],
)
def test_a_tag_that_nothing_explains_means_another_integration_unless_something_else_may(facts, verdict):
    decision = decide(replace(FACTS, entered_before=EnteredBefore.PROGRESS_TAG, **facts))
    assert decision.verdict == verdict


@pytest.mark.parametrize("cause", EnteredBefore)
def test_who_may_be_invited_already_is_offered_with_the_reason(cause):
    decision = decide(replace(FACTS, entered_before=cause, other_integration_off=True))
    assert decision.verdict == "entered_before"
    assert (
        "may be invited already" in decision.explanation or "and be invited already" in decision.explanation
    )


LOST_UNTIL = datetime(2026, 5, 1, tzinfo=UTC)


#: In these stages Lever says the candidate was while rows were lost.
HERE, ORDINARY = ("stage-1", "CodeScreen Assessment"), ("stage-9", "Phone screen")


def row(status: str, assessment: str = BACKEND.id, *, days: int = -1, was_sent: bool = True):
    """Return an invitation made so many days after the restore, over and entered again long since."""
    made = existing_invitation(status, assessment=assessment, was_sent=was_sent)
    at = LOST_UNTIL + timedelta(days=days)
    return replace(made, created_at=at, days_since_completion=90, was_reentered=True)


@pytest.mark.parametrize(
    ("stages", "here", "code"),
    [
        ([], [], "invite"),
        ([ORDINARY], [], "invite"),
        ([ORDINARY, HERE], [], "entered_before"),
        # another assessment's row explains nothing, whenever it was made
        ([HERE], [row("completed", FRONTEND.id)], "entered_before"),
        ([HERE], [row("completed", FRONTEND.id, days=1)], "entered_before"),
        ([ORDINARY], [row("completed", FRONTEND.id)], "invite"),
        # an earlier round doesn't either: a person may have sent the next, wherever the candidate was
        ([], [row("completed")], "entered_before"),
        ([], [row("failed", was_sent=False)], "entered_before"),
        ([], [row("withdrawn", was_sent=False)], "entered_before"),
        # what was made since comes after what may be lost
        ([HERE], [row("completed", days=1), row("completed")], "invite"),
        ([HERE], [row("failed", days=1, was_sent=False)], "invite"),
        # and who has it open isn't offered it
        ([HERE], [row("invited")], "already_invited"),
    ],
)
def test_after_a_restore_each_assessment_and_round_that_may_have_been_sent_is_offered(stages, here, code):
    facts = replace(FACTS, reentry_days=30, invitations_here=tuple(here))
    assert decide(replace(facts, lost=LostRows(LOST_UNTIL, tuple(stages)))).verdict == code
    assert decide(facts).verdict == ("already_invited" if code == "already_invited" else "invite")


def test_who_was_offered_since_a_restore_is_until_there_is_a_row():
    facts = replace(FACTS, reentry_days=30, lost=LostRows(LOST_UNTIL, is_offered=True))
    assert decide(facts).explanation.startswith("The portal was restored from a backup.")
    assert (
        decide(replace(facts, invitations_here=(row("failed", days=1, was_sent=False),))).verdict == "invite"
    )


def test_a_stage_that_is_none_for_the_role_lost_nothing_of_the_candidate():
    mapped = MappingRule("Another role", "Phone screen", "Backend")
    facts = replace(FACTS, mappings=MappingIndex([*FACTS.mappings.rules, mapped]))
    assert decide(replace(facts, lost=LostRows(LOST_UNTIL, (ORDINARY,)))).verdict == "invite"


THERE = "another-opportunity"


@pytest.mark.parametrize(
    ("shown", "elsewhere", "here", "code"),
    [
        ({}, [], [], "invite"),
        ({"stages": (ORDINARY,)}, [], [], "invite"),
        ({"stages": (ORDINARY, HERE)}, [], [], "entered_before"),
        # another assessment's row explains nothing of the stage, but the progress tag
        ({"stages": (HERE,)}, [row("completed", FRONTEND.id)], [], "entered_before"),
        ({"has_progress_tag": True}, [], [], "entered_before"),
        ({"has_progress_tag": True}, [row("completed", FRONTEND.id)], [], "invite"),
        # a person may have sent it again there, in any stage
        ({}, [row("completed")], [], "entered_before"),
        ({}, [row("failed", was_sent=False)], [], "entered_before"),
        # what was made since comes after what may be lost, there and here
        ({"stages": (HERE,)}, [row("failed", days=1, was_sent=False)], [], "invite"),
        ({"stages": (HERE,)}, [], [row("failed", days=1, was_sent=False)], "invite"),
        # and who is known to have it there isn't offered it
        ({"stages": (HERE,)}, [row("invited")], [], "invited_elsewhere"),
    ],
)
def test_after_a_restore_what_the_person_may_have_got_through_another_opportunity_is_offered(
    shown, elsewhere, here, code
):
    lost = LostRows(LOST_UNTIL, elsewhere=(LostElsewhere(THERE, **shown),))
    rows = tuple(replace(one, opportunity_id=THERE) for one in elsewhere)
    facts = replace(FACTS, reentry_days=30, invitations_elsewhere=rows, invitations_here=tuple(here))
    assert decide(replace(facts, lost=lost)).verdict == code
    assert decide(facts).verdict == ("invited_elsewhere" if code == "invited_elsewhere" else "invite")


@pytest.mark.parametrize("code", ["origin_excluded", "no_email"])
def test_who_has_the_assessment_here_is_not_left_out_but_gets_no_further_round(code):
    facts = HOLDS[code](FACTS)
    assert decide(replace(facts, invitations_here=(existing_invitation(),))).verdict == "already_invited"
    other = existing_invitation(assessment="another")
    assert decide(replace(facts, invitations_here=(other,))).verdict == code
    unsent = existing_invitation("withdrawn", was_sent=False)
    assert decide(replace(facts, invitations_here=(unsent,))).verdict == code
    earlier = replace(existing_invitation("completed"), days_since_completion=20, was_reentered=True)
    again = replace(facts, reentry_days=10, invitations_here=(earlier,))
    assert decide(again).verdict == code


@pytest.mark.parametrize(
    ("rounds", "code", "number"),
    [
        ([("completed", 1, 30, True)], "invite", 2),
        ([("completed", 1, 29.9, True)], "already_invited", 1),
        ([("completed", 1, 90, False)], "already_invited", 1),
        ([("invited", 1, None, True)], "already_invited", 1),
        ([("completed", 1, 90, True), ("completed", 2, 40, True)], "invite", 3),
        ([("completed", 2, 10, True), ("completed", 1, 90, True)], "already_invited", 1),
        ([("completed", 1, 90, True), ("invited", 2, None, True)], "already_invited", 1),
        ([("completed", 1, 90, True), ("failed", 2, None, True)], "invite", 2),
    ],
)
def test_the_latest_round_says_whether_another_begins(rounds, code, number):
    here = tuple(
        replace(existing_invitation(status), round=n, days_since_completion=days, was_reentered=is_reentered)
        for status, n, days, is_reentered in rounds
    )
    decision = decide(replace(FACTS, reentry_days=30, invitations_here=here))
    assert (decision.verdict, decision.round) == (code, number)
    elsewhere = decide(replace(FACTS, reentry_days=30, invitations_elsewhere=here))
    assert elsewhere.verdict == ("invite" if code == "invite" else "invited_elsewhere")
    assert decide(replace(FACTS, invitations_here=here)).verdict == "already_invited"


# existing invitations, the bulk limit and addresses
@pytest.mark.parametrize(
    ("status", "was_sent", "code"),
    [
        ("held", False, "already_invited"),
        ("pending", False, "already_invited"),
        ("sending", False, "already_invited"),
        ("uncertain", True, "already_invited"),
        ("invited", True, "already_invited"),
        ("in_progress", True, "already_invited"),
        ("submitted", True, "already_invited"),
        ("completed", True, "already_invited"),
        ("withdrawn", True, "already_invited"),
        ("withdrawn", False, "invite"),
        ("failed", False, "invite"),
    ],
)
def test_an_existing_invitation_blocks_another_unless_it_was_never_sent(status, was_sent, code):
    decision = decide(replace(FACTS, invitations_here=(existing_invitation(status, was_sent=was_sent),)))
    assert decision.verdict == code
    if code == "already_invited":
        assert decision.existing_invitation_id == 7
        assert "(1 May 2026" in decision.explanation


def test_an_unsent_invitation_that_a_person_cancelled_blocks_here_alone():
    cancelled = replace(existing_invitation("withdrawn", was_sent=False), is_cancelled_by_person=True)
    assert decide(replace(FACTS, invitations_here=(cancelled,))).verdict == "already_invited"
    assert decide(replace(FACTS, invitations_elsewhere=(cancelled,))).verdict == "invite"


def test_a_chosen_assessment_is_not_sent_beside_another():
    facts, other = replace(FACTS, chosen_assessment=BACKEND.id), existing_invitation(assessment=FRONTEND.id)
    decision = decide(replace(facts, invitations_here=(other,)))
    assert (decision.verdict, decision.existing_invitation_id) == ("already_invited", 7)
    assert decision.explanation.startswith(
        "“Backend” was chosen, but the candidate already has “Frontend Developer”: "
    )
    failed = existing_invitation("failed", assessment=FRONTEND.id, was_sent=False)
    for elsewhere in (failed, replace(other, opportunity_id="another")):
        beside = replace(facts, invitations_here=(failed,), invitations_elsewhere=(elsewhere,))
        assert decide(beside).verdict == "invite"


@pytest.mark.parametrize(
    ("limit", "recent", "code"),
    [(50, 49, "invite"), (50, 50, "held_for_approval"), (0, 9999, "invite"), (1, 1, "held_for_approval")],
)
def test_invitations_beyond_the_bulk_limit_are_held(limit, recent, code):
    assert decide(replace(FACTS, bulk_limit=limit, recently_invited=recent)).verdict == code


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        (Origin.INTERNAL, "origin_excluded"),
        (Origin.AGENCY, "held_for_approval"),
        (Origin.SOURCED, "invite"),
        (Origin.APPLIED, "invite"),
        (None, "invite"),
    ],
)
def test_the_rule_of_the_candidates_origin_is_followed_and_others_are_sent(origin, code):
    facts = replace(FACTS, origins={"internal": "skip", "agency": "hold", "sourced": "send"})
    decision = decide(with_candidate(facts, origin=origin))
    assert (decision.verdict, decision.assessment) == (code, BACKEND)
    if code != "invite":
        assert (
            f"origin {'is ' if code == 'held_for_approval' else ''}“{origin.label}”" in decision.explanation
        )


def test_each_reason_for_a_hold_is_said():
    facts = with_candidate(origin=Origin.AGENCY, needs_extra_time=True)
    decision = decide(replace(facts, origins={"agency": "hold"}, bulk_limit=2, recently_invited=2))
    assert decision.held_for == ("bulk_limit", "origin", "extra_time")
    assert decision.explanation == (
        "Waits for approval: more than 2 candidates in 10 minutes; the candidate's origin is “Agency”; by your "
        "organization's rules this candidate needs extra time. An Admin sets the extra time in CodeScreen, then sends "
        "it."
    )


@pytest.mark.parametrize("rule", ["skip", "hold"])
def test_an_assessment_that_a_person_chose_is_sent_whatever_the_origin_and_tags(rule):
    facts = with_candidate(
        replace(FACTS, origins={"agency": rule}), origin=Origin.AGENCY, needs_extra_time=True
    )
    assert decide(replace(facts, chosen_assessment=FRONTEND.id)).verdict == "invite"
    limited = replace(facts, chosen_assessment=FRONTEND.id, recently_invited=50)
    assert decide(limited).explanation.startswith("Waits for approval: more than 50 candidates in 10 minutes")


@pytest.mark.parametrize(
    ("emails", "email"),
    [
        (("", "alder@candidates.example"), "alder@candidates.example"),
        (("not an address", "alder@candidates.example"), "alder@candidates.example"),
        (("x" * 320 + "@candidates.example", "alder@candidates.example"), "alder@candidates.example"),
        (("not an address",), ""),
    ],
)
def test_the_first_usable_address_is_invited(emails, email):
    decision = decide(with_candidate(emails=emails))
    assert (decision.verdict, decision.email) == (("invite", email) if email else ("no_email", ""))


# a mapping's own rule on when an invitation is approved


def under(approval: Approval):
    """Return facts whose mapping has this rule of its own."""
    mapping = MappingRule("Backend Engineer", "", "Backend", approval=approval, id=5)
    return replace(FACTS, mappings=MappingIndex([mapping]))


@pytest.mark.parametrize(
    ("approval", "recently", "expected"),
    [
        (Approval.ABOVE_LIMIT, 49, "invite"),
        (Approval.ABOVE_LIMIT, 50, "held_for_approval"),
        (Approval.NEVER, 50, "invite"),
        (Approval.ALWAYS, 0, "held_for_approval"),
    ],
)
def test_the_mapping_says_when_an_approval_is_needed(approval, recently, expected):
    decision = decide(replace(under(approval), recently_invited=recently))
    assert (decision.verdict, decision.mapping_id) == (expected, 5)


def test_the_mapping_is_named_when_it_asks_for_an_approval():
    explanation = decide(under(Approval.ALWAYS)).explanation
    assert explanation == "Waits for approval: invitations for this role are approved each time."


def test_nobody_approves_twice_when_a_person_chose_the_assessment():
    facts = replace(under(Approval.ALWAYS), chosen_assessment=BACKEND.id)
    decision = decide(facts)
    assert (decision.verdict, decision.mapping_id) == ("invite", 5)


def test_a_choice_of_another_assessment_leaves_the_mapping_out():
    facts = replace(under(Approval.NEVER), chosen_assessment="id-frontend")
    assert decide(facts).mapping_id is None
