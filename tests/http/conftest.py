"""The records of the calls to a platform."""

import pytest


@pytest.fixture
def calls():
    """The records of the session's calls."""
    return []
