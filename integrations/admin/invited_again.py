"""The filter for candidates who were invited more than once."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from integrations.models import Invitation

#: For so many of a list's newest invitations it is looked whether the person had been invited before through another
#: opportunity. Second rounds of the same opportunity have an index, and are all found.
MOST = 5_000
SHOWN = 1_000


def invited_before(invitations: QuerySet[Invitation]) -> list[Any]:
    """Return those of the newest of these invitations whose person had been sent the same assessment before."""
    sent = invitations.exclude(instance_id="").exclude(contact_id="")
    newest = sent.select_related(None).order_by("-created_at", "-pk").values("pk")[:MOST]
    earlier = Invitation.objects.filter(
        organization=OuterRef("organization"),
        contact_id=OuterRef("contact_id"),
        assessment_id=OuterRef("assessment_id"),
        created_at__lt=OuterRef("created_at"),
    )
    has_earlier = Exists(earlier.exclude(instance_id=""))
    rows = Invitation.objects.filter(has_earlier, pk__in=newest).order_by()
    return list(rows.values_list("pk", flat=True)[:SHOWN])


class InvitedAgainFilter(admin.SimpleListFilter):
    """Filter by whether the person had been invited to the same assessment before. It is the last filter of a list."""

    title = "how often invited"
    parameter_name = "invited"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return the choices."""
        return [
            ("again", f"Invited again, among the newest {MOST:,}"),
            ("round", "Second and later rounds"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> QuerySet[Invitation]:
        """Keep the invitations that weren't the person's first to that assessment."""
        match self.value():
            case "round":
                return queryset.filter(round__gt=1)
            case "again":
                return queryset.filter(Q(round__gt=1) | Q(pk__in=invited_before(queryset)))
        return queryset
