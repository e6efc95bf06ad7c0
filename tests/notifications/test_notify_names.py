"""What a candidate and a result are called in a subject."""

import pytest

from integrations.notifications.notify import first_name, result_in_words


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Alder Birch", "Alder"),
        ("Dr. Alder Birch", "Alder"),
        ("Candidate Alder", "Alder"),
        ("Alder, B.", "Alder"),
        ("Candidate", "Candidate"),
        ("  ", "A candidate"),
        ("", "A candidate"),
    ],
)
def test_a_first_name_is_the_first_word_that_is_no_title(name: str, first: str) -> None:
    assert first_name(name) == first


@pytest.mark.parametrize(
    ("outcome", "score", "words"),
    [
        ("Passed", "82", "Passed 82"),
        ("Expired", "", "Expired"),
        ("", "82", "82, result not stated"),
        ("", "", "result not stated"),
    ],
)
def test_a_result_in_words_derives_nothing_from_the_score(outcome: str, score: str, words: str) -> None:
    assert result_in_words(outcome, score) == words
