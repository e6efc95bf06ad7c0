"""Decide stored deliveries again: one for real, or many under other rules without storing anything."""

from collections.abc import Iterator, Mapping
from copy import copy
from datetime import UTC, datetime, timedelta
from itertools import tee

from django.db.models import QuerySet

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import Actor, AuditAction
from integrations.catalog.lists import live_assessments, mapping_index
from integrations.catalog.models.role_mapping import RoleMapping
from integrations.clients.provider import ClientProvider
from integrations.core.rules.backtest import DecidedAgain, PastDecision, Rules, beside, decide_again
from integrations.core.rules.facts import Decision
from integrations.core.rules.mappings import MappingIndex
from integrations.core.rules.past_facts import read_facts
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ActionNotAllowed, Platform, ReentryPolicy, VerdictCause, WebhookEvent
from integrations.inbox.decide_delivery import decide_delivery
from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization
from integrations.store import database


def replay_delivery(delivery: Delivery, clients: ClientProvider, actor: Actor) -> Decision:
    """Decide a stored Lever delivery again and replace its verdict. Raises ActionNotAllowed and PlatformError."""
    if delivery.platform != Delivery.Platform.LEVER:
        raise ActionNotAllowed("Only deliveries from Lever can be retried.")
    before = delivery.verdict
    claimed = delivery.lease()
    if claimed is None:
        raise ActionNotAllowed("This delivery is being processed right now. Try again in a moment.")
    try:
        decision = decide_delivery(claimed, clients, cause=VerdictCause.REPLAY, may_wait=False)
    except BaseException:
        claimed.release()
        raise
    if not isinstance(decision, Decision):
        raise ActionNotAllowed("This delivery has just been processed. Reload its page to see the verdict.")
    changes = {"verdict": (before, decision.verdict)}
    audit(delivery, actor, AuditAction.REPLAY, changes)
    return decision


# Decide an organization's stored deliveries again under other rules. Reads only; asks no platform.


#: How far a backtest looks back unless a date is given.
DAYS = 90
READ_AT_ONCE = 1000
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
#: The policies by which deliveries are decided; the others are about what follows.
DECIDING_POLICIES = frozenset(
    {
        "stage_prefix",
        "default_assessment",
        "reentry",
        "reentry_days",
        "bulk_limit",
        "bulk_window",
        "origins",
        "hold_tag",
        "hold_question",
        "hold_answers",
        "paused",
    }
)


def rules_of(
    organization: Organization,
    policies: Mapping[str, object] | None = None,
    mappings: MappingIndex | None = None,
) -> Rules:
    """Return the rules in force, with these policies instead of the stored ones and, if given, these mappings.

    A pause counts only where the policies change it: what waits during one is decided when it is over.
    """
    wanted = copy(organization)
    for name, value in (policies or {}).items():
        setattr(wanted, name, value)
    return Rules(
        stage_prefix=wanted.stage_prefix,
        mappings=mapping_index(organization) if mappings is None else mappings,
        default_assessment=wanted.default_assessment,
        reentry=ReentryPolicy(wanted.reentry),
        reentry_days=wanted.reentry_days,
        bulk_limit=wanted.bulk_limit,
        bulk_window=wanted.bulk_window,
        origins=wanted.origins,
        assessments=live_assessments(organization),
        paused=None if wanted.paused == organization.paused else wanted.paused,
        extra_time=None if wanted.extra_time == organization.extra_time else wanted.extra_time,
    )


def backtest(organization: Organization, rules: Rules, since: datetime) -> Iterator[DecidedAgain]:
    """Yield what each delivery decided from `since` on would be under these rules, in the order of deciding.

    Reads a bounded number of rows at once.
    """
    since = max(since, _LONG_AGO)
    invited_before = _invited_before(organization, rules, since)
    yield from decide_again(_past(_decided(organization, since)), rules, invited_before)


def backtest_of_mapping(
    organization: Organization, mapping: RoleMapping, since: datetime
) -> Iterator[DecidedAgain]:
    """Yield what each delivery decided from `since` on would be with this mapping, compared with the rules in force.

    The mapping is new, or an unsaved change of a stored one.
    """
    stored = RoleMapping.objects.filter(organization=organization).order_by("role", "stage", "pk")
    rows = [mapping if row.pk == mapping.pk else row for row in stored]
    wanted = MappingIndex(row.rule for row in (rows if mapping.pk else [*rows, mapping]))
    in_force, tried = rules_of(organization), rules_of(organization, mappings=wanted)
    invited_before = list(_invited_before(organization, in_force, since))
    # read once: what is decided meanwhile is in both or in neither
    past, again = tee(_past(_decided(organization, since)))
    return beside(decide_again(past, in_force, invited_before), decide_again(again, tried, invited_before))


def _invited_before(organization: Organization, rules: Rules, since: datetime) -> Iterator[datetime]:
    """Yield when the rules decided to invite somebody, during one bulk window before `since`."""
    window = _decided(organization, since - timedelta(minutes=rules.bulk_window)).filter(
        decided_at__lt=since, verdict=VerdictCode.INVITE
    )
    return filter(None, window.values_list("decided_at", flat=True).iterator(READ_AT_ONCE))


def newest(organization: Organization, most: int) -> datetime:
    """Return the time from which at most `most` deliveries were decided; it is at most DAYS ago."""
    since = database.now() - timedelta(days=DAYS)
    times = _decided(organization, since).order_by("-decided_at").values_list("decided_at", flat=True)
    beyond = next(iter(times[most : most + 1]), None)
    # the next microsecond: several may have been decided at once, and fewer is quick too
    return beyond + timedelta(microseconds=1) if beyond else since


def _decided(organization: Organization, since: datetime) -> QuerySet[Delivery]:
    """Return Lever's deliveries that were decided by the rules since then, in the order of deciding."""
    rows = Delivery.objects.filter(organization=organization, platform=Platform.LEVER, decided_at__gte=since)
    return rows.exclude(event=WebhookEvent.CANDIDATE_DELETED).order_by("decided_at", "pk")


def _past(deliveries: QuerySet[Delivery]) -> Iterator[PastDecision]:
    rows = deliveries.values_list("opportunity_id", "event", "decided_at", "verdict", "facts")
    for opportunity_id, event, decided_at, verdict, facts in rows.iterator(READ_AT_ONCE):
        if decided_at is not None:
            yield PastDecision(opportunity_id, decided_at, VerdictCode(verdict), read_facts(facts, event))
