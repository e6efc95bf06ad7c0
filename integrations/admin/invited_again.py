"""The filter for candidates who were invited more than once."""

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from integrations.models import Invitation


def same_person_earlier() -> Exists:
    """Return whether the same person was sent the same assessment before, through this opportunity or another."""
    earlier = Invitation.objects.filter(
        organization=OuterRef("organization"),
        contact_id=OuterRef("contact_id"),
        assessment_id=OuterRef("assessment_id"),
        created_at__lt=OuterRef("created_at"),
    )
    return Exists(earlier.exclude(instance_id="").exclude(pk=OuterRef("pk")))


class InvitedAgainFilter(admin.SimpleListFilter):
    """Filter by whether the person had been invited to the same assessment before."""

    title = "how often invited"
    parameter_name = "invited"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("again", "Invited again"), ("round", "Second and later rounds")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> QuerySet[Invitation]:
        """Keep the invitations that weren't the person's first to that assessment."""
        match self.value():
            case "round":
                return queryset.filter(round__gt=1)
            case "again":
                sent = queryset.exclude(instance_id="")
                return sent.filter(Q(round__gt=1) | (~Q(contact_id="") & Q(same_person_earlier())))
        return queryset
