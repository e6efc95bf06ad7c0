"""Incidents and findings in the admin: what was wrong or waited for a person, and which candidates it affected."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib import admin
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import (
    badge,
    candidate_link,
    column,
    link,
    list_links,
    table,
    time_text,
)
from integrations.admin.filters import GoneFilter, OrganizationFilter, choice_filter, period_of
from integrations.audit.models.entry import AuditEntry, TargetKind
from integrations.clients.models import ApiCall
from integrations.core.finding_code import INCIDENTS, FindingCode
from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import DeliveryEvent, Platform, Tone
from integrations.effects.perform import kinds_acting_on
from integrations.health.findings import lasting
from integrations.health.models import Incident, LinterFinding
from integrations.inbox.models.delivery import STUCK, Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.names import names_of
from integrations.notifications.models.email_kind import EmailTopic
from integrations.outbox.models import Effect
from integrations.outbox.outcome import RETRY_FOR

#: So many rows of each kind are looked at.
MOST = 500
#: An effect that took longer than this to be done was delayed.
DELAYED_FROM = timedelta(minutes=1)


@dataclass(frozen=True)
class Touch:
    """How one candidate was affected, the row that shows it, and whether nothing about it is open or was given up."""

    opportunity_id: str
    at: datetime
    what: str
    row: Model
    is_settled: bool = False


def touches(incident: Incident) -> list[Touch]:
    """Return how each candidate was affected, earliest first, found by the incident's time and by what was wrong."""
    find = _FINDERS.get(incident.code)
    found = find(incident) if find else iter(())
    return sorted((touch for touch in found if touch.opportunity_id), key=lambda touch: touch.at)


def unanswered(incident: Incident) -> dict[str, int]:
    """Return how many calls were not answered or answered with an error of the server, by platform; MOST in all."""
    counts: dict[str, int] = {}
    calls = ApiCall.objects.unanswered().filter(
        organization=incident.organization_id, at__range=incident.window
    )
    for platform in calls.order_by("-at").values_list("platform", flat=True)[:MOST]:
        counts[platform] = counts.get(platform, 0) + 1
    return counts


def _platform_down(incident: Incident) -> Iterator[Touch]:
    for platform in unanswered(incident):
        if platform in Platform:
            yield from _delayed(incident, Platform(platform))
    yield from _waited_long(incident)


def _decided_late(incident: Incident) -> Iterator[Touch]:
    """Yield the stage changes that existed during the incident and were first decided late."""
    begin, end = incident.window
    earlier = Verdict.objects.filter(delivery=OuterRef("delivery"), pk__lt=OuterRef("pk"))
    verdicts = Verdict.objects.filter(
        ~Exists(earlier),
        organization=incident.organization_id,
        decided_at__range=(begin, end + RETRY_FOR),
        decided_at__gt=F("delivery__received_at") + DELAYED_FROM,
        delivery__received_at__range=(begin - RETRY_FOR, end),
        delivery__platform=Platform.LEVER,
    ).select_related("delivery")
    for verdict in verdicts.order_by("-decided_at")[:MOST]:
        delivery = verdict.delivery
        what = f"Decided after {lasting((verdict.decided_at - delivery.received_at).total_seconds())}"
        is_read = verdict.code != VerdictCode.NOT_VISIBLE
        yield Touch(delivery.opportunity_id, delivery.received_at, what, delivery, is_read)


def _undecided(incident: Incident) -> Iterator[Touch]:
    """Yield the stage changes of the time of the incident that still wait for the next try."""
    begin, end = incident.window
    deliveries = Delivery.objects.filter(
        organization=incident.organization_id,
        platform=Platform.LEVER,
        received_at__range=(begin - RETRY_FOR, end),
        verdict="",
        due_at__isnull=False,
    ).exclude(last_error="")
    for delivery in deliveries.defer("payload", "traceback").order_by("-received_at")[:MOST]:
        yield Touch(delivery.opportunity_id, delivery.received_at, "Still waits for a decision", delivery)


def _waited_long(incident: Incident) -> Iterator[Touch]:
    yield from _undecided(incident)
    yield from _decided_late(incident)


def _key_refused(incident: Incident) -> Iterator[Touch]:
    for verdict in _verdicts(incident, VerdictCode.DISCONNECTED):
        now = verdict.delivery
        later = "" if verdict.is_current else f". Decided later: {now.get_verdict_display()}"
        what = f"Waited because CodeScreen refused the key{later}"
        yield Touch(now.opportunity_id, verdict.decided_at, what, verdict)
    yield from _delayed(incident, Platform.CODESCREEN)


def _delayed(incident: Incident, platform: Platform) -> Iterator[Touch]:
    """Yield the effects on a platform that existed during the incident and waited or failed."""
    begin, end = incident.window
    kinds = kinds_acting_on(platform)
    effects = _effects(incident).filter(kind__in=kinds, created_at__range=(begin - RETRY_FOR, end))
    done_late = Q(done_at__gte=begin, done_at__gt=F("created_at") + DELAYED_FROM)
    waits = Q(state=Effect.State.DUE)
    ended_badly = Q(state=Effect.State.FAILED, failed_at__gte=begin) | Q(
        state=Effect.State.UNCERTAIN, attempt_started_at__gte=begin
    )
    for effect in effects.filter(done_late | waits | ended_badly).order_by("-created_at")[:MOST]:
        yield Touch(
            effect.opportunity_id, effect.created_at, _how_it_went(effect), effect, effect.done_at is not None
        )


def _how_it_went(effect: Effect) -> str:
    kind = effect.get_kind_display()
    if effect.done_at is not None:
        return f"{kind}: done after {lasting((effect.done_at - effect.created_at).total_seconds())}"
    if effect.state == Effect.State.DUE:
        return f"{kind}: still waits"
    return f"{kind}: {effect.get_state_display().lower()}. {effect.last_error}".strip()


def _failed(incident: Incident) -> Iterator[Touch]:
    begin, end = incident.window
    effects = _effects(incident).filter(created_at__range=(begin - RETRY_FOR, end))
    for effect in effects.filter(failed_at__range=(begin, end)).order_by("-created_at")[:MOST]:
        at = effect.failed_at or effect.created_at
        is_done = effect.done_at is not None
        yield Touch(effect.opportunity_id, at, _how_it_went(effect), effect, is_done)


def _uncertain(incident: Incident) -> Iterator[Touch]:
    """Yield the invitations that became possibly sent: they still are, members were told so, or a person settled it."""
    own = {"organization": incident.organization_id}
    meanwhile = incident.window
    told = Effect.objects.filter(
        **own, email_topic=EmailTopic.INVITATION_UNCERTAIN, created_at__range=meanwhile
    )
    settled = AuditEntry.objects.filter(
        **own,
        target_kind=TargetKind.INVITATION,
        changes__status__0=InvitationStatus.UNCERTAIN,
        at__range=meanwhile,
    )
    still = Q(status=InvitationStatus.UNCERTAIN, changed_at__range=meanwhile)
    was_settled = Q(pk__in=settled.values("target_id"))
    was_told = Q(pk__in=told.values("invitation")) | Q(pk__in=told.values("also_about"))
    found = Invitation.objects.filter(still | was_settled | was_told, **own)
    for invitation in found.select_related("organization")[:MOST]:
        at = invitation.first_call_at or invitation.changed_at
        yield Touch(invitation.opportunity_id, at, _since(invitation, InvitationStatus.UNCERTAIN), invitation)


def _since(invitation: Invitation, status: InvitationStatus) -> str:
    """Return why an invitation waited for a person, and what became of it."""
    label = status.record.label
    still = invitation.status == status
    return f"{label}, still waits" if still else f"{label}. Now: {invitation.words.phrase}"


def _stuck(incident: Incident) -> Iterator[Touch]:
    stuck = Delivery.objects.filter(STUCK, organization=incident.organization_id)
    for delivery in stuck.defer("payload")[:MOST]:
        yield Touch(delivery.opportunity_id, delivery.received_at, "Still not decided", delivery)
    yield from _decided_late(incident)


def _found_by_sweep(incident: Incident) -> Iterator[Touch]:
    found = Delivery.objects.filter(
        organization=incident.organization_id,
        event=DeliveryEvent.SWEEP,
        received_at__range=incident.window,
    )
    for delivery in found.defer("payload").order_by("-received_at")[:MOST]:
        what = f"Found by comparing with Lever: {delivery.get_verdict_display() or 'not decided yet'}"
        yield Touch(delivery.opportunity_id, delivery.received_at, what, delivery)


def _held(incident: Incident) -> Iterator[Touch]:
    for verdict in _verdicts(incident, VerdictCode.HELD_FOR_APPROVAL):
        held = InvitationStatus.HELD
        invitation = verdict.invitation
        what = _since(invitation, held) if invitation else held.record.label
        yield Touch(verdict.delivery.opportunity_id, verdict.decided_at, what, verdict)


def _verdicts(incident: Incident, code: VerdictCode) -> QuerySet[Verdict]:
    """Return the verdicts with that code, replaced ones too."""
    verdicts = Verdict.objects.filter(
        organization=incident.organization_id, code=code, decided_at__range=incident.window
    )
    return verdicts.select_related("delivery", "invitation__organization").order_by("-decided_at")[:MOST]


def _effects(incident: Incident) -> QuerySet[Effect]:
    own = Effect.objects.filter(organization=incident.organization_id).exclude(opportunity_id="")
    return own.defer("payload", "traceback")


_FINDERS: Mapping[str, Callable[[Incident], Iterator[Touch]]] = {
    FindingCode.PLATFORM_DOWN: _platform_down,
    FindingCode.CODESCREEN_KEY_REFUSED: _key_refused,
    FindingCode.HELD_INVITATIONS: _held,
    FindingCode.UNCERTAIN_INVITATIONS: _uncertain,
    FindingCode.FAILED_EFFECTS: _failed,
    FindingCode.STUCK_DELIVERIES: _stuck,
    FindingCode.UNDECIDED_DELIVERIES: _waited_long,
    FindingCode.SWEEP_REPAIRED: _found_by_sweep,
    FindingCode.WEBHOOK_REJECTED: _found_by_sweep,
    FindingCode.WEBHOOK_REMOVED: _found_by_sweep,
    FindingCode.WEBHOOK_SILENCE: _found_by_sweep,
}


#: So many candidates are shown.
SHOWN = 200


WhatFilter = choice_filter(
    "what was wrong",
    "what",
    {str(code): (incident.name, Q(code=code)) for code, incident in INCIDENTS.items()},
)


OngoingFilter = choice_filter(
    "whether it is over",
    "state",
    {"ongoing": ("Ongoing", Q(ended_at__isnull=True)), "over": ("Over", Q(ended_at__isnull=False))},
)


@admin.register(Incident)
class IncidentAdmin(ScopedAdmin):
    """Each ongoing or past failure, with the candidates that it affected."""

    list_display = ("what", "state", "began_at", "ended_at", "lasted", "notified_at", "organization")
    list_filter = (period_of("began_at"), WhatFilter, OngoingFilter, OrganizationFilter)
    ordering = ("-began_at", "-pk")
    fieldsets = (
        ("What was wrong", {"fields": ("what", "state", "organization", "calls_unanswered")}),
        ("When", {"fields": ("began_at", "ended_at", "lasted", "notified_at")}),
        ("Which candidates had to wait, or missed something", {"fields": ("candidates", "records")}),
    )

    what = column("what was wrong", lambda incident: incident.title, "code")
    state = column(
        "state",
        lambda incident: badge("Over", Tone.GOOD) if incident.ended_at else badge("Ongoing", Tone.BAD),
        "ended_at",
    )

    @admin.display(description="lasted")
    def lasted(self, incident: Incident) -> str:
        end: datetime = incident.ended_at or timezone.now()
        return lasting((end - incident.began_at).total_seconds())

    @admin.display(description="calls not answered")
    def calls_unanswered(self, incident: Incident) -> str:
        """Return how many calls to each platform were not answered meanwhile, of very many the latest."""
        labels = dict(Platform.choices())
        counts = unanswered(incident)
        text = " · ".join(f"{labels.get(name, name)}: {count}" for name, count in counts.items())
        return f"{text}, of the latest {MOST}" if sum(counts.values()) == MOST else text or "None."

    @admin.display(description="candidates")
    def candidates(self, incident: Incident) -> str | SafeString:
        """Return the candidates that it affected as a table: who, when, how, and the row that shows it."""
        found = touches(incident)
        organization = incident.organization_id
        names = names_of((organization, touch.opportunity_id) for touch in found)
        if not found:
            return "No record shows that a candidate waited or missed something."
        rows = (
            (
                candidate_link(
                    organization, touch.opportunity_id, names.get((organization, touch.opportunity_id), "")
                ),
                time_text(touch.at),
                touch.what,
                link(touch.row),
            )
            for touch in found[:SHOWN]
        )
        people = len({touch.opportunity_id for touch in found})
        are_settled = incident.ended_at and len(found) < MOST and all(touch.is_settled for touch in found)
        return format_html(
            "<p>{} candidate{}{}</p>{}{}",
            people,
            "" if people == 1 else "s",
            ". Everything that waited was decided or done since: nothing was lost." if are_settled else "",
            table(("Candidate", "When", "What happened", "Record"), rows),
            format_html("<p>The first {} are shown.</p>", SHOWN) if len(found) > SHOWN else "",
        )

    @admin.display(description="everything of that time")
    def records(self, incident: Incident) -> SafeString:
        lists = {"delivery": "Deliveries", "effect": "Effects", "apicall": "API calls", "verdict": "Verdicts"}
        since, until = (f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}" for moment in incident.window)
        return list_links(lists, organization=incident.organization_id, since=since, until=until)


@admin.register(LinterFinding)
class LinterFindingAdmin(ScopedAdmin):
    """The linter's findings over time."""

    list_display = ("what", "standing", "first_seen_at", "gone_at", "organization")
    list_filter = (GoneFilter, "level", "code", OrganizationFilter)

    standing = column("level", lambda finding: badge(finding.level.capitalize(), finding.level), "level")
    what = column("what is wrong", lambda finding: finding.message)
