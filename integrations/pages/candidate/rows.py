"""Everything that the portal stores about one candidate, read once for their page."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from django.db.models import Q

from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.audit.record import audit_entries_about
from integrations.catalog.models import Stage
from integrations.clients.models import ApiCall
from integrations.core.finding_code import FindingCode
from integrations.core.verdict_code import ABOUT_NO_CANDIDATE
from integrations.health.models import Incident
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import (
    ERASED_PERSON,
    NAME_NOT_READ,
    Candidate,
    CandidateQuerySet,
)
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.payloads import StageChange
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.pages.activity.rows import with_later_round
from integrations.privacy.models import Erasure

#: How many rows of each kind are shown, and when all are asked for; a candidate rarely has twenty.
NEWEST, MOST = 50, 200


class CandidateRows:
    """The rows about one candidate, the newest of each kind first, but an invitation's results in order of attempts.

    At most `most` of a kind, and all results of these invitations. They are read when it is made: as many queries
    whatever their number.
    """

    def __init__(self, organization: Organization, opportunity_id: str, most: int = NEWEST) -> None:
        self.organization, self.opportunity_id, self.most = organization, opportunity_id, most
        own = {"organization": organization, "opportunity_id": opportunity_id}
        rounds = with_later_round(Invitation.objects.filter(**own)).order_by("-created_at", "-pk")
        self.invitations = list(rounds[:most])
        self.results = defaultdict[int, list[Result]](list)
        results = Result.objects.filter(invitation__in=[one.pk for one in self.invitations])
        for result in results.order_by("attempt"):
            self.results[result.invitation_id].append(result)
        self.deliveries = list(Delivery.objects.filter(**own).order_by("-received_at", "-pk")[:most])
        stage_ids = {StageChange.from_payload(one.payload).to_stage_id for one in self.deliveries} - {""}
        stages = Stage.objects.filter(organization=organization, external_id__in=stage_ids)
        self.candidate = Candidate.objects.filter(**own).with_standing().first()
        verdicts = Verdict.objects.filter(delivery__in=[one.pk for one in self.deliveries])
        self.verdicts = list(verdicts.select_related("invitation").order_by("-decided_at", "-pk")[:most])
        self.effects = list(Effect.objects.filter(**own).order_by("-created_at", "-pk")[:most])
        entries = audit_entries_about(organization.pk, opportunity_id).select_related("actor")
        self.actions = list(entries.order_by("-at", "-pk")[:most])
        self.erasure = Erasure.objects.filter(**own).first()
        self.stage_names = dict(stages.values_list("external_id", "name"))

    @cached_property
    def unanswered(self) -> Sequence[ApiCall]:
        """The calls about the candidate that a platform didn't answer; read when first asked for."""
        own = {"organization": self.organization, "opportunity_id": self.opportunity_id}
        calls = ApiCall.objects.unanswered().filter(**own).defer("request_body", "response_body")
        return list(calls.order_by("-at", "-pk")[: self.most])

    @cached_property
    def outages(self) -> Sequence[Incident]:
        """The organization's incidents of a platform that doesn't answer; read when first asked for."""
        incidents = Incident.objects.filter(organization=self.organization, code=FindingCode.PLATFORM_DOWN)
        return list(incidents.order_by("-began_at", "-pk")[: self.most])

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
        why = ERASED_PERSON if self.erasure else NAME_NOT_READ
        names = [self.candidate.name if self.candidate else ""]
        return next(filter(None, [*names, *(one.candidate_name for one in self.invitations)]), why)

    @property
    def email(self) -> str:
        """The candidate's address as last read; empty when it isn't known or was erased."""
        addresses = [self.candidate.email if self.candidate else ""]
        return next(filter(None, [*addresses, *(one.email for one in self.invitations)]), "")

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
    def role_title(self) -> str:
        """The role that the candidate is considered for; empty when it isn't known."""
        titles = [self.candidate.role_title if self.candidate else ""]
        return next(filter(None, [*titles, *(one.role_title for one in self.invitations)]), "")

    @property
    def current(self) -> Invitation | None:
        """The invitation that the page is about: the latest."""
        return self.invitations[0] if self.invitations else None

    @property
    def first_delivery_at(self) -> datetime | None:
        """When the first of these deliveries arrived, None without any."""
        return self.deliveries[-1].received_at if self.deliveries else None

    def latest_result(self, invitation: Invitation) -> Result | None:
        results = self.results.get(invitation.pk)
        return results[-1] if results else None

    @property
    def report_url(self) -> str:
        """The latest report in CodeScreen; empty when there is none or it was erased."""
        latest = (self.latest_result(invitation) for invitation in self.invitations)
        return next((result.report_url for result in latest if result and result.report_url), "")

    def latest_verdict(self) -> Verdict | None:
        """Return the latest current verdict; one on a CodeScreen delivery only where Lever's are missing."""
        current = [verdict for verdict in self.verdicts if verdict.is_current]
        from_lever = [verdict for verdict in current if verdict.code != Verdict.Code.NOTED]
        return next(iter(from_lever or current), None)

    def verdict_about_an_assessment(self) -> Verdict | None:
        """Return the latest current verdict that is about an assessment for the candidate, else the latest."""
        current = (one for one in self.verdicts if one.is_current and one.code not in ABOUT_NO_CANDIDATE)
        return next(current, None) or self.latest_verdict()

    def cancellation(self, invitation: Invitation) -> AuditEntry | None:
        """Return who cancelled the invitation and why; None when a change of stage did, or it isn't known."""
        acts = (one for one in self.actions if one.action == AuditAction.CANCEL_INVITATION)
        done = (one for one in acts if one.target_id == invitation.pk)
        return next(done, None) if invitation.stopped_by_user else None

    def why_held(self, invitation: Invitation) -> str:
        """Return the explanation of the verdict that held the invitation; empty when it isn't known."""
        held = (one for one in self.verdicts if one.invitation_id == invitation.pk)
        return next((one.explanation for one in held if one.code == Verdict.Code.HELD_FOR_APPROVAL), "")

    def delivery_of(self, invitation: Invitation) -> Delivery | None:
        """Return the earliest delivery that led to the invitation, None when a person asked for the round."""
        led = [
            delivery
            for delivery in self.deliveries
            if delivery.invitation_id == invitation.pk and delivery.platform == Delivery.Platform.LEVER
        ]
        return led[-1] if led else None
