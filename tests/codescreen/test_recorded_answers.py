"""Every answer that CodeScreen's documentation has is read, also with any member null or absent."""

from contextlib import suppress

import pytest

from integrations.codescreen.client import CodeScreenClient
from integrations.http.session import PlatformError, PlatformSession
from tests.codescreen.test_client import API
from tests.support.recorded import call, cases, check, with_a_gap

CASES = [pytest.param(case, id=case.name) for case in cases("codescreen/recorded_answers")]


@pytest.fixture
def codescreen() -> CodeScreenClient:
    return CodeScreenClient(PlatformSession("codescreen", API), "key")


@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_read(codescreen, case):
    check(codescreen, case, API)


@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_read_or_an_error_when_a_member_is_null_or_absent(codescreen, case):
    for answers in with_a_gap(case.answers):
        with suppress(PlatformError):
            call(codescreen, case, API, answers)
