"""Findings on what waits for a person."""

from django.utils import timezone

from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from tests.health.rows import code_and_level, create_invitation, only_finding
from tests.support import factories


def test_a_paused_organization_gets_a_warning(healthy_organization: Organization) -> None:
    Organization.objects.update(paused=True)
    assert code_and_level(healthy_organization) == ("paused", "warning")


def test_uncertain_and_held_invitations_are_counted(healthy_organization: Organization) -> None:
    invitations = [
        create_invitation(healthy_organization, number, status="uncertain") for number in range(12)
    ]
    finding = only_finding(healthy_organization)
    assert (finding.code, finding.level) == ("uncertain_invitations", "error")
    assert finding.message == "Did 12 candidates get the invitation? We don't know."
    Invitation.objects.filter(pk=invitations[0].pk).update(status="held")
    Invitation.objects.exclude(pk=invitations[0].pk).delete()
    assert code_and_level(healthy_organization) == ("held_invitations", "warning")
    assert only_finding(healthy_organization).message == "1 candidate needs approval."


def test_a_last_super_admin_who_is_deactivated_in_lever_is_found_without_their_name(
    healthy_organization: Organization,
) -> None:
    rows = Membership.objects.filter(role="super_admin")
    rows.update(deactivated_in_lever_at=timezone.now())
    finding = only_finding(healthy_organization)
    assert (finding.code, finding.level) == ("no_super_admin", "warning")
    assert "keeps access until there is another" in finding.message
    assert rows.get().user.username not in f"{finding.message} {finding.fix}"


def test_nothing_is_said_of_a_deactivated_super_admin_where_there_is_another_by_now(
    healthy_organization: Organization,
) -> None:
    Membership.objects.filter(role="super_admin").update(deactivated_in_lever_at=timezone.now())
    factories.member(healthy_organization, Membership.Role.SUPER_ADMIN, "another")
    assert only_finding(healthy_organization).code == "ok"
