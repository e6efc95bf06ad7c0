"""An invitation that e-mails can be about."""

import pytest

from tests import factories


@pytest.fixture
def invitation(organization):
    return factories.InvitationFactory.create(organization=organization, role_title="Backend Engineer")
