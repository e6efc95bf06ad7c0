"""What happens in the history: acts at Lever, at CodeScreen and of the team."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from django.contrib.auth.models import User

from integrations.catalog.acts import save_mapping, set_assessment_rules
from integrations.catalog.models.role_mapping import THRESHOLDS, RoleMapping
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.acts import set_policies
from integrations.organizations.models.organization import Organization
from integrations.queue import on_request
from portal.devtools.demo.history.events import (
    DESIGN,
    LEAD,
    Add,
    Approve,
    Archive,
    Cancel,
    CancelHeld,
    ChangePolicies,
    InviteAgain,
    MapRole,
    Move,
    MoveTogether,
    Person,
    Rate,
    Replay,
    Resolve,
    TakeStep,
    TeamAct,
)
from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from portal.devtools.sandbox.codescreen.state import Instance
from portal.devtools.sandbox.lever import candidacies
from portal.devtools.sandbox.lever.account import ORIGINS, LeverAccount, Webhook, signed_body
from portal.devtools.sandbox.lever.platform import new_opportunity
from portal.devtools.sandbox.lever.records import Opportunity, Posting
from portal.devtools.sandbox.values import JsonObject, new_id, now_ms, stable_id

UNAVAILABLE = {"path": "^/api/", "probability": 1.0, "kind": "status", "status": 503}
ANSWER_LOST = {
    "method": "POST",
    "path": "/api/assessments$",
    "probability": 1.0,
    "times": 1,
    "kind": "reset_after",
}


class CodeScreenActs:
    """Acts in one account, and lets the whole platform fail.

    Its webhooks tell of what candidates do. That an invitation went out isn't reported: the portal knows that already.
    """

    def __init__(self, server: CodeScreenSandbox, slug: str) -> None:
        self._server = server
        self._account = server.platform.accounts[slug]
        self._account.settings.webhooks_enabled = False

    def take_step(self, act: TakeStep) -> None:
        """Let the candidate take the next step. Raises HttpError for a step out of turn."""
        instance = self.instance(act.person)
        with self._account.lock, self.reporting():
            self._server.platform.journey.act(self._account, instance, act.step, dict(act.result))

    def instance(self, person: Person) -> Instance:
        """Return the person's latest invitation. Raises LookupError when there is none."""
        instance = self._account.latest(person.email, person.assessment)
        if instance is None:
            raise LookupError(f"{person.word} was not invited to {person.assessment}")
        return instance

    def fail(self) -> None:
        """Answer every call with 503 from now on."""
        self._server.faults.load({"seed": 1, "rules": [UNAVAILABLE]})

    def work(self) -> None:
        """Answer every call again."""
        self._server.faults.clear()

    def lose_next_answer(self) -> None:
        """Carry out the next invitation without an answer."""
        self._server.faults.load({"seed": 1, "rules": [ANSWER_LOST]})

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Send webhooks until the end of the block."""
        self._account.settings.webhooks_enabled = True
        try:
            yield
        finally:
            self._account.settings.webhooks_enabled = False

    def end(self) -> None:
        """Report everything from now on."""
        self._account.settings.webhooks_enabled = True


NO_CONTACT: JsonObject = {
    "store": {"allowed": True, "expiresAt": None},
    "contact": {"allowed": False, "expiresAt": None},
}
STAGE_CHANGE = "candidateStageChange"
#: The recruiter follows one in so many candidates.
FOLLOWED_ONE_IN = 4


def opportunity_id(slug: str, person: Person) -> str:
    """Return the id that the person's candidacy has in every run."""
    return stable_id(slug, "opportunity", person.word)


class LeverActs:
    """Acts in one account."""

    def __init__(self, account: LeverAccount) -> None:
        self._account = account
        self._recruiter = stable_id(account.slug, "user", "recruiter")
        design = Posting(stable_id(account.slug, "posting", DESIGN), DESIGN, account.actor(), team="Design")
        account.postings[design.id] = design

    def add(self, act: Add) -> None:
        """Let the person apply."""
        person, number = act.person, len(self._account.opportunities)
        item: JsonObject = {
            "id": opportunity_id(self._account.slug, person),
            "contact": stable_id(self._account.slug, "contact", person.same_person_as or person.word),
            "name": f"Candidate {person.same_person_as or person.word}",
            "emails": [person.email] if person.email else [],
            "posting": person.posting,
            "tags": list(person.tags),
            "origin": ORIGINS[number % len(ORIGINS)],
            "followers": [self._recruiter] if number % FOLLOWED_ONE_IN == 0 else [],
            "time_zone": person.time_zone or None,
        }
        if not person.may_be_contacted:
            item["data_protection"] = NO_CONTACT
        with self._account.lock:
            candidacies.create(self._account, new_opportunity(self._account, item, now_ms()))

    def move(self, act: Move) -> None:
        """Move the person to a stage, and back if it is undone. Raises LookupError without such a stage."""
        with self._account.lock:
            before = self._opportunity(act.person).stage
            self._change_stage(act.person, act.stage)
            if act.is_undone:
                self._change_stage(act.person, before)

    def move_together(self, act: MoveTogether) -> None:
        """Move several people to a stage at once. Raises LookupError without such a stage."""
        with self._account.lock:
            for person in act.people:
                self._change_stage(person, act.stage)

    def archive(self, act: Archive) -> None:
        """Archive the person for a reason."""
        reason = next(one for one in self._account.archive_reasons.values() if one.text == act.reason)
        with self._account.lock:
            candidacies.set_archived(self._account, self._opportunity(act.person), reason.id)

    def lose_webhooks(self) -> None:
        """Report nothing from now on."""
        self._account.settings.webhooks_enabled = False

    def deliver_webhooks(self) -> None:
        """Report what happens from now on."""
        self._account.settings.webhooks_enabled = True

    def forge_webhook(self) -> None:
        """Have somebody send a stage change whose signature is made with another token."""
        url = next(hook.url for hook in self._account.events.webhooks.values() if hook.event == STAGE_CHANGE)
        body = signed_body(Webhook(new_id(), STAGE_CHANGE, url), STAGE_CHANGE, {"opportunityId": new_id()})
        requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=5)

    def _change_stage(self, person: Person, name: str) -> None:
        stage = self._account.find_stage(name)
        if stage is None:
            raise LookupError(f"{self._account.slug} has no stage {name}")
        candidacies.change_stage(self._account, self._opportunity(person), stage.id, self._account.actor())

    def _opportunity(self, person: Person) -> Opportunity:
        return self._account.opportunities[opportunity_id(self._account.slug, person)]


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
                columns = dict(zip(THRESHOLDS, thresholds, strict=True))
                set_assessment_rules(self.organization, assessment, columns, admin)
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
        mapping.assessment, mapping.next_assessment = act.assessment, act.next_assessment
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
