"""What recruiters, candidates and the team do in the history."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from integrations.core.invitation_status import InvitationStatus as Status
from integrations.health import incidents
from integrations.invitations.acts import invitations
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.acts import set_policies
from integrations.organizations.models.organization import Organization
from integrations.queue import acts as queue_acts
from portal.devtools.demo.environment import Platforms
from portal.devtools.sandbox.codescreen.state import Instance
from portal.devtools.sandbox.lever.account import ORIGINS
from portal.devtools.sandbox.lever.seed import NO_CONTACT, add_candidate, add_posting
from portal.devtools.sandbox.values import JsonObject, stable_id

OWNER, LEAD, RECRUITER = "demo", "lead", "recruiter"
#: A role that nothing is mapped to.
DESIGNER = "Product Designer"
#: The recruiter follows one in so many candidates.
FOLLOWED_ONE_IN = 4


@dataclass(frozen=True)
class Person:
    """One candidacy; `same_person_as` is the word of another one, whose contact it shares.

    The word is for ids and addresses; `name` is the tree's name where it isn't the word.
    """

    word: str
    posting: str
    has_email: bool = True
    tags: tuple[str, ...] = ()
    same_person_as: str = ""
    may_be_contacted: bool = True
    name: str = ""

    @property
    def email(self) -> str:
        """The person's address, empty if they have none."""
        return f"{(self.same_person_as or self.word).lower()}@candidates.example" if self.has_email else ""


class Acts:
    """Acts in one organization and in its accounts of the pretend platforms."""

    def __init__(self, platforms: Platforms, slug: str) -> None:
        self._slug = slug
        self._codescreen = platforms.codescreen
        self._lever = platforms.lever.accounts[slug]
        self._lever_control = platforms.lever.control
        self._invited = platforms.codescreen.platform.accounts[slug]
        # that an invitation went out isn't reported: the portal knows that already
        self._invited.settings.webhooks_enabled = False
        add_posting(self._lever, DESIGNER, team="Design")

    @property
    def organization(self) -> Organization:
        """The organization as it is now."""
        return Organization.objects.with_connections().get(slug=self._slug)

    # in Lever

    def apply(self, person: Person) -> None:
        """Let the person apply."""
        number = len(self._lever.opportunities)
        with self._lever.lock:
            add_candidate(
                self._lever,
                person.word,
                person.posting,
                name=f"Candidate {person.name or person.same_person_as or person.word}",
                emails=[person.email] if person.email else [],
                same_as=person.same_person_as,
                tags=list(person.tags),
                origin=ORIGINS[number % len(ORIGINS)],
                followers=[] if number % FOLLOWED_ONE_IN else [stable_id(self._slug, "user", RECRUITER)],
                data_protection=None if person.may_be_contacted else NO_CONTACT,
            )

    def in_lever(self, act: str, *people: Person, **fields: object) -> None:
        """Let a recruiter do something with these people in Lever. Raises HttpError if Lever refuses it."""
        opportunities = [self._opportunity_id(person) for person in people]
        self._lever_control.act(act, {"account": self._slug, "opportunities": opportunities, **fields})

    def step(self, person: Person, step: str, **result: object) -> None:
        """Let the candidate take a step; the result is what an evaluation states. Raises HttpError out of turn."""
        body = {"account": self._slug, "instance": self._instance(person).id, "action": step, **result}
        self._invited.settings.webhooks_enabled = True
        self._codescreen.control.act("candidate", body)
        self._invited.settings.webhooks_enabled = False

    def report_steps(self) -> None:
        """Have CodeScreen send webhooks from now on."""
        self._invited.settings.webhooks_enabled = True

    def lose_next_answer(self, *, is_sent: bool = True) -> None:
        """Let the next invitation have no answer; it is sent or it isn't, which the portal can't know."""
        self.fail({"kind": "reset_after" if is_sent else "reset_before", "method": "POST", "times": 1})

    def fail(self, *faults: JsonObject) -> None:
        """Let CodeScreen's calls fail like this from now on; without a fault they are answered again."""
        self._codescreen.faults.load({"rules": [fault | {"account": self._slug} for fault in faults]})

    # at the portal

    def change_policies(self, by: str, **values: object) -> None:
        """Change rules of the organization."""
        set_policies(self.organization, values, User.objects.get(username=by))

    def approve_held(self, reason: str) -> None:
        """Send the held invitation that has waited longest."""
        invitations.approve(self._held(), self._admin(), reason)

    def cancel_held(self, reason: str) -> None:
        """Withdraw the held invitation that has waited longest."""
        invitations.cancel(self._held(), self._admin(), reason)

    def resolve(self, person: Person, reason: str) -> None:
        """Mark the person's uncertain invitation as sent."""
        invitations.resolve_as_sent(
            self._invitation(person), self._instance(person).id, self._admin(), reason
        )

    def invite_again(self, person: Person, reason: str) -> None:
        """Begin the person's next round."""
        invitations.invite_again(self._invitation(person), self._admin(), reason)

    def sweep(self) -> None:
        """Compare Lever with the rows."""
        queue_acts.sweep_organization(self.organization)

    def poll(self) -> None:
        """Ask CodeScreen about everybody."""
        queue_acts.poll_organization(self.organization)

    def update_incidents(self) -> None:
        """Begin and end incidents."""
        incidents.update_incidents(self.organization)

    def _admin(self) -> User:
        return User.objects.get(username=LEAD)

    def _held(self) -> Invitation:
        held = Invitation.objects.filter(organization__slug=self._slug, status=Status.HELD)
        return held.select_related("organization").earliest("pk")

    def _invitation(self, person: Person) -> Invitation:
        rows = Invitation.objects.filter(organization__slug=self._slug, email=person.email)
        return rows.select_related("organization").latest("pk")

    def _instance(self, person: Person) -> Instance:
        found = [one for one in self._invited.instances.values() if one.email == person.email]
        if not found:
            raise LookupError(f"{person.word} was not invited")
        return found[-1]

    def _opportunity_id(self, person: Person) -> str:
        return stable_id(self._slug, "opportunity", person.word)
