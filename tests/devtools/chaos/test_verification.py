"""How a run is judged by the platforms' ledgers."""

from typing import Any

import pytest

from portal.devtools.chaos.run import Verification
from portal.devtools.chaos.verification import Evidence, InvitationRow, verify

TRIGGER, OTHER = "stage-trigger", "stage-other"


def opportunity(**changes: Any) -> dict[str, Any]:
    entry = {
        "emails": ["a@candidates.example"],
        "stage": TRIGGER,
        "tags": ["CodeScreen Backend", "CodeScreen: Candidate Invited"],
        "links": [],
        "feedback": [],
        "feedback_deleted": 0,
    }
    return entry | changes


def invitation(**changes: Any) -> dict[str, Any]:
    instance = {"phase": "not_started", "score": None}
    entry = {"email": "a@candidates.example", "emails_sent": 1, "ambiguous": 0, "instances": [instance]}
    return entry | changes


def completed(score: int = 80) -> dict[str, Any]:
    return invitation(instances=[{"phase": "complete", "score": score}])


def form(score: str = "80") -> dict[str, Any]:
    return {"fields": {"CodeScreen score": score}}


def verify_one(
    lever: dict[str, Any],
    invitations: list[dict[str, Any]],
    *rows: InvitationRow,
    deliveries: list[dict[str, Any]] | None = None,
    ambiguous_elsewhere: tuple[str, ...] = (),
    **more: Any,
) -> Verification:
    """Verify a run of one candidate, with opportunity id `o`."""
    return verify(
        Evidence(
            lever={"opportunities": {"o": lever}, "deliveries": deliveries or []},
            codescreen={"invitations": invitations, "ambiguous_elsewhere": ambiguous_elsewhere},
            rows=rows,
            moved=["o"],
            trigger_stages=[TRIGGER],
            **more,
        )
    )


INVITED, COMPLETED = InvitationRow("o", "invited"), InvitationRow("o", "completed")
UNCERTAIN = InvitationRow("o", "uncertain", 1000.0)
DONE = opportunity(
    tags=["CodeScreen: Assessment Completed"], links=["report"], feedback=[form()], files=["report.pdf"]
)


def test_one_e_mail_and_one_tag_keep_every_promise() -> None:
    verification = verify_one(opportunity(), [invitation()], INVITED)
    assert verification.broken == {}
    assert (verification.counts["emails"], verification.counts["candidates"]) == (1, 1)


def test_a_completed_assessment_with_its_feedback_keeps_every_promise() -> None:
    verification = verify_one(DONE, [completed()], COMPLETED)
    assert verification.broken == {}
    assert (verification.counts["completed"], verification.counts["feedback"]) == (1, 1)


def test_a_candidate_who_left_the_stage_uninvited_is_not_lost() -> None:
    assert verify_one(opportunity(stage=OTHER, tags=[]), []).broken == {}


@pytest.mark.parametrize(
    ("violation", "lever", "invitations", "rows"),
    [
        ("invited_twice", opportunity(), [invitation(emails_sent=2)], [INVITED]),
        ("lost", opportunity(tags=[]), [], []),
        ("unsettled", opportunity(), [invitation()], [InvitationRow("o", "pending")]),
        ("tags_wrong", opportunity(tags=[]), [invitation()], [INVITED]),
        ("tags_wrong", DONE | {"tags": [*DONE["tags"], "CodeScreen: Candidate Invited"]}, [completed()], [COMPLETED]),
        ("feedback_twice", DONE | {"feedback": [form(), form()]}, [completed()], [COMPLETED]),
        ("feedback_missing", DONE | {"feedback": []}, [completed()], [COMPLETED]),
        ("feedback_wrong", DONE, [completed(score=20)], [COMPLETED]),
        ("lost", opportunity(), [], [INVITED]),
        ("feedback_wrong", opportunity(feedback=[form()]), [invitation()], [INVITED]),
        ("files_wrong", DONE | {"files": []}, [completed()], [COMPLETED]),
        ("files_wrong", DONE | {"files": ["a.pdf", "b.pdf"]}, [completed()], [COMPLETED]),
        ("links_wrong", DONE | {"links": []}, [completed()], [COMPLETED]),
        ("unexplained", opportunity(tags=[]), [], [UNCERTAIN]),
    ],
)  # fmt: skip
def test_a_broken_promise_is_recorded(violation, lever, invitations, rows) -> None:
    assert verify_one(lever, invitations, *rows).broken == {violation: ["o"]}


def test_an_answer_that_no_webhook_may_get_is_recorded() -> None:
    answers = [{"status": status, "error": "ReadTimeout"} for status in (200, 202, 503, 500, None)]
    deliveries = [{"subject": "o", "state": "failed", "attempts": answers}]
    verification = verify_one(opportunity(), [invitation()], INVITED, deliveries=deliveries)
    assert verification.broken == {"wrong_answers": ["500"]}


def test_whoever_is_offered_or_uncertain_after_a_restore_is_not_lost() -> None:
    assert verify_one(opportunity(), [invitation()], offered=["o"]).broken == {}
    assert verify_one(opportunity(tags=[]), [], UNCERTAIN, is_restored=True).broken == {}
    twice = verify_one(opportunity(), [invitation(emails_sent=2)], offered=["o"])
    assert twice.broken == {"invited_twice": ["o"]}


def test_an_accepted_webhook_without_a_row_is_recorded() -> None:
    deliveries = [{"subject": "o", "state": "delivered"}]
    arguments = (opportunity(), [invitation()], INVITED)
    without_row = verify_one(*arguments, deliveries=deliveries)
    assert without_row.broken == {"accepted_without_a_row": ["o"]}
    with_row = verify_one(*arguments, deliveries=deliveries, with_delivery=["o"])
    assert with_row.broken == {}


@pytest.mark.parametrize(
    ("invitations", "more", "reason"),
    [
        ([invitation(ambiguous=1)], {}, "explained_by_fault"),
        ([], {"ambiguous_elsewhere": ("a@candidates.example id",)}, "explained_by_fault"),
        ([], {"worker_kills": [1001.5]}, "explained_by_kill"),
    ],
)
def test_an_uncertain_invitation_is_explained_by_a_fault_or_a_kill(invitations, more, reason) -> None:
    verification = verify_one(opportunity(tags=[]), invitations, UNCERTAIN, **more)
    assert verification.broken == {}
    assert (verification.counts["uncertain"], verification.counts[reason]) == (1, 1)


@pytest.mark.parametrize(
    "more",
    [
        {"ambiguous_elsewhere": ("b@candidates.example id",)},
        {"worker_kills": [900.0, 1100.0]},
    ],
)
def test_an_unambiguous_fault_or_a_distant_kill_explains_nothing(more) -> None:
    assert verify_one(opportunity(tags=[]), [], UNCERTAIN, **more).broken == {"unexplained": ["o"]}
