"""The case of one candidate with all else that is on record about them, for their page."""

from collections.abc import Sequence
from functools import cached_property

from django.db.models import Q

from integrations.audit.models.entry import AuditAction
from integrations.audit.record import audit_entries_about
from integrations.case.case import Case
from integrations.catalog.models import Stage
from integrations.clients.models import ApiCall
from integrations.core.act import Act
from integrations.core.finding_code import FindingCode
from integrations.core.verdict_code import ABOUT_NO_CANDIDATE
from integrations.core.vocabulary import DeliveryEvent, ErasureCause
from integrations.health.models import Incident
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.inbox.today import Changed, Today
from integrations.invitations.models.candidate import (
    ERASED_PERSON,
    NAME_NOT_READ,
    Candidate,
    CandidateQuerySet,
)
from integrations.invitations.models.invitation import Invitation
from integrations.lever.payloads import StageChange
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.privacy.models import Erasure
from integrations.store import database

#: How many rows of each kind are shown, and when all are asked for; a candidate rarely has twenty.
NEWEST, MOST = 50, 200


class CandidateRows(Case):
    """The case, and what else is on record, the newest of each kind first: at most `most` of a kind.

    It is read when it is made: as many queries whatever the number of rows.
    """

    def __init__(self, organization: Organization, opportunity_id: str, most: int = NEWEST) -> None:
        super().__init__(organization, opportunity_id, database.now())
        self.most, own = most, self.own
        self.read_invitations()
        self.effects = list(Effect.objects.filter(**own).order_by("pk"))
        self.newest_invitations = self._newest(self.invitations)
        self.newest_effects = self._newest(self.effects)
        self.deliveries = list(Delivery.objects.filter(**own).order_by("-received_at", "-pk")[:most])
        stage_ids = {StageChange.from_payload(one.payload).to_stage_id for one in self.deliveries} - {""}
        stages = Stage.objects.filter(organization=organization, external_id__in=stage_ids)
        self.stage_names = dict(stages.values_list("external_id", "name"))
        self.candidate = Candidate.objects.filter(**own).with_standing().first()
        # the invitation that one is about may be another opportunity's
        verdicts = Verdict.objects.filter(delivery__in=[one.pk for one in self.deliveries])
        self.verdicts = list(verdicts.select_related("invitation").order_by("-decided_at", "-pk")[:most])
        entries = audit_entries_about(organization.pk, opportunity_id).select_related("actor")
        self.actions = list(entries.order_by("-at", "-pk")[:most])
        self.erasure = Erasure.objects.filter(**own).first()

    def _newest[Row: (Invitation, Effect)](self, rows: list[Row]) -> list[Row]:
        return sorted(rows, key=lambda one: (one.created_at, one.pk), reverse=True)[: self.most]

    @cached_property
    def unanswered(self) -> Sequence[ApiCall]:
        """The calls that a platform didn't answer; read when first asked for."""
        calls = ApiCall.objects.unanswered().filter(**self.own).defer("request_body", "response_body")
        return list(calls.order_by("-at", "-pk")[: self.most])

    @cached_property
    def outages(self) -> Sequence[Incident]:
        """The organization's incidents of a platform that doesn't answer; read when first asked for."""
        incidents = Incident.objects.filter(organization=self.organization, code=FindingCode.PLATFORM_DOWN)
        return list(incidents.order_by("-began_at", "-pk")[: self.most])

    @cached_property
    def changed(self) -> Changed | None:
        """What the rules of now say of the candidate where it is another verdict; read when first asked for."""
        return Today(self.organization, self.opportunity_id).of(self.candidate)

    @property
    def exist(self) -> bool:
        """Whether the portal knows anything about the candidate."""
        return bool(self.candidate or self.invitations or self.deliveries or self.effects)

    @property
    def is_cut(self) -> bool:
        """Whether there may be more rows of some kind."""
        shown = (self.invitations, self.deliveries, self.verdicts, self.effects, self.actions)
        return any(len(rows) >= self.most for rows in shown)

    @property
    def called(self) -> str:
        """The candidate's name as last read, or why there is none."""
        return self._last_read("name", "candidate_name") or (ERASED_PERSON if self.erasure else NAME_NOT_READ)

    @property
    def is_in_lever(self) -> bool:
        """Whether Lever has a page of the candidate, as far as is known."""
        return self.erasure is None or self.erasure.cause not in {ErasureCause.DELETED, ErasureCause.GONE}

    @property
    def email(self) -> str:
        return self._last_read("email", "email")

    @property
    def role_title(self) -> str:
        """The role that the candidate is considered for."""
        return self._last_read("role_title", "role_title")

    def _last_read(self, column: str, of_invitation: str) -> str:
        """Return what Lever showed of the candidate last; empty when it isn't known or was erased."""
        known = (getattr(one, of_invitation) for one in self.newest_invitations)
        return getattr(self.candidate, column, "") or next(filter(None, known), "")

    @property
    def report_url(self) -> str:
        """The latest report in CodeScreen; empty when there is none or it was erased."""
        latest = (self.results.get(one.pk) for one in self.newest_invitations)
        return next((result.report_url for result in latest if result and result.report_url), "")

    def other_applications(self) -> CandidateQuerySet:
        """Return the other opportunities of the same person, by the contact in Lever and by the address."""
        contacts = {one.contact_id for one in self.invitations} - {""}
        of_contact = Invitation.objects.filter(organization=self.organization, contact_id__in=contacts)
        ids = list(of_contact.values_list("opportunity_id", flat=True)[: self.most]) if contacts else []
        is_same = Q(opportunity_id__in=ids) | (Q(email__iexact=self.email) if self.email else Q())
        if not ids and not self.email:
            return Candidate.objects.none()
        others = Candidate.objects.filter(is_same, organization=self.organization)
        return others.exclude(opportunity_id=self.opportunity_id).with_standing()

    @property
    def current(self) -> Invitation | None:
        """The invitation that the page is about: the latest."""
        return next(iter(self.newest_invitations), None)

    def acts_on(self, invitation: Invitation) -> tuple[Act, ...]:
        """Return what a person may do to an invitation now: nothing where nobody can be invited any more."""
        return () if self.erasure and self.erasure.is_final else super().acts_on(invitation)

    def why(self, invitation: Invitation) -> str:
        """Return why an invitation stands as it does; of one that a person cancelled, who it was and their reason."""
        acts = (one for one in self.actions if one.action == AuditAction.CANCEL_INVITATION)
        done = next((one for one in acts if one.target_id == invitation.pk), None)
        if done is None or not invitation.stopped_by_user:
            return invitation.why
        return f"By {done.who}{f': {done.reason}' if done.reason else '.'}"

    @property
    def stage_changes(self) -> list[Delivery]:
        """The deliveries that tell of a move into a stage, or that the candidate was found in one."""
        return [
            one
            for one in self.deliveries
            if one.event in DeliveryEvent and one.platform == Delivery.Platform.LEVER
        ]

    def latest_verdict(self) -> Verdict | None:
        """Return the latest current verdict; one on a CodeScreen delivery only where Lever's are missing."""
        current = [verdict for verdict in self.verdicts if verdict.is_current]
        from_lever = [verdict for verdict in current if verdict.code != Verdict.Code.NOTED]
        return next(iter(from_lever or current), None)

    def verdict_about_an_assessment(self) -> Verdict | None:
        """Return the latest current verdict that is about an assessment for the candidate, else the latest."""
        current = (one for one in self.verdicts if one.is_current and one.code not in ABOUT_NO_CANDIDATE)
        return next(current, None) or self.latest_verdict()

    def delivery_of(self, invitation: Invitation) -> Delivery | None:
        """Return the earliest delivery that led to the invitation, None when a person asked for the round."""
        led = [one for one in self.deliveries if one.invitation_id == invitation.pk]
        return next((one for one in reversed(led) if one.platform == Delivery.Platform.LEVER), None)
