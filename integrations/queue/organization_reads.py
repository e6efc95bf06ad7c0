"""The organizations of the rows that a drain works, each read once for all rows of a moment."""

import copy
import time

from integrations.models import Organization

#: A pause, a disconnection or another token is seen by a step that begins so long after it.
READ_AGAIN_SECONDS = 1.0


class OrganizationReads:
    """Reads organizations with their connections, each again after READ_AGAIN_SECONDS. Any thread may ask."""

    def __init__(self) -> None:
        self._reads: dict[int, tuple[float, Organization]] = {}

    def get(self, organization_id: int) -> Organization:
        """Return the organization as it was within the last READ_AGAIN_SECONDS; each caller gets objects of its own.

        One that can't work is read anew: the step would hold its row up, after what made it due again has happened.
        """
        read = self._reads.get(organization_id)
        if read is None or time.monotonic() - read[0] > READ_AGAIN_SECONDS or _is_held_up(read[1]):
            return self.read(organization_id)
        return _copy(read[1])

    def read(self, organization_id: int) -> Organization:
        """Return the organization as it is now, and keep what was read for the steps that follow."""
        now = time.monotonic()
        organization = Organization.objects.reread(organization_id)
        self._reads[organization_id] = (now, organization)
        return _copy(organization)


def _is_held_up(organization: Organization) -> bool:
    return organization.paused or bool(organization.disconnected_reason)


def _copy(organization: Organization) -> Organization:
    """Return copies of the organization and its connections: a step changes what it holds."""
    copied = copy.copy(organization)
    if organization.lever is not None:
        copied.lever_connection = copy.copy(organization.lever)
    if organization.codescreen is not None:
        copied.codescreen_connection = copy.copy(organization.codescreen)
    return copied
