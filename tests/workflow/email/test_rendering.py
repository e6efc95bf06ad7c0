"""Variables are filled in; lines without a value are left out."""

from integrations.workflow.email.rendering import fill_in


def test_a_line_whose_variables_are_all_empty_is_left_out():
    assert fill_in("{a}\n{b}{c}\n\n\n{c}", {"a": "", "b": "", "c": "x"}) == "x\n\nx"
