"""A platform that is faked at HTTP, and the records of the calls to it."""

import pytest


@pytest.fixture
def platform_api(wire):
    """The platform's API, faked at HTTP."""
    return wire


@pytest.fixture
def calls():
    """The records of the session's calls."""
    return []
