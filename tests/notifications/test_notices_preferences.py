"""The customer's wording is checked before it is saved."""

from integrations.notifications.models.email_kind import EmailKind
from integrations.notifications.notices import unknown_variables


def test_an_unknown_variable_is_named_with_the_similar_one():
    assert unknown_variables(EmailKind.EXPIRY, "{days_lft} {end_date}") == [
        "There is no variable {days_lft}. Did you mean {days_left}?"
    ]
