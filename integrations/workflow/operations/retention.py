"""Retention: people's data is erased so long after their journey's end, and so are messages of that age."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from integrations.models import Candidate, Delivery, Erasure, Invitation, Organization
from integrations.vocabulary import ErasureCause
from integrations.workflow.erasure.erase import erase
from integrations.workflow.erasure.old_messages import erase_old_messages

#: So many people are erased in one run; the next one goes on.
MOST = 500
ACTOR = "retention"


def purge(organization: Organization) -> int:
    """Erase what is older than the organization's retention; return how many people and other rows it was.

    Safe to run twice.
    """
    if not organization.retention_days:
        return 0
    before = timezone.now() - timedelta(days=organization.retention_days)
    people = 0
    for opportunity_id in _opportunities_over(organization, before):
        receipt = erase(organization, opportunity_id, ErasureCause.RETENTION, ACTOR)
        people += receipt is not None and receipt.is_new
    with transaction.atomic():
        return people + erase_old_messages(organization, before, ACTOR)


def _opportunities_over(organization: Organization, before: datetime) -> list[str]:
    """Return at most MOST opportunities whose journeys ended before that time, or that had none and are as old.

    The portal no longer asking CodeScreen is an end too, started or not. A replay of an old delivery may store the
    candidate anew, although their data was erased since it was received.
    """
    status = Invitation.Status
    ended = (
        Q(status=status.COMPLETED, completed_at__lt=before)
        | Q(status__in=[status.WITHDRAWN, status.FAILED], changed_at__lt=before)
        | Q(following_ended_at__lt=before)
    )
    invitations = Invitation.objects.filter(organization=organization, erased_at__isnull=True)
    deliveries = Delivery.objects.filter(organization=organization).exclude(opportunity_id="")
    same = {"opportunity_id": OuterRef("opportunity_id")}
    is_going_on = Exists(invitations.exclude(ended).filter(**same)) | Exists(
        deliveries.filter(Q(received_at__gte=before) | Q(verdict="", due_at__isnull=False), **same)
    )
    erased_since = Erasure.objects.filter(
        organization=organization, erased_at__gte=OuterRef("received_at"), **same
    )
    invited = invitations.filter(ended)
    uninvited = deliveries.filter(~Exists(erased_since), received_at__lt=before)
    candidates = Candidate.objects.filter(organization=organization, entered_at__lt=before)
    named = candidates.filter(erased_at__isnull=True).exclude(name="", email="")
    found = [
        *invited.filter(~is_going_on).order_by().values_list("opportunity_id", flat=True)[:MOST],
        *named.filter(~is_going_on).order_by().values_list("opportunity_id", flat=True)[:MOST],
        *uninvited.filter(~is_going_on).order_by().values_list("opportunity_id", flat=True).distinct()[:MOST],
    ]
    return list(dict.fromkeys(found))[:MOST]
