"""Any history of one person's two candidacies, played in this process: Lever, CodeScreen, people, faults and time.

Each public method of `History` but `rest` is an event that may happen. One that can't happen now raises a REFUSAL.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import Model, QuerySet
from django.test import Client

from integrations.case.case import Case
from integrations.case.reconcile import reconcile
from integrations.catalog.acts import MAPPINGS
from integrations.catalog.models import RoleMapping
from integrations.codescreen.acts import save_codescreen_webhook_secret
from integrations.core.vocabulary import ActionNotAllowed, ErasureCause, WebhookEvent
from integrations.http.session import PlatformError
from integrations.invitations.acts import chosen, invitations
from integrations.invitations.acts.invitations import retry_effect
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.lever.acts.connection import disconnect_lever
from integrations.members.models.membership import Membership
from integrations.organizations.acts import record_restore, set_policies
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.privacy.erase import erase
from integrations.privacy.models import Erasure
from integrations.queue import acts, worker
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.store import database
from portal.devtools.chaos.every_point.faults import FaultKind
from portal.devtools.chaos.every_point.platforms import ACCOUNT, Platforms
from portal.devtools.chaos.every_point.process import claimable_at
from portal.devtools.chaos.every_point.world import connect
from portal.devtools.clock import PretendClock
from portal.devtools.sandbox.codescreen import seed as codescreen_seed
from portal.devtools.sandbox.codescreen.state import CodeScreenAccount, Instance
from portal.devtools.sandbox.lever import candidacies
from portal.devtools.sandbox.lever import seed as lever_seed
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.records import Opportunity
from portal.devtools.sandbox.messages import HttpError
from portal.devtools.sandbox.values import stable_id
from tests.support import factories
from tests.support.elsewhere import Elsewhere
from tests.support.undone import Wire, copied, forget

ONE, OTHER = "Tamarack", "Tamarack again"  # two candidacies of one person
STAGE, TAKE_HOME = "CodeScreen Assessment", "CodeScreen Take-home"
OUTSIDE, AFTER_PASS = "Phone screen", "On-site interview"
HOLD_TAG = "Accommodation"
ROLES = ["Backend Engineer", "Frontend Engineer"]
NO_TAG = {"passed_tag": "{assessment}: passed", "failed_tag": "{assessment}: failed"}
RULES = {"bulk_limit": 0, "hold_tag": HOLD_TAG, "not_started_days": 3, "attach_report": True, **NO_TAG}
REFUSALS = (ActionNotAllowed, HttpError, PlatformError, ObjectDoesNotExist)
MOMENTS = 60


def own(model: type[Model]) -> QuerySet[Any]:
    """Return the organization's rows; another one has rows about the same candidacies."""
    return model._default_manager.filter(organization__slug=ACCOUNT)


class Kept:
    """The organization with its accounts as every history finds them: made once."""

    def __init__(self, platforms: Platforms, clock: PretendClock, wire: Wire) -> None:
        self.platforms, self.clock, self.wire = platforms, clock, wire
        lever = platforms.lever.platform.add_account(lever_seed.acme(platforms.lever.platform.sender))
        codescreen = platforms.codescreen.platform.add_account(codescreen_seed.new_account(ACCOUNT))
        lever.settings.rate_limit = 0.0
        made = factories.OrganizationFactory(slug=ACCOUNT, **RULES)
        self.person = factories.member(made, Membership.Role.SUPER_ADMIN, "owner")
        factories.CodeScreenConnectionFactory(organization=made, api_key=codescreen.api_key)
        save_codescreen_webhook_secret(made, factories.WEBHOOK_SECRET, "test")
        codescreen.settings.update(
            {
                "metadata": True,
                "webhook_url": made.codescreen_webhook_url,
                "webhook_secret": factories.WEBHOOK_SECRET,
            }
        )
        for event in WebhookEvent:
            webhook = platforms.lever_does("webhook", event=event, url=made.lever_webhook_url)
            factories.LeverWebhookFactory(
                organization=made, event=event, origin="api", signature_token=webhook["signature_token"]
            )
        for role in ROLES:
            made.role_mappings.create(role=role, assessment="Backend")
        made.role_mappings.create(role="Backend Engineer", stage=TAKE_HOME, assessment="Data Engineer")
        connect(platforms)
        worker.work()
        self.elsewhere = Elsewhere([stable_id(ACCOUNT, "opportunity", word) for word in (ONE, OTHER)])
        self._since = clock.now()
        self._accounts = copied((lever, codescreen, vars(platforms.lever.grants)), platforms)

    def begin_again(self) -> tuple[LeverAccount, CodeScreenAccount]:
        """Have the accounts and the time as they were; return the accounts."""
        self.clock.advance((self._since - self.clock.now()).total_seconds())
        lever, codescreen, grants = copied(self._accounts, self.platforms)
        self.platforms.lever.accounts[ACCOUNT] = lever
        platform = self.platforms.codescreen.platform
        platform.accounts[ACCOUNT] = codescreen
        platform.change_key(codescreen, codescreen.api_key)  # by which it is found
        vars(self.platforms.lever.grants).update(grants)
        return lever, codescreen


class History:
    """The organization, its accounts, and what may happen; `lines` is what has happened."""

    def __init__(self, kept: "Kept", why_not: Callable[["History", Instance], str]) -> None:
        self._kept, self.why_not = kept, why_not
        self.platforms, self.clock, self.wire, self.person = (
            kept.platforms,
            kept.clock,
            kept.wire,
            kept.person,
        )
        self._client = Client(SERVER_NAME="testserver")
        self.elsewhere = kept.elsewhere
        self.lines: list[str] = []
        #: By assessment, how often more than once somebody or a rule had it sent to the person.
        self.asked: dict[str, int] = {}
        self.addresses = {"tamarack@candidates.example"}
        self.changed_rules: set[str] = set()
        #: What was sent though it wasn't to be sent any more.
        self.wrongly_sent: list[str] = []
        #: The candidacies and assessments of the invitations that a restore lost.
        self.lost: set[tuple[str, str]] = set()
        self._backup: tuple[str, datetime] | None = None

    @contextmanager
    def played(self) -> Iterator["History"]:
        """Play it on copies of the accounts, and on rows that are undone afterwards."""
        with transaction.atomic():
            forget()
            self.wire.writes.clear()
            self.lever, self.codescreen = self._kept.begin_again()
            try:
                yield self
            finally:
                self._stop_faults()
                self.platforms.deliver_webhooks(lambda *_: 200)
                transaction.set_rollback(True)
        forget()

    # what there is

    @property
    def organization(self) -> Organization:
        """The organization as it is now."""
        return Organization.objects.with_connections().get(slug=ACCOUNT)

    @staticmethod
    def id_of(word: str) -> str:
        """Return the id of a candidacy in Lever."""
        return stable_id(ACCOUNT, "opportunity", word)

    def opportunity(self, word: str) -> Opportunity:
        """Return a candidacy. Raises HttpError when Lever has deleted it."""
        found = self.lever.opportunities.get(self.id_of(word))
        if found is None:
            raise HttpError(404, "deleted in Lever")
        return found

    def invitation(self, word: str) -> Invitation:
        """Return the latest invitation through this candidacy. Raises DoesNotExist."""
        rows = own(Invitation).filter(opportunity_id=self.id_of(word))
        return rows.select_related("organization").latest("created_at", "pk")

    def sent(self, assessment_id: str = "") -> list[Instance]:
        """Return what CodeScreen has sent to the person, or of one assessment."""
        return [one for one in self.codescreen.instances.values() if assessment_id in ("", one.assessment.id)]

    def _note_asked(self, assessment_id: str = "") -> None:
        """Note that an assessment may now be sent once more than before, or each that was sent."""
        for one in {instance.assessment.id for instance in self.sent(assessment_id)}:
            self.asked[one] = self.asked.get(one, 0) + 1

    # recruiters, in Lever

    def move(self, word: str, stage: str) -> None:
        found, one = self.lever.find_stage(stage), self.opportunity(word)
        is_moved = candidacies.change_stage(self.lever, one, found.id if found else "", self.lever.actor())
        if is_moved and stage in (STAGE, TAKE_HOME) and self.organization.reentry_days:
            self._note_asked()

    def change_posting(self, word: str, posting: str) -> None:
        self.opportunity(word).posting_id = stable_id(ACCOUNT, "posting", posting)
        self.opportunity(word).mark_updated()

    def tag(self, word: str, tag: str, is_added: bool) -> None:
        change = candidacies.add_tags if is_added else candidacies.remove_tags
        change(self.opportunity(word), [tag])

    def correct_email(self, address: str) -> None:
        self.lever.contacts[stable_id(ACCOUNT, "contact", ONE)].emails = [address]
        self.addresses.add(address)

    def archive(self, word: str, is_archived: bool) -> None:
        reason = next(iter(self.lever.archive_reasons)) if is_archived else None
        candidacies.set_archived(self.lever, self.opportunity(word), reason)

    def anonymize(self) -> None:
        candidacies.anonymize(self.lever, self.lever.contacts[stable_id(ACCOUNT, "contact", ONE)])

    def delete(self, word: str) -> None:
        candidacies.delete(self.lever, self.opportunity(word), self.lever.actor())

    # candidates and CodeScreen

    def take(self, number: int, step: str, score: int | None = None, result: str | None = None) -> None:
        """The candidate does a step of what was sent, or CodeScreen does."""
        sent = self.sent()
        if not sent:
            raise HttpError(404, "nothing was sent")
        said: dict[str, object] = {"score": score, "result": result}
        platform = self.platforms.codescreen.platform
        platform.act(self.codescreen, sent[number % len(sent)], step, said)

    def finish(self, number: int, score: int | None, result: str | None) -> None:
        """The candidate does all that is left to do, and CodeScreen evaluates it."""
        for step in ("start", "submit"):
            with suppress(HttpError):
                self.take(number, step)
        self.take(number, "evaluate", score, result)

    # people, in the portal

    def map_role(self, role: str, stage: str, assessment: str) -> None:
        organization = self.organization
        row = organization.role_mappings.filter(role=role, stage=stage).first()
        row = row or RoleMapping(organization=organization, role=role, stage=stage)
        row.assessment = assessment
        MAPPINGS.save(row, self.person)

    def approve_each(self, role: str, approval: str) -> None:
        for row in self.organization.role_mappings.filter(role=role):
            row.approval = approval
            MAPPINGS.save(row, self.person)

    def unmap_role(self, role: str, stage: str) -> None:
        MAPPINGS.remove(self.organization.role_mappings.get(role=role, stage=stage), self.person)

    def set_rule(self, name: str, value: object) -> None:
        set_policies(self.organization, {name: value}, self.person)
        self.changed_rules.add(name)

    def connect(self, is_connected: bool) -> None:
        if is_connected:
            connect(self.platforms)
        else:
            disconnect_lever(self.organization, self.person)

    def approve(self, word: str) -> None:
        invitations.approve(self.invitation(word), self.person)

    def cancel(self, word: str) -> None:
        invitations.cancel(self.invitation(word), self.person)

    def resolve(self, word: str) -> None:
        """A person looks in CodeScreen, and says what they see there."""
        row = self.invitation(word)
        known = set(own(Invitation).values_list("instance_id", flat=True))
        unknown = [one for one in self.sent(row.assessment_id) if one.id not in known]
        if unknown:
            invitations.resolve_as_sent(row, unknown[-1].id, self.person)
        elif not self.sent(row.assessment_id):
            invitations.send_again(row, self.person)

    def send_again(self, word: str) -> None:
        row = self.invitation(word)
        if row.status == Invitation.Status.UNCERTAIN:
            raise ActionNotAllowed("whoever sends it again has looked before: see resolve")
        invitations.send_again(row, self.person)

    def invite_again(self, word: str) -> None:
        self._note_asked(invitations.invite_again(self.invitation(word), self.person).assessment_id)

    def choose(self, word: str, assessment: str) -> None:
        row = own(Candidate).get(opportunity_id=self.id_of(word))
        found = self.codescreen.find_assessment(assessment) if assessment else None
        chosen.invite_candidate(row, self.person, found.id if found else "")
        self._note_asked(found.id if found else "")

    def forget_person(self, word: str) -> None:
        erase(self.organization, self.id_of(word), ErasureCause.FORGOTTEN, self.person)

    # faults, time, backups and workers

    def fail(self, platform: str, at: str, fault: FaultKind | int) -> None:
        if isinstance(fault, FaultKind):
            self.wire.faults[platform] = (at, fault)
            return
        server = self.platforms.lever if platform == "Lever" else self.platforms.codescreen
        method = "GET" if at == "read" else "POST"
        rule = {"kind": "status", "status": fault, "times": 1, "path": "^/(v1/opp|api/)", "method": method}
        server.faults.load({"rules": [rule]})

    def lose_webhooks(self) -> None:
        self.platforms.deliver_webhooks(lambda *_: 200)

    def pass_time(self, wait: timedelta) -> None:
        self.clock.advance(wait.total_seconds())

    def back_up(self) -> None:
        self._backup = (transaction.savepoint_create(), database.now())
        self.clock.advance(60.0)

    def restore(self) -> None:
        if self._backup is None:
            raise ActionNotAllowed("there is no backup")
        self.clock.advance(60.0)
        self.lost |= set(own(Invitation).values_list("opportunity_id", "assessment_id"))
        forgotten = own(Erasure).filter(cause=ErasureCause.FORGOTTEN)
        erased = list(forgotten.values_list("opportunity_id", flat=True))
        transaction.savepoint_rollback(self._backup[0])
        forget()
        record_restore(self.organization, self._backup[1], None, self.person)
        for opportunity_id in erased:  # as `forget --again-from` does
            erase(self.organization, opportunity_id, ErasureCause.FORGOTTEN, self.person)
        connect(self.platforms)

    def poll(self) -> None:
        acts.poll_organization(self.organization, everything=True)

    def sweep(self) -> None:
        acts.sweep_organization(self.organization)

    def work(self) -> None:
        """Webhooks arrive, and workers work what is due now."""
        self.platforms.deliver_webhooks(self._receive)
        known = len(self.sent())
        worker.work()
        self.wrongly_sent += filter(None, [self.why_not(self, one) for one in self.sent()[known:]])

    def rest(self) -> None:
        """People end the pause and connect Lever; outages are over; all is worked, and done by the clock."""
        self._stop_faults()
        if self.organization.paused:
            set_policies(self.organization, {"paused": False}, self.person)
        if self.organization.disconnected_reason:
            connect(self.platforms)
        self._work_off()
        for _ in range(8):  # the last time nothing is written
            before = len(self.wire.writes)
            for effect in Effect.objects.filter(organization=self.organization).failed_steps():
                assert effect.last_error, f"{effect} failed without a reason"
                retry_effect(effect, self.person)
            self.do_by_the_clock()
            for word in (ONE, OTHER):
                with transaction.atomic():
                    reconcile(Case.read(self.organization, self.id_of(word), is_locked=True))
            self._work_off()
            if len(self.wire.writes) == before:
                return
        raise AssertionError(f"The portal writes again and again: {self.wire.writes[-20:]}")

    def do_by_the_clock(self) -> None:
        """Compare with Lever, follow erasures, write who waits, and poll CodeScreen about everybody."""
        organization = self.organization
        acts.sweep_organization(organization)
        acts.follow_erasures(organization)
        DutyRun.objects.request(Duty.NOTE_WAITS, [organization.pk])
        worker.perform_duties()
        acts.poll_organization(organization, everything=True)

    def _work_off(self) -> None:
        for _ in range(MOMENTS):
            self.work()
            waits = claimable_at()
            if not waits:
                return
            now = self.clock.now()
            self.clock.move_to(min((one for one in waits if one > now), default=now + timedelta(seconds=1)))
        rows = [f"{row} ({row.last_error})" for row in Effect.objects.filter(state=Effect.State.DUE)]
        raise AssertionError(f"rows become due again and again: {', '.join(rows) or 'deliveries'}")

    def _stop_faults(self) -> None:
        self.wire.faults.clear()
        self.platforms.lever.faults.load({})
        self.platforms.codescreen.faults.load({})

    def _receive(self, path: str, headers: dict[str, str], body: bytes) -> int:
        answer = self._client.post(path, body, content_type="application/json", headers=headers)
        is_too_old = answer.status_code == 401 and b"timestamp_out_of_range" in answer.content
        assert answer.status_code < 300 or is_too_old, f"a webhook was answered {answer.content!r}"
        return 200
