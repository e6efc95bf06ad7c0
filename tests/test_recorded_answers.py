"""Every public shape of an answer of Lever's or CodeScreen's is read, also with any member null or absent."""

from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.codescreen.client import CodeScreenClient
from integrations.http.session import PlatformError, PlatformSession
from integrations.lever.client import LeverClient
from tests.lever.test_client import API, Tokens
from tests.support.recorded import call, cases, check, with_a_gap

CLIENTS = {
    "lever": lambda: LeverClient(PlatformSession("lever", API), Tokens()),
    "codescreen": lambda: CodeScreenClient(PlatformSession("codescreen", API), "key"),
}
EACH_CASE = pytest.mark.parametrize(
    ("platform", "case"),
    [
        pytest.param(platform, case, id=f"{platform}: {case.name}")
        for platform in CLIENTS
        for case in cases(f"{platform}/recorded_answers")
    ],
)


@EACH_CASE
def test_an_answer_is_read(platform, case):
    addresses = check(CLIENTS[platform](), case, API)
    pages = [answer.body for answer in case.answers if isinstance(answer.body, dict)]
    asked = [
        offset for address in addresses for offset in parse_qs(urlsplit(address).query).get("offset", [])
    ]
    assert asked == [page["next"] for page in pages if page.get("hasNext")]


@pytest.mark.slow
@EACH_CASE
def test_an_answer_is_read_or_an_error_when_a_member_is_null_or_absent(platform, case):
    client = CLIENTS[platform]()
    for answers in with_a_gap(case.answers):
        with suppress(PlatformError):
            call(client, case, API, answers)
