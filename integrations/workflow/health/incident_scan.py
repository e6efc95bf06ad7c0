"""Which organizations' incidents may have begun, changed or ended: a few queries over all of them.

Asking the doctor would take twenty queries for each. What it would find is looked up here by code. Finding too much
here costs a needless look by the doctor; finding too little would leave members without a notice.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from integrations.finding_code import FindingCode
from integrations.models import (
    CircuitBreaker,
    CodeScreenConnection,
    Delivery,
    DutyRun,
    Effect,
    Incident,
    Invitation,
    LeverProbe,
    LeverWebhook,
    WebhookRejection,
)
from integrations.models.delivery import STUCK
from integrations.vocabulary import DeliveryEvent, Platform
from integrations.workflow.health.checks.lever_webhooks import MISSED_AT_LEAST
from integrations.workflow.health.checks.webhook_requests import SHOWN_FOR as REJECTIONS_SHOWN_FOR
from integrations.workflow.health.checks.work import REPAIRS_SHOWN_FOR, UNDECIDED_FOR
from integrations.workflow.health.lever_probe import PROBE_VALID_FOR

_received_since = LeverWebhook.objects.active().filter(
    organization=OuterRef("organization"),
    event=DeliveryEvent.STAGE_CHANGE,
    last_received_at__gt=OuterRef("silent_since"),
)
_accepted_since = LeverWebhook.objects.active().filter(
    Q(last_received_at__gt=OuterRef("last_at")) | Q(last_verified_at__gt=OuterRef("last_at")),
    organization=OuterRef("organization"),
)
_codescreen_accepted_since = CodeScreenConnection.objects.filter(
    organization=OuterRef("organization"), last_received_at__gt=OuterRef("last_at")
)

#: By code, the rows whose organizations may have the incident.
ROWS: Mapping[str, Callable[[], QuerySet[Model]]] = {
    FindingCode.HELD_INVITATIONS: lambda: Invitation.objects.filter(status=Invitation.Status.HELD),
    FindingCode.UNCERTAIN_INVITATIONS: lambda: Invitation.objects.filter(status=Invitation.Status.UNCERTAIN),
    FindingCode.FAILED_EFFECTS: lambda: Effect.objects.filter(state=Effect.State.FAILED),
    FindingCode.STUCK_DELIVERIES: lambda: Delivery.objects.filter(STUCK),
    FindingCode.UNDECIDED_DELIVERIES: lambda: Delivery.objects.undecided_since(Now() - UNDECIDED_FOR),
    FindingCode.DUTY_FAILING: DutyRun.objects.failing,
    FindingCode.CODESCREEN_KEY_REFUSED: lambda: CodeScreenConnection.objects.filter(
        state=CodeScreenConnection.State.REFUSED
    ),
    FindingCode.PLATFORM_DOWN: lambda: CircuitBreaker.objects.filter(
        failures__gte=CircuitBreaker.FAILURES_TO_OPEN
    ),
    FindingCode.SWEEP_REPAIRED: lambda: Delivery.objects.filter(
        event=DeliveryEvent.SWEEP, invitation__isnull=False, received_at__gte=Now() - REPAIRS_SHOWN_FOR
    ),
    FindingCode.WEBHOOK_REMOVED: lambda: LeverWebhook.objects.active().filter(missing_since__isnull=False),
    FindingCode.WEBHOOK_REJECTED: lambda: WebhookRejection.objects.filter(
        Q(platform=Platform.LEVER) & ~Exists(_accepted_since)
        | Q(platform=Platform.CODESCREEN) & ~Exists(_codescreen_accepted_since),
        last_at__gt=Now() - REJECTIONS_SHOWN_FOR,
    ),
    FindingCode.WEBHOOK_SILENCE: lambda: LeverProbe.objects.filter(
        ~Exists(_received_since), missed_events__gte=MISSED_AT_LEAST, checked_at__gt=Now() - PROBE_VALID_FOR
    ),
}


def organizations_with_changes() -> set[int]:
    """Return the organizations whose incidents differ from what is found now, or aren't notified yet."""
    found: dict[int, set[str]] = defaultdict(set)
    for code, rows in ROWS.items():
        for organization_id in _organizations(rows()):
            found[organization_id].add(code)
    ongoing: dict[int, set[str]] = defaultdict(set)
    for organization_id, code in Incident.objects.ongoing().values_list("organization", "code"):
        ongoing[organization_id].add(code)
    changed = {
        organization_id
        for organization_id in found | ongoing
        if found[organization_id] != ongoing[organization_id]
    }
    unnotified = Incident.objects.ongoing().filter(notified_at__isnull=True)
    return changed | set(_organizations(unnotified)) | _with_new_rows()


def _with_new_rows() -> set[int]:
    """Return the organizations whose ongoing incident has gained rows since its members were notified."""
    ongoing = Incident.objects.ongoing()
    held = ongoing.filter(
        code=FindingCode.HELD_INVITATIONS,
        organization__invitations__status=Invitation.Status.HELD,
        organization__invitations__changed_at__gt=F("notified_at"),
    )
    failed = ongoing.filter(
        code=FindingCode.FAILED_EFFECTS,
        organization__effects__state=Effect.State.FAILED,
        organization__effects__failed_at__gt=F("notified_at"),
    )
    return {*_organizations(held), *_organizations(failed)}


def _organizations(rows: QuerySet[Model]) -> Iterable[int]:
    return rows.order_by().values_list("organization", flat=True).distinct()
