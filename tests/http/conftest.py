"""A platform that is faked at HTTP, and the records of the calls to it."""

import pytest
import responses


@pytest.fixture
def platform_api():
    """The platform's API, faked at HTTP."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as api:
        yield api


@pytest.fixture
def calls():
    """The records of the session's calls."""
    return []
