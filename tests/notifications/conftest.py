"""An invitation that e-mails can be about."""

import pytest

from tests.support import factories


@pytest.fixture
def invitation(organization):
    return factories.InvitationFactory.create(organization=organization, role_title="Backend Engineer")
