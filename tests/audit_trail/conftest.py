"""The scene that each test of the audit trail is played in."""

import pytest

from tests.audit_trail.scene import Scene


@pytest.fixture
def scene(connected_organization, super_admin, sandbox) -> Scene:
    return Scene(connected_organization, super_admin, sandbox)
