"""What the organization's people do at the portal, each by the operation that their page calls."""

from typing import cast

from django.contrib.auth.models import User

from integrations.models import Delivery, Invitation, Organization, RoleMapping
from integrations.models.invitation_status import Status
from integrations.queue import on_request
from integrations.vocabulary import Thresholds
from integrations.workflow.operations import invitations
from integrations.workflow.operations.mappings import save_mapping
from integrations.workflow.operations.policies import set_policies
from integrations.workflow.operations.rating_thresholds import set_thresholds
from portal.devtools.demo.history.codescreen_acts import CodeScreenActs
from portal.devtools.demo.history.events import Event
from portal.devtools.demo.history.lever_acts import opportunity_id

LEAD, RECRUITER = "lead", "recruiter"


class TeamActs:
    """Acts of one organization's members; `by` in an event's details names who, by default the Admin."""

    def __init__(self, slug: str, codescreen: CodeScreenActs) -> None:
        self._slug = slug
        self._codescreen = codescreen

    @property
    def organization(self) -> Organization:
        """The organization as it is now."""
        return Organization.objects.with_connections().get(slug=self._slug)

    def change_policies(self, event: Event) -> None:
        """Store the policies in the details."""
        values = {name: value for name, value in event.details.items() if name != "by"}
        set_policies(self.organization, values, _who(event))

    def map_role(self, event: Event) -> None:
        """Map a role to an assessment, or change its mapping."""
        names = {"role": str(event.details["role"]), "stage": str(event.details.get("stage", ""))}
        organization = self.organization
        mapping = RoleMapping.objects.filter(organization=organization, **names).first()
        mapping = mapping or RoleMapping(organization=organization, **names)
        mapping.assessment = str(event.details["assessment"])
        save_mapping(mapping, _who(event))

    def rate(self, event: Event) -> None:
        """Set the thresholds of an assessment."""
        thresholds = cast(Thresholds, event.details["thresholds"])
        set_thresholds(self.organization, str(event.details["assessment"]), thresholds, _who(event))

    def replay(self, event: Event) -> None:
        """Decide the person's latest stage change again."""
        assert event.person is not None, event  # noqa: S101 the plan gives these acts a person
        found = opportunity_id(self._slug, event.person)
        delivery = Delivery.objects.filter(organization__slug=self._slug, opportunity_id=found).latest("pk")
        on_request.replay(delivery, _who(event))

    def approve(self, event: Event) -> None:
        """Send the held invitation that has waited longest."""
        invitations.approve(self._held(), _who(event), _reason(event))

    def refuse(self, event: Event) -> None:
        """Withdraw the held invitation that has waited longest."""
        invitations.refuse(self._held(), _who(event), _reason(event))

    def resolve(self, event: Event) -> None:
        """Mark the person's uncertain invitation as sent."""
        assert event.person is not None, event  # noqa: S101 the plan gives these acts a person
        instance = self._codescreen.instance(event.person)
        invitations.resolve_as_sent(self._invitation(event), instance.id, _who(event), _reason(event))

    def stop_following(self, event: Event) -> None:
        """Withdraw the person's invitation."""
        invitations.stop_following(self._invitation(event), _who(event), _reason(event))

    def invite_again(self, event: Event) -> None:
        """Begin the person's next round."""
        invitations.invite_again(self._invitation(event), _who(event), _reason(event))

    def _held(self) -> Invitation:
        held = Invitation.objects.filter(organization__slug=self._slug, status=Status.HELD)
        return held.select_related("organization").earliest("pk")

    def _invitation(self, event: Event) -> Invitation:
        assert event.person is not None, event  # noqa: S101 the plan gives these acts a person
        rows = Invitation.objects.filter(organization__slug=self._slug, email=event.person.email)
        return rows.select_related("organization").latest("pk")


def _who(event: Event) -> User:
    return User.objects.get(username=str(event.details.get("by", LEAD)))


def _reason(event: Event) -> str:
    return str(event.details.get("reason", ""))
