"""The admin's first page: what waits and what auditors ask, each with the list that answers it."""

from dataclasses import dataclass, field

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from integrations.admin.base import has_right, organizations, require_member, visible
from integrations.admin.delivery import AnswerFilter
from integrations.audit.models.entry import AuditAction, AuditEntry, TargetKind
from integrations.clients.models import ApiCall
from integrations.core.finding_code import OUTAGES
from integrations.core.vocabulary import DeliveryEvent
from integrations.health.models import Incident, WebhookRejection
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.members.models.membership import Membership
from integrations.outbox.kind import Target
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import kinds_acting_on


def addresses() -> list[URLPattern]:
    """Return the pages' addresses within the admin."""
    address = "candidates/<int:organization_id>/<path:opportunity_id>/"
    return [path(address, admin.site.admin_view(candidate), name="candidate")]


@require_safe
def candidate(request: HttpRequest, organization_id: int, opportunity_id: str) -> HttpResponse:
    """Lead to the record of a candidate; where there is none, to their deliveries."""
    require_member(request)
    organization = get_object_or_404(organizations(request), pk=organization_id)
    if row := Candidate.objects.filter(organization=organization, opportunity_id=opportunity_id).first():
        return redirect("admin:integrations_candidate_change", row.pk)
    deliveries = reverse("admin:integrations_delivery_changelist")
    query = urlencode({"q": opportunity_id, "organization": str(organization.pk)})
    return redirect(f"{deliveries}?{query}")


@dataclass(frozen=True)
class Question:
    """One question, and the list that answers it: the rows of a model with these lookups in its address."""

    text: str
    model: type[Model]
    lookups: dict[str, str | bool] = field(default_factory=dict)

    @property
    def address(self) -> str:
        address = reverse(f"admin:integrations_{self.model._meta.model_name}_changelist")
        return f"{address}?{urlencode(self.lookups)}" if self.lookups else address

    def count(self, request: HttpRequest) -> int:
        """Return how many rows of it the person sees."""
        rows = visible(self.model, request)
        lookups = {
            name: str(value).split(",") if name.endswith("__in") else value
            for name, value in self.lookups.items()
        }
        return rows.filter(**lookups).count()


#: What waits for a person now; each is counted.
WAITING = (
    Question("Invitations that need approval", Invitation, {"status": Invitation.Status.HELD}),
    Question("Invitations that were possibly sent", Invitation, {"status": Invitation.Status.UNCERTAIN}),
    Question("Invitations that were not sent", Invitation, {"status": Invitation.Status.FAILED}),
    Question("What could not be written or sent", Effect, {"state": Effect.State.FAILED}),
    Question("Problems now", Incident, {"ended_at__isnull": True, "code__in": ",".join(OUTAGES)}),
)
_SIGN_INS = (AuditAction.SIGN_IN, AuditAction.FAIL_SIGN_IN, AuditAction.REFUSE_SIGN_IN)
_DISCLOSURES = (AuditAction.LOOK_AT_DATA, AuditAction.SUBJECT_ACCESS, AuditAction.EXPORT_LIST)
QUESTIONS = (
    Question("Who was not invited, and why?", Candidate, {"invitation__isnull": True}),
    Question("Who was invited again?", Invitation, {"round__gt": "1"}),
    Question("What was written to Lever?", Effect, {"kind__in": ",".join(kinds_acting_on(Target.LEVER))}),
    Question("Who was found only by comparing with Lever?", Delivery, {"event": DeliveryEvent.SWEEP}),
    Question("Who authorized Lever, and when?", LeverConnection),
    Question("Who approved which invitation?", AuditEntry, {"action": AuditAction.APPROVE}),
    Question("Who changed a mapping?", AuditEntry, {"target_kind": TargetKind.MAPPING}),
    Question("Who changed the rules?", AuditEntry, {"action": AuditAction.CHANGE_POLICIES}),
    Question("Who has access?", Membership),
    Question("Who signed in, and who failed to?", AuditEntry, {"action__in": ",".join(_SIGN_INS)}),
    Question("Who looked at or exported personal data?", AuditEntry, {"action__in": ",".join(_DISCLOSURES)}),
    Question("Whose data was erased, and why?", AuditEntry, {"action": AuditAction.ERASE}),
    Question("Which webhook requests were rejected?", WebhookRejection),
    Question("When did Lever and CodeScreen last answer?", ApiCall),
    Question(
        "Which calls to Lever or CodeScreen failed?",
        ApiCall,
        {AnswerFilter.parameter_name: AnswerFilter.NONE},
    ),
)


def first_page(request: HttpRequest) -> dict[str, object]:
    """Return what waits with its count, and the questions; nothing for who sees no records of candidates."""
    if not has_right(request, "may_retry_effects"):
        return {}
    waiting = [(one, one.count(request)) for one in WAITING]
    return {"waiting": waiting, "questions": QUESTIONS}
