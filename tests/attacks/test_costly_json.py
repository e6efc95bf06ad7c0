"""A body that nobody has signed costs little: one of very many values is refused before it is decoded."""

import json
from unittest import mock

import pytest
from rest_framework.exceptions import ParseError

from integrations.webhooks.views import MOST_SEPARATORS, parse


@pytest.mark.parametrize("part", ["{}", "[]", '{"a":1}', "1", '""'])
def test_a_body_of_very_many_values_is_not_decoded(part):
    body = f'{{"data": [{",".join([part] * MOST_SEPARATORS)}]}}'.encode()
    with mock.patch("integrations.webhooks.views.json.loads") as loads, pytest.raises(ParseError):
        parse(body)
    assert not loads.called


def test_a_body_full_of_prose_is_decoded():
    text = "A sentence of some length, as people write it: with a comma and a colon. " * 3400
    body = json.dumps({"data": {"comment": text}}).encode()
    assert 230_000 < len(body) < 256 * 1024
    assert parse(body)["data"]["comment"] == text
