"""A receiver of alerts in this machine."""

import pytest

from tests.support.alert_receiver import receiving


@pytest.fixture
def receiver(settings):
    """A server that alerts may be posted to."""
    settings.ALLOW_PRIVATE_ADDRESSES = True
    with receiving() as server:
        yield server
