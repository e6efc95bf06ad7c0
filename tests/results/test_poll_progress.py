"""Record the progress that CodeScreen reports."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.core.vocabulary import ProgressTag
from integrations.invitations.models.result import Result
from tests.results.conftest import COMPLETE, progress_tags


def test_nothing_changes_when_the_assessment_is_not_started(poll_answer):
    polled = poll_answer({"status": "Not_Started", "metadata": {}})
    assert (polled.status, polled.raw_status, polled.poll_failures) == ("invited", "Not_Started", 0)
    assert timezone.now() < polled.next_poll_at < timezone.now() + timedelta(minutes=10)
    assert progress_tags() == []


def test_an_invitation_is_completed_with_the_published_api_alone(poll_answer):
    assert poll_answer({"status": "In_Progress", "metadata": {}}).status == "in_progress"
    polled = poll_answer(
        {
            "status": "Complete",
            "score": 40,
            "result_url": "https://codescreen.example/r",
            "metadata": {"issueCount": 10},
        }
    )
    assert polled.status == "completed"
    result = Result.objects.get()
    assert (result.outcome, result.score_text, result.rating, result.failure_reason) == ("", "40", 2, "")
    assert progress_tags() == [ProgressTag.IN_PROGRESS, ProgressTag.COMPLETED]


def test_the_progress_tag_goes_back_when_the_assessment_is_reopened(poll_answer):
    poll_answer(COMPLETE)
    polled = poll_answer({"status": "In_Progress", "metadata": {"attempt": 2}})
    assert (polled.status, polled.completed_at) == ("in_progress", None)
    assert "again" in polled.status_reason
    polled = poll_answer(COMPLETE | {"score": 90, "metadata": {"result": "Passed", "attempt": 2}})
    assert polled.status == "completed"
    assert progress_tags() == [ProgressTag.COMPLETED, ProgressTag.IN_PROGRESS, ProgressTag.COMPLETED]
    assert Result.objects.count() == 2


def test_an_expired_invitation_is_invited_again_when_codescreen_resends_it(poll_answer):
    poll_answer({"status": "Complete", "metadata": {"result": "Expired", "failureReason": "Expired"}})
    polled = poll_answer({"status": "Not_Started", "metadata": {"attempt": 2}})
    assert (polled.status, polled.started_at, polled.completed_at) == ("invited", None, None)
    assert progress_tags() == [ProgressTag.EXPIRED, ProgressTag.INVITED]


def test_an_assessment_ends_as_expired_when_codescreen_says_so_in_its_status(poll_answer):
    polled = poll_answer({"status": "Expired", "metadata": {}})
    assert polled.status == "completed"
    result = Result.objects.get()
    assert (result.outcome, result.score, result.rating) == ("Expired", None, None)
    assert progress_tags() == [ProgressTag.EXPIRED]


@pytest.mark.parametrize("status", ["Completed", None, "x" * 500])
def test_an_unknown_status_changes_nothing_and_polling_goes_on(poll_answer, status):
    polled = poll_answer({"status": status, "score": 90, "metadata": {}})
    assert polled.status == "invited"
    assert polled.next_poll_at is not None
    assert not Result.objects.exists()
