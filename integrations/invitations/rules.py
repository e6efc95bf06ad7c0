"""The rules that hold for one invitation."""

from integrations.catalog.role_rules import RoleRules, role_rules
from integrations.invitations.models.invitation import Invitation


def rules_of(invitation: Invitation) -> RoleRules:
    """Return the rules that hold for the candidate: the own ones of the mapping that led here, else the general."""
    return role_rules(invitation.organization, invitation.mapping)
