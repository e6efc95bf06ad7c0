"""What is said of a result: CodeScreen's own word, else how the score compares with the organization's bar."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from integrations.invitations.models.result import Result
from tests.support import factories


@pytest.mark.parametrize(
    ("outcome", "score", "bar", "headline", "in_words", "counts_as_pass", "meets_bar"),
    [
        ("Passed", "82.0000", None, "Passed", "Passed 82", True, None),
        ("Failed", "70.05", None, "Failed", "Failed 70.05", False, None),
        ("Expired", None, None, "Expired", "Expired", None, None),
        (
            "",
            "82",
            None,
            "Result not stated by CodeScreen",
            "82, result not stated by CodeScreen",
            None,
            None,
        ),
        ("", None, None, "Result not stated by CodeScreen", "Result not stated by CodeScreen", None, None),
        ("", "70", 70, "Meets your bar (70)", "70, meets your bar (70)", True, True),
        ("", "69.9999", 70, "Below your bar (70)", "69.9999, below your bar (70)", False, False),
        ("", "0", 0, "Meets your bar (0)", "0, meets your bar (0)", True, True),
    ],
)
def test_a_result_says_what_was_stated_else_how_it_compares(
    outcome, score, bar, headline, in_words, counts_as_pass, meets_bar
):
    result = Result(outcome=outcome, score=Decimal(score) if score else None, bar=bar)
    assert (result.headline, result.in_words) == (headline, in_words)
    assert (result.counts_as_pass, result.meets_bar) == (counts_as_pass, meets_bar)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "columns", [{"outcome": "Passed", "score": 82}, {"score": None}, {"score": 82, "bar": 101}]
)
def test_a_bar_stands_only_beside_a_score_without_a_stated_result(organization, columns):
    invitation = factories.InvitationFactory(organization=organization)
    with pytest.raises(IntegrityError), transaction.atomic():
        Result.objects.create(invitation=invitation, **{"bar": 70} | columns)
