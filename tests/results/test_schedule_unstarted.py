"""By when a candidate must start, and what the progress tag says of one who hasn't."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.core.vocabulary import ProgressTag
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.results import schedule
from tests.results.conftest import COMPLETE, progress_tags
from tests.support import factories

NOT_STARTED = {"status": "Not_Started", "metadata": {}}
STARTED = {"status": "In_Progress", "metadata": {}}
MINUTE = timedelta(minutes=1)
YET, NEVER, INVITED = ProgressTag.NOT_STARTED_YET, ProgressTag.NOT_STARTED, ProgressTag.INVITED


def let_pass(days: float) -> None:
    """Make the invitation as old as if it had been sent so long ago."""
    then = timezone.now() - timedelta(days=days)
    Invitation.objects.update(changed_at=then, followed_since=then, invited_at=then)


@pytest.fixture
def three_days(organization):
    """Return the organization, whose rules say that the tag changes after three days."""
    organization.not_started_days = 3
    organization.save()
    return organization


def set_days(organization, days):
    organization.not_started_days = days
    organization.save()


def test_the_tag_changes_when_the_days_are_over(poll_answer, three_days):
    let_pass(3)
    poll_answer(NOT_STARTED)
    assert progress_tags() == [YET]


def test_the_tag_stays_where_the_rules_say_no_days(poll_answer):
    let_pass(50)
    assert poll_answer(NOT_STARTED).unstarted_tag == ""
    assert progress_tags() == []


def test_the_tag_goes_when_the_candidate_starts(poll_answer, three_days):
    let_pass(4)
    poll_answer(NOT_STARTED)
    assert poll_answer(STARTED).unstarted_tag == ""
    assert progress_tags() == [YET, ProgressTag.IN_PROGRESS]


def test_no_tag_says_that_somebody_has_not_started_while_codescreen_does_not_answer(poll_answer, three_days):
    let_pass(4)
    assert poll_answer({}, status=503).unstarted_tag == ""
    assert poll_answer({}, status=404).unstarted_tag == ""
    assert progress_tags() == []


@pytest.mark.parametrize("days", [0, 5])
def test_the_usual_tag_is_set_again_when_the_rules_change(poll_answer, three_days, days):
    let_pass(4)
    poll_answer(NOT_STARTED)
    set_days(three_days, days)
    for _ in range(2):
        assert poll_answer(NOT_STARTED).unstarted_tag == ""
    assert progress_tags() == [YET, INVITED]


def test_who_is_followed_again_gets_the_usual_tag_and_all_days_anew(poll_answer, three_days):
    let_pass(4)
    poll_answer(NOT_STARTED)
    Invitation.objects.get().move(Invitation.Status.WITHDRAWN)
    invitation = Invitation.objects.get()
    assert invitation.unstarted_tag == YET
    invitation.move(Invitation.Status.INVITED)
    assert poll_answer(NOT_STARTED).unstarted_tag == ""
    assert progress_tags() == [YET, INVITED]


def test_what_codescreen_opens_again_counts_anew(poll_answer, three_days):
    let_pass(4)
    poll_answer(NOT_STARTED)
    poll_answer(COMPLETE)
    let_pass(30)
    poll_answer(NOT_STARTED)
    assert progress_tags()[-1] == INVITED
    let_pass(2)
    poll_answer(NOT_STARTED)
    assert progress_tags()[-1] == INVITED
    let_pass(4)
    poll_answer(NOT_STARTED)
    assert progress_tags()[-1] == YET


def test_the_tag_is_not_set_twice_when_a_poll_is_killed_before_its_end(poll_answer, three_days, monkeypatch):
    let_pass(4)
    with monkeypatch.context() as patch:
        patch.setattr(schedule, "next_poll", lambda *_: 1 / 0)
        assert poll_answer(NOT_STARTED).unstarted_tag == ""
    assert progress_tags() == []
    poll_answer(NOT_STARTED)
    assert progress_tags() == [YET]


def test_the_end_of_following_sets_its_tag_once(poll_answer, three_days):
    let_pass(4)
    poll_answer(NOT_STARTED)
    let_pass(57)
    for _ in range(2):
        assert poll_answer(NOT_STARTED).unstarted_tag == NEVER
    assert progress_tags() == [YET, NEVER]
    codes = Effect.objects.filter(kind="leave_note").order_by("pk").values_list("payload__code", flat=True)
    assert [code.split(":")[0] for code in codes] == ["ended"]


def test_following_that_goes_on_gets_the_usual_tag_back(poll_answer):
    let_pass(57)
    poll_answer(NOT_STARTED)
    Invitation.objects.get().follow_again()
    poll_answer(NOT_STARTED)
    assert progress_tags() == [NEVER, INVITED]


def test_only_who_has_not_started_can_be_tagged_so(invitation):
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.update(status="in_progress", unstarted_tag=YET)


def test_the_days_are_over_at_the_very_moment(three_days):
    invitation = factories.InvitationFactory(organization=three_days)
    moments = [invitation.followed_since + timedelta(days=3) - more for more in (MINUTE, timedelta())]
    assert [schedule.unstarted_tag(invitation, None, at) for at in moments] == ["", YET]
