"""A candidate in a state, and their page."""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.pages.candidate import histories
from tests.support.page_text import text


@pytest.fixture
def page_of(organization, super_admin, super_admin_client) -> Callable[..., str]:
    """Return a function that makes a candidate in a state and returns the text of their page."""

    def text_of(state: str, query: str = "", client: Client = super_admin_client) -> str:
        address = histories.make(organization, super_admin, state)
        return text(client.get(address + query))

    return text_of
