"""Checks of what is around the portal: a temporary folder, Redis."""

import errno
from unittest.mock import Mock
from urllib.parse import urlsplit

import pytest

from portal import checks
from portal.devtools import test_suites


def test_no_folder_for_what_the_web_server_counts_is_an_error_where_metrics_are_on(settings, monkeypatch):
    settings.METRICS_ENABLED, settings.METRICS_TOKEN = True, ""
    assert checks.check_temporary_folder(None) == []
    monkeypatch.setattr(
        checks, "TemporaryDirectory", Mock(side_effect=OSError(errno.EROFS, "Read-only file system"))
    )
    [answer] = checks.check_temporary_folder(None)
    assert answer.id == "portal.E040"
    assert "Read-only file system" in answer.msg
    assert "TMPDIR" in str(answer.hint)
    settings.METRICS_ENABLED = False
    assert checks.check_temporary_folder(None) == []


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
