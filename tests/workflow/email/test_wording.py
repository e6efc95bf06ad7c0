"""The customer's wording is checked before it is saved."""

from integrations.models import EmailKind
from integrations.workflow.email.rendering import fill_in
from integrations.workflow.email.wording import unknown_variables


def test_an_unknown_variable_is_named_with_the_similar_one():
    assert unknown_variables(EmailKind.EXPIRY, "{days_lft} {end_date}") == [
        "There is no variable {days_lft}. Did you mean {days_left}?"
    ]


def test_a_line_whose_variables_are_all_empty_is_left_out():
    assert fill_in("{a}\n{b}{c}\n\n\n{c}", {"a": "", "b": "", "c": "x"}) == "x\n\nx"
