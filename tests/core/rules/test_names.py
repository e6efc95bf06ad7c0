"""What tags mean: assessment names and progress."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.core.rules import names
from integrations.core.rules.names import (
    assessment_tags,
    choose_result_tag,
    is_progress_tag,
)
from integrations.core.vocabulary import ProgressTag


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


def test_a_result_tag_that_would_name_an_assessment_is_none():
    assert choose_result_tag("{assessment}: passed", "CodeScreen Basics") == ""
    assert choose_result_tag("{assessment}: passed", "Basics") == "Basics: passed"


def test_a_progress_tag_of_a_former_wording_is_still_one(monkeypatch):
    former = "CodeScreen: Invitation Sent"
    assert not is_progress_tag(former)
    monkeypatch.setattr(names, "FORMER_PROGRESS_TAGS", (former,))
    assert is_progress_tag(former.upper())
    assert all(map(is_progress_tag, ProgressTag))
