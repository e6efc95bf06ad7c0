"""What Lever is to show of a candidate: a table of cases, without a database."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integrations.case.case import Case, Decided
from integrations.case.wanted import result_tag_of, wanted
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ProgressTag
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
RULES: dict[str, Any] = {
    "passed_tag": "passed {assessment}",
    "failed_tag": "failed {assessment}",
    "stage_on_pass": "On-site",
}


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def invitation(pk: int = 1, status: str = "invited", **columns: Any) -> Invitation:
    """Return an invitation that was sent an hour ago, unless the columns say otherwise."""
    values: dict[str, Any] = {
        "opportunity_id": "o-1",
        "assessment_id": "a-1",
        "assessment_name": "Backend",
        "reference": f"ref{pk}",
        "instance_id": "" if status in {"pending", "held", "sending", "uncertain", "failed"} else f"i-{pk}",
        "created_at": ago(hours=2),
        "invited_at": ago(hours=1),
        "changed_at": ago(hours=1),
        "followed_since": ago(hours=1),
    }
    return Invitation(pk=pk, organization_id=1, status=status, **values | columns)


def result(outcome: str = "Passed", score: int = 80, **columns: Any) -> Result:
    return Result(pk=7, outcome=outcome, score=Decimal(score), rating=4, **columns)


def effect(kind: str, about: str, version: str, **columns: Any) -> Effect:
    values = {"state": "done", "payload": {"stage": "On-site"}, "invitation_id": 1, "due_at": None}
    return Effect(pk=9, kind=kind, about=about, version=version, **values | columns)


def case(*invitations: Invitation, rules: dict[str, Any] | None = None, **parts: Any) -> Case:
    organization = Organization(pk=1, slug="acme", **rules or {})
    for one in invitations:
        one.organization = organization
    return Case(organization, "o-1", NOW, list(invitations), **parts)


def shown(candidate: Case, kind: str) -> list[dict[str, Any]]:
    """Return what is wanted of one kind."""
    return [want.payload.to_json() for want in wanted(candidate).effects if want.kind == kind]


def tags(candidate: Case) -> list[str]:
    return [want["tag"] for want in shown(candidate, "set_progress_tag")]


def notes(candidate: Case) -> list[str]:
    return [want["code"] for want in shown(candidate, "leave_note")]


def topics(candidate: Case) -> list[str]:
    return [str(message.topic) for message in wanted(candidate).messages]


@pytest.mark.parametrize(
    ("sent", "tag"),
    [
        (invitation(), ProgressTag.INVITED),
        (invitation(unstarted_tag=ProgressTag.NOT_STARTED_YET), ProgressTag.NOT_STARTED_YET),
        (invitation(status="in_progress"), ProgressTag.IN_PROGRESS),
        (invitation(status="submitted"), ProgressTag.IN_PROGRESS),
        (invitation(status="completed"), ProgressTag.COMPLETED),
        (invitation(status="withdrawn"), ProgressTag.INVITED),
        *[
            (invitation(status=unsent), None)
            for unsent in ("held", "pending", "sending", "uncertain", "failed")
        ],
    ],
)
def test_one_progress_tag_is_wanted_by_how_far_the_candidate_is(sent, tag):
    assert tags(case(sent)) == [tag] * (tag is not None)
    if tag == ProgressTag.COMPLETED:
        assert tags(case(sent, results={1: result("Expired")})) == [ProgressTag.EXPIRED]


ANOTHER = {"pk": 2, "assessment_id": "a-2", "assessment_name": "Frontend"}


@pytest.mark.parametrize(
    ("first", "second", "tag"),
    [
        ("completed", {"status": "invited", "invited_at": ago(days=3)}, ProgressTag.INVITED),
        ("completed", {"status": "in_progress", "invited_at": ago(days=3)}, ProgressTag.IN_PROGRESS),
        ("completed", {"status": "withdrawn"}, ProgressTag.COMPLETED),
        ("in_progress", {"status": "invited", "invited_at": ago(minutes=1)}, ProgressTag.INVITED),
        ("in_progress", {"status": "invited", "invited_at": ago(days=3)}, ProgressTag.IN_PROGRESS),
        ("in_progress", {"status": "held"}, ProgressTag.IN_PROGRESS),
        ("completed", {"following_ended": "not_started", "invited_at": ago(days=60)}, ProgressTag.COMPLETED),
    ],
)
def test_the_progress_tag_tells_of_what_is_still_to_be_finished(first, second, tag):
    assert tags(case(invitation(status=first), invitation(**ANOTHER | second))) == [tag]


@pytest.mark.parametrize(
    ("later", "tag"), [("invited", ProgressTag.INVITED), ("pending", ProgressTag.COMPLETED)]
)
def test_a_later_round_has_the_progress_tag_once_it_was_sent(later, tag):
    rounds = [invitation(status="completed"), invitation(pk=2, round=2, status=later)]
    assert tags(case(*rounds)) == [tag]


@pytest.mark.parametrize(
    ("said", "tag", "others"),
    [
        (result("Passed"), "passed Backend", ["failed Backend"]),
        (result("Failed"), "failed Backend", ["passed Backend"]),
        (result("", bar=70), "passed Backend", ["failed Backend"]),
        (result("", score=60, bar=70), "failed Backend", ["passed Backend"]),
    ],
)
def test_the_result_tag_is_the_customers_for_what_is_said(said, tag, others):
    candidate = case(invitation(status="completed"), rules=RULES, results={1: said})
    assert shown(candidate, "set_result_tag") == [{"tag": tag, "others": others}]


def test_no_result_tag_is_removed_alone_before_one_can_have_been_set():
    nothing_said = {1: result("")}
    candidate = case(invitation(status="completed"), rules=RULES, results=nothing_said)
    assert shown(candidate, "set_result_tag") == []
    after_one = case(invitation(status="completed"), rules=RULES, results=nothing_said)
    after_one.effects = [effect("set_result_tag", result_tag_of("a-1"), "1:Passed")]
    rules_of_lost = {**RULES, "rows_lost_from": ago(days=1)}  # a restore may have lost who set them
    after_a_restore = case(invitation(status="completed"), rules=rules_of_lost, results=nothing_said)
    for candidate in (after_one, after_a_restore):
        removed = {"tag": "", "others": ["failed Backend", "passed Backend"]}
        assert shown(candidate, "set_result_tag") == [removed]


def test_the_result_tag_follows_the_latest_round_with_a_result():
    rounds = [invitation(status="completed"), invitation(pk=2, round=2, status="completed")]
    candidate = case(*rounds, rules=RULES, results={1: result("Passed"), 2: result("Failed")})
    assert [want["tag"] for want in shown(candidate, "set_result_tag")] == ["failed Backend"]


@pytest.mark.parametrize(("status", "is_wanted"), [("completed", 1), ("invited", 0), ("in_progress", 0)])
def test_feedback_and_link_are_wanted_of_a_completed_assessment(status, is_wanted):
    said = {1: result(report_url="https://report.example/1")}
    candidate = case(invitation(status=status), results=said)
    assert shown(candidate, "write_feedback") == [{"result": 7}] * is_wanted
    assert shown(candidate, "add_report_link") == [{"url": "https://report.example/1"}] * is_wanted


@pytest.mark.parametrize(
    "change",
    [{"score": 81}, {"outcome": "Failed"}, {"details_json": '{"a": 1}'}, {"report_url": "https://r/2"}],
)
def test_feedback_is_wanted_anew_when_the_result_says_something_else(change):
    def version(**columns: Any) -> str:
        candidate = case(invitation(status="completed"), results={1: result(**columns)})
        return next(want.version for want in wanted(candidate).effects if want.kind == "write_feedback")

    assert version() == version() != version(**change)


def test_the_report_is_a_file_where_the_rules_ask_for_it():
    done = [effect("attach_report", "report:1", "earlier")]
    for is_asked, names in ((False, []), (True, ["codescreen-report-ref1-2.pdf"])):
        rules = {"attach_report": is_asked}
        candidate = case(invitation(status="completed"), rules=rules, results={1: result()}, effects=done)
        assert [want["name"] for want in shown(candidate, "attach_report")] == names


@pytest.mark.parametrize(
    ("status", "said", "rules", "is_moved"),
    [
        ("completed", result("Passed"), RULES, True),
        ("completed", result("", bar=70), RULES, True),
        ("completed", result("Failed"), RULES, False),
        ("completed", result("Expired"), RULES, False),
        ("completed", result(""), RULES, False),
        ("completed", result("Passed"), {}, False),
        ("in_progress", result("Passed"), RULES, False),
        ("invited", result("Passed"), RULES, False),
    ],
)
def test_who_passed_and_completed_it_is_moved(status, said, rules, is_moved):
    candidate = case(invitation(status=status), rules=rules, results={1: said})
    assert shown(candidate, "move_stage") == [{"stage": "On-site"}] * is_moved


def test_nobody_is_moved_by_an_earlier_round():
    rounds = [invitation(status="completed"), invitation(pk=2, round=2)]
    assert shown(case(*rounds, rules=RULES, results={1: result("Passed")}), "move_stage") == []


@pytest.mark.parametrize("state", ["done", "due", "cancelled"])
def test_people_are_told_when_a_moved_candidate_no_longer_passed(state):
    move = effect("move_stage", "move:1", "x", state=state, attempt_started_at=ago(minutes=5))
    candidate = case(invitation(status="completed"), results={1: result("Failed")}, effects=[move])
    assert notes(candidate) == ["regraded"]
    assert "result_changed" in topics(candidate)
    candidate.results[1].outcome = "Passed"
    assert notes(candidate) == []
    candidate.results[1].outcome, move.state = "Failed", "failed"
    assert notes(candidate) == []
    move.state, move.attempt_started_at = state, None
    assert notes(candidate) == []


@pytest.mark.parametrize(
    ("row", "codes"),
    [
        (invitation(status="held", changed_at=ago(minutes=6)), ["held"]),
        (invitation(status="held", changed_at=ago(minutes=4)), []),
        (invitation(status="uncertain", changed_at=ago(minutes=6)), ["uncertain"]),
        (invitation(status="pending", changed_at=ago(minutes=6)), []),
        (invitation(status="withdrawn"), ["cancelled"]),
        (invitation(status="withdrawn", instance_id=""), []),
        (invitation(status="withdrawn", instance_id="", stopped_by_user=True), ["cancelled"]),
        (invitation(bounced_at=ago(minutes=5)), ["bounced"]),
        (invitation(bounced_at=ago(hours=5)), []),
        (invitation(status="in_progress", bounced_at=ago(minutes=5)), []),
        (invitation(following_ended="not_started"), ["ended"]),
        (invitation(status="completed", following_ended="result_settled"), []),
    ],
)
def test_notes_tell_of_a_wait_and_of_what_happened(row, codes):
    rules = {"note_on_skip": True, "note_on_wait": True}
    assert notes(case(row, rules=rules)) == codes
    assert notes(case(row, rules=dict.fromkeys(rules, False))) == []


def test_the_note_of_a_cancellation_says_what_brings_it_back():
    texts = [
        (invitation(status="withdrawn"), "has it already"),
        (invitation(status="withdrawn", instance_id="", stopped_by_user=True), "Nothing was sent."),
        (
            invitation(
                status="withdrawn", instance_id="", stopped_by_user=True, first_call_at=ago(minutes=9)
            ),
            "possibly sent",
        ),
    ]
    for row, words in texts:
        [note] = shown(case(row), "leave_note")
        assert words in note["text"]


@pytest.mark.parametrize(
    ("verdict", "codes"),
    [
        (VerdictCode.NO_ASSESSMENT, ["no_assessment"]),
        (VerdictCode.INVITE, []),
        (VerdictCode.LEFT_STAGE, []),
    ],
)
def test_a_decision_leaves_a_note_where_a_recruiter_can_act(verdict, codes):
    decided = Decided(verdict, "Why.", "What to do.", Delivery(pk=3))
    assert notes(case(decided=decided)) == codes
    assert notes(case(decided=decided, rules={"note_on_skip": False})) == []


def test_no_note_tells_of_who_was_cancelled_by_an_archiving():
    archived = Decided(VerdictCode.ARCHIVED, "Archived.", "", Delivery(pk=3))
    assert notes(case(invitation(status="withdrawn"), decided=archived)) == []


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (invitation(status="uncertain"), ["invitation_uncertain"]),
        (invitation(status="failed"), ["invitation_failed"]),
        (invitation(following_ended="gone"), ["following_ended"]),
        (invitation(), []),
    ],
)
def test_members_are_told_of_what_needs_them(row, told):
    assert topics(case(row)) == told


def test_nothing_is_wanted_of_an_erased_person():
    erased = invitation(status="completed", erased_at=ago(minutes=1))
    assert wanted(case(erased, rules=RULES, results={1: result()})).effects == []
