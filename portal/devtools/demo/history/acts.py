"""What recruiters, candidates and the team do in the history."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from integrations.core.invitation_status import InvitationStatus as Status
from integrations.health import incidents
from integrations.invitations.acts import invitations
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.acts import set_policies
from integrations.organizations.models.organization import Organization
from integrations.queue import acts as queue_acts
from portal.devtools.demo.environment import Platforms
from portal.devtools.sandbox.codescreen.state import Instance
from portal.devtools.sandbox.lever.seed import add_candidate
from portal.devtools.sandbox.values import JsonObject, stable_id

ORIGINS = ("applied", "sourced", "referred", "university", "internal", "agency")
OWNER, LEAD, RECRUITER = "demo", "lead", "recruiter"
#: The recruiter follows one in so many candidates.
FOLLOWED_ONE_IN = 4


@dataclass(frozen=True)
class Person:
    """One candidacy, known by a word; `more` is what the sandbox is to know of it besides."""

    word: str
    posting: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def email(self) -> str:
        """The address of somebody who has an own one."""
        return f"{self.word.lower()}@candidates.example"


NOBODY = Person("")


class Team:
    """An organization's people, with its accounts at the pretend platforms."""

    def __init__(self, platforms: Platforms, slug: str) -> None:
        self.slug = slug
        self.lever = platforms.lever.accounts[slug]
        self.lever_control = platforms.lever.control
        self.codescreen = platforms.codescreen
        self.invited = platforms.codescreen.platform.accounts[slug]

    @property
    def organization(self) -> Organization:
        """The organization as it is now."""
        return Organization.objects.with_connections().get(slug=self.slug)

    def invitations(self, **which: str) -> QuerySet[Invitation]:
        """Return the invitations of which this holds."""
        rows = Invitation.objects.filter(organization__slug=self.slug, **which)
        return rows.select_related("organization")

    def instance(self, person: Person) -> Instance:
        """Return what CodeScreen has on the person's latest invitation. Raises LookupError."""
        return [one for one in self.invited.instances.values() if one.email == person.email][-1]


#: What is done in a team, mostly by or about a candidate.
type Act = Callable[[Team, Person], object]


def apply(team: Team, person: Person) -> None:
    """Let the person apply."""
    number = len(team.lever.opportunities)
    followers = [] if number % FOLLOWED_ONE_IN else [stable_id(team.slug, "user", RECRUITER)]
    origin = ORIGINS[number % len(ORIGINS)]
    with team.lever.lock:
        add_candidate(
            team.lever,
            person.word,
            person.posting,
            origin=origin,
            followers=followers,
            **deepcopy(person.more),
        )


def in_lever(act: str, **fields: object) -> Act:
    """Return that a recruiter does something with the person in Lever."""
    return lambda team, person: team.lever_control.act(
        act, {"account": team.slug, "opportunity": stable_id(team.slug, "opportunity", person.word), **fields}
    )


def step(name: str, **result: object) -> Act:
    """Return that the candidate takes a step; the result is what an evaluation states."""

    def do(team: Team, person: Person) -> None:
        body = {"account": team.slug, "instance": team.instance(person).id, "action": name, **result}
        # that an invitation went out isn't reported: the portal knows that already
        team.invited.settings.webhooks_enabled = True
        team.codescreen.control.act("candidate", body)
        team.invited.settings.webhooks_enabled = False

    return do


def fail(*faults: JsonObject) -> Act:
    """Return that CodeScreen's calls fail like this from now on; without a fault they are answered again."""
    return lambda team, _: team.codescreen.faults.load(
        {"rules": [fault | {"account": team.slug} for fault in faults]}
    )


def change_rules(by: str, **values: object) -> Act:
    """Return that somebody changes rules of the organization."""
    return lambda team, _: set_policies(team.organization, values, User.objects.get(username=by))


def decide_held(act: Callable[[Invitation, User, str], object], reason: str) -> Act:
    """Return that the Admin decides about the held invitation that has waited longest."""
    return lambda team, _: act(team.invitations(status=Status.HELD).earliest("pk"), _lead(), reason)


def resolve(team: Team, person: Person) -> None:
    """Mark the person's uncertain invitation as sent."""
    row, instance = team.invitations(email=person.email).latest("pk"), team.instance(person).id
    invitations.resolve_as_sent(row, instance, _lead(), "The candidate has the e-mail.")


def invite_again(team: Team, person: Person) -> None:
    """Begin the person's next round."""
    row = team.invitations(email=person.email).latest("pk")
    invitations.invite_again(row, _lead(), "Was ill.")


def poll(team: Team, _: Person) -> None:
    """Ask CodeScreen about everybody."""
    queue_acts.poll_organization(team.organization)


def update_incidents(team: Team, _: Person = NOBODY) -> None:
    """Begin and end incidents."""
    incidents.update_incidents(team.organization)


def _lead() -> User:
    return User.objects.get(username=LEAD)
