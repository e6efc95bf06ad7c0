"""What tags mean: assessment names and progress."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.core.invitation_status import InvitationStatus
from integrations.core.rules import names
from integrations.core.rules.names import (
    assessment_tags,
    choose_progress_tag,
    is_progress_tag,
)
from integrations.core.vocabulary import ProgressTag, ResultOutcome


@pytest.mark.parametrize(
    ("tag", "names"),
    [
        ("CodeScreen Backend", ("Backend",)),
        ("codescreen backend", ("backend",)),
        ("  CodeScreen   Frontend Developer ", ("Frontend Developer",)),
        ("CodeScreen", ()),
        ("CodeScreen ", ()),
        ("CodeScreenBackend", ()),
        ("CodeScreen: Backend", ()),
        ("CodeScreen :Backend", ()),
        ("CodeScreen : Backend", ()),
        ("My CodeScreen Backend", ()),
        ("", ()),
    ],
)
def test_assessment_tags_are_read_from_tags_with_the_word_and_a_name(tag, names):
    assert assessment_tags([tag]) == names


@given(
    st.sampled_from(list(ProgressTag)),
    st.sampled_from([str, str.upper, str.lower, lambda text: f"  {text} "]),
)
def test_a_progress_tag_never_names_an_assessment(tag, spelled):
    assert assessment_tags([spelled(tag)]) == ()
    assert is_progress_tag(spelled(tag))


def test_a_progress_tag_of_a_former_wording_is_still_one(monkeypatch):
    former = "CodeScreen: Invitation Sent"
    assert not is_progress_tag(former)
    monkeypatch.setattr(names, "FORMER_PROGRESS_TAGS", (former,))
    assert is_progress_tag(former.upper())
    assert all(map(is_progress_tag, ProgressTag))


@pytest.mark.parametrize(
    ("status", "outcome", "tag"),
    [
        (InvitationStatus.INVITED, "", ProgressTag.INVITED),
        (InvitationStatus.IN_PROGRESS, "", ProgressTag.IN_PROGRESS),
        (InvitationStatus.SUBMITTED, "", ProgressTag.IN_PROGRESS),
        (InvitationStatus.COMPLETED, "", ProgressTag.COMPLETED),
        (InvitationStatus.COMPLETED, ResultOutcome.PASSED, ProgressTag.COMPLETED),
        (InvitationStatus.COMPLETED, ResultOutcome.FAILED, ProgressTag.COMPLETED),
        (InvitationStatus.COMPLETED, ResultOutcome.EXPIRED, ProgressTag.EXPIRED),
    ],
)
def test_the_progress_tag_follows_the_status_and_the_outcome(status, outcome, tag):
    assert choose_progress_tag(status, outcome) == tag
