"""Every public shape of an answer of Lever's, documented or recorded, is read, also with any member null or absent."""

from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.http.session import PlatformError, PlatformSession
from integrations.lever.client import LeverClient
from tests.lever.test_client import API, Tokens
from tests.support.recorded import call, cases, check, with_a_gap

CASES = [pytest.param(case, id=case.name) for case in cases("lever/recorded_answers")]


@pytest.fixture
def lever():
    return LeverClient(PlatformSession("lever", API), Tokens())


@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_read(lever, case):
    addresses = check(lever, case, API)
    pages = [answer.body for answer in case.answers if isinstance(answer.body, dict)]
    asked = [
        offset for address in addresses for offset in parse_qs(urlsplit(address).query).get("offset", [])
    ]
    assert asked == [page["next"] for page in pages if page.get("hasNext")]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_read_or_an_error_when_a_member_is_null_or_absent(lever, case):
    for answers in with_a_gap(case.answers):
        with suppress(PlatformError):
            call(lever, case, API, answers)
