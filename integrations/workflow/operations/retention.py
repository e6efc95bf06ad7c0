"""Retention: messages are emptied at a certain age, and people's data is erased so long after their journey's end.

Messages come first: else, while there is a backlog of people, no message would be emptied.
"""

from datetime import datetime, timedelta
from typing import Any, cast

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from integrations.duty_budget import Budget
from integrations.models import Candidate, Delivery, Erasure, Invitation, Organization
from integrations.vocabulary import ErasureCause
from integrations.workflow.erasure.erase import erase
from integrations.workflow.erasure.old_messages import erase_old_messages

#: So many people are looked up at once.
BATCH = 200
ACTOR = "retention"


def purge(organization: Organization, budget: Budget) -> int:
    """Erase what is older than the organization's retention; return how many people and other rows it was.

    Safe to run twice. Raises CallDeferred when the turn is over before all is erased.
    """
    if not organization.retention_days:
        return 0
    before = timezone.now() - timedelta(days=organization.retention_days)
    if "people" in budget.place:  # this turn goes on with people: the messages are done
        return _erase_people(organization, before, budget)
    count = erase_old_messages(organization, before, ACTOR, budget)
    return count + _erase_people(organization, before, budget)


def _erase_people(organization: Organization, before: datetime, budget: Budget) -> int:
    """Erase those whose time is over, in the order of their ids, from where the last turn ended; return how many."""
    begin, last = cast("tuple[int, str]", budget.place.get("people", (0, "")))
    count = 0
    for number, rows in enumerate(_over(organization, before)):
        if number < begin:
            continue
        ids = rows.order_by("opportunity_id").values_list("opportunity_id", flat=True).distinct()
        while batch := list(ids.filter(opportunity_id__gt=last)[:BATCH]):
            for last in batch:
                receipt = erase(organization, last, ErasureCause.RETENTION, ACTOR)
                count += receipt is not None and receipt.is_new
                budget.part_done({"people": [number, last]})
        last = ""
    return count


def _over(organization: Organization, before: datetime) -> tuple[QuerySet[Any], ...]:
    """Return the rows of those whose journeys ended before that time, or who had none and are as old.

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
    return tuple(rows.filter(~is_going_on) for rows in (invited, named, uninvited))
