"""The rules that hold for the candidates of a mapping: its own, else the organization's.

None stands for no mapping, or one that was deleted. The third rule of a mapping, its approval, is read by the decision.
"""

from integrations.catalog.models.role_mapping import RoleMapping
from integrations.organizations.models.organization import Organization


def passing_score_of(organization: Organization, mapping: RoleMapping | None) -> int | None:
    """Return the bar where CodeScreen states no result; None without one."""
    own = mapping.passing_score if mapping else None
    return organization.passing_score if own is None else own


def stage_on_pass_of(organization: Organization, mapping: RoleMapping | None) -> str:
    """Return the stage to which those are moved who passed or meet the bar; empty for none."""
    own = mapping.stage_on_pass.strip() if mapping else ""
    return own or organization.stage_on_pass.strip()
