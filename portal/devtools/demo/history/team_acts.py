"""What the organization's people do at the portal, each by the operation that their page calls."""

from django.contrib.auth.models import User

from integrations.invitation_status import InvitationStatus as Status
from integrations.models import Delivery, Invitation, Organization, RoleMapping
from integrations.queue import on_request
from integrations.workflow.operations import invitations
from integrations.workflow.operations.mappings import save_mapping
from integrations.workflow.operations.policies import set_policies
from integrations.workflow.operations.rating_thresholds import set_thresholds
from portal.devtools.demo.history.codescreen_acts import CodeScreenActs
from portal.devtools.demo.history.events import (
    LEAD,
    Approve,
    Cancel,
    CancelHeld,
    ChangePolicies,
    InviteAgain,
    MapRole,
    Rate,
    Replay,
    Resolve,
    TeamAct,
)
from portal.devtools.demo.history.lever_acts import opportunity_id
from portal.devtools.demo.history.people import Person


class TeamActs:
    """Acts of one organization's members, by its Admin unless an act says otherwise."""

    def __init__(self, slug: str, codescreen: CodeScreenActs) -> None:
        self._slug = slug
        self._codescreen = codescreen

    @property
    def organization(self) -> Organization:
        """The organization as it is now."""
        return Organization.objects.with_connections().get(slug=self._slug)

    def perform(self, act: TeamAct) -> None:
        """Let a member do it. Raises what the operation raises."""
        admin = User.objects.get(username=LEAD)
        match act:
            case ChangePolicies(by, values):
                set_policies(self.organization, values, User.objects.get(username=by))
            case MapRole():
                self._map_role(act, admin)
            case Rate(assessment, thresholds):
                set_thresholds(self.organization, assessment, thresholds, admin)
            case Replay(person):
                on_request.replay(self._delivery(person), admin)
            case Approve(reason):
                invitations.approve(self._held(), admin, reason)
            case CancelHeld(reason):
                invitations.cancel(self._held(), admin, reason)
            case Resolve(person, reason):
                instance = self._codescreen.instance(person)
                invitations.resolve_as_sent(self._invitation(person), instance.id, admin, reason)
            case Cancel(person, reason):
                invitations.cancel(self._invitation(person), admin, reason)
            case InviteAgain(person, reason):
                invitations.invite_again(self._invitation(person), admin, reason)

    def _map_role(self, act: MapRole, admin: User) -> None:
        organization = self.organization
        mapping = RoleMapping.objects.filter(
            organization=organization, role=act.role, stage=act.stage
        ).first() or RoleMapping(organization=organization, role=act.role, stage=act.stage)
        mapping.assessment = act.assessment
        save_mapping(mapping, admin)

    def _delivery(self, person: Person) -> Delivery:
        found = opportunity_id(self._slug, person)
        return Delivery.objects.filter(organization__slug=self._slug, opportunity_id=found).latest("pk")

    def _held(self) -> Invitation:
        held = Invitation.objects.filter(organization__slug=self._slug, status=Status.HELD)
        return held.select_related("organization").earliest("pk")

    def _invitation(self, person: Person) -> Invitation:
        rows = Invitation.objects.filter(organization__slug=self._slug, email=person.email)
        return rows.select_related("organization").latest("pk")
