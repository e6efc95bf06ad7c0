"""Checks of what is around the portal: Redis."""

from urllib.parse import urlsplit

import pytest

from portal import checks
from portal.devtools import test_suites


@pytest.mark.redis
@pytest.mark.parametrize("change", [{"path": "/99"}, {"netloc": "nobody:wrong@{0.netloc}"}])
def test_a_redis_that_refuses_the_portal_is_an_error(settings, change):
    address = urlsplit(test_suites.REDIS_URL)
    settings.REDIS_URL = address._replace(
        **{key: value.format(address) for key, value in change.items()}
    ).geturl()
    [answer] = checks.check_redis(None)
    assert answer.id == "portal.E014"
    assert "REDIS_URL" in str(answer.hint)
    assert "wrong" not in answer.msg, "no password is repeated"
