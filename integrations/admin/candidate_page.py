"""One candidate in the admin: what was decided and why, what was sent and written, and who acted."""

from typing import Any

from django.db.models import Model
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from integrations.admin import access
from integrations.admin.access import organizations
from integrations.admin.candidate_tables import (
    table_of_effects,
    table_of_entries,
    table_of_invitations,
    table_of_verdicts,
)
from integrations.admin.names import names_of
from integrations.models import ApiCall, Delivery, Effect, Invitation, Organization, Verdict
from integrations.models.verdict import next_step
from integrations.verdict_code import NO_TEST
from integrations.workflow.person.audit_entries import audit_entries_about

#: So many rows of each kind are shown, newest first; a candidate rarely has ten. The lists have the rest.
SHOWN = 50


def candidate_context(request: HttpRequest, organization_id: int, opportunity_id: str) -> dict[str, Any]:
    """Return what the page shows. Raises Http404 for a candidate whom the person may not see."""
    organization = _organization(request, organization_id)
    own = {"organization": organization, "opportunity_id": opportunity_id}
    invitations = list(Invitation.objects.filter(**own).order_by("-created_at")[:SHOWN])
    deliveries = Delivery.objects.filter(**own).defer("payload", "traceback").order_by("-received_at")
    found = list(deliveries[:SHOWN])
    verdicts = Verdict.objects.filter(delivery__in=[delivery.pk for delivery in found])
    effects = list(Effect.objects.filter(**own).defer("traceback").order_by("-created_at")[:SHOWN])
    entries = audit_entries_about(organization.pk, opportunity_id).order_by("-at")[:SHOWN]
    if not (invitations or found or effects):
        raise Http404
    name = names_of([(organization.pk, opportunity_id)]).get((organization.pk, opportunity_id), "")
    return {
        "title": name or "Candidate without a known name",
        "organization": organization,
        "opportunity_id": opportunity_id,
        "why_not": _why_not(found, invitations),
        "tables": [
            table_of_invitations(invitations),
            table_of_verdicts(verdicts.order_by("-decided_at", "-pk")[:SHOWN]),
            table_of_effects(effects),
            table_of_entries(entries),
        ],
        "lists": _lists(opportunity_id),
        "timeline": reverse("candidate", args=[opportunity_id])
        if organization.pk in access.staff_memberships(request)
        else "",
    }


def _organization(request: HttpRequest, organization_id: int) -> Organization:
    organization = organizations(request).filter(pk=organization_id).first()
    if organization is None:
        raise Http404
    return organization


def _why_not(deliveries: list[Delivery], invitations: list[Invitation]) -> tuple[Delivery, str] | None:
    """Return the latest delivery that led to no invitation, with what a person can do; None for who was invited."""
    if invitations:
        return None
    latest = next((delivery for delivery in deliveries if delivery.verdict in NO_TEST), None)
    return (latest, next_step(latest.verdict)) if latest else None


def _lists(opportunity_id: str) -> list[tuple[str, str]]:
    query = urlencode({"q": opportunity_id})
    models: list[type[Model]] = [Delivery, Verdict, Invitation, Effect, ApiCall]
    return [
        (
            str(model._meta.verbose_name_plural),
            f"{reverse(f'admin:integrations_{model._meta.model_name}_changelist')}?{query}",
        )
        for model in models
    ]
