"""The filters of deliveries."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.models import Delivery
from integrations.models.delivery import STUCK
from integrations.verdict_code import INVITING_VERDICTS, NO_TEST
from integrations.vocabulary import DeliveryEvent


class ProgressFilter(admin.SimpleListFilter):
    """Filter deliveries by their progress."""

    title = "progress"
    parameter_name = "progress"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("open", "Not decided yet"), ("waiting", "Waiting for the connection"), ("stuck", "Stuck")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """Keep the deliveries with that progress."""
        match self.value():
            case "open":
                return queryset.filter(verdict="", due_at__isnull=False)
            case "waiting":
                return queryset.filter(is_waiting=True)
            case "stuck":
                return queryset.filter(STUCK)
        return queryset


class OutcomeFilter(admin.SimpleListFilter):
    """Filter deliveries by whether an invitation came of them."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("no_test", "The candidate got no test"), ("invited", "Invited or held")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """Keep the deliveries with that outcome."""
        match self.value():
            case "no_test":
                return queryset.filter(verdict__in=NO_TEST)
            case "invited":
                return queryset.filter(verdict__in=INVITING_VERDICTS)
        return queryset


class FoundByFilter(admin.SimpleListFilter):
    """Filter deliveries by whether a webhook brought them or the sweep found them."""

    title = "how it was found"
    parameter_name = "found_by"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return the choices."""
        return [
            ("sweep", "By the sweep"),
            ("repair", "By the sweep, and invited"),
            ("webhook", "By a webhook"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """Keep the deliveries that were found so."""
        match self.value():
            case "sweep":
                return queryset.filter(event=DeliveryEvent.SWEEP)
            case "repair":
                return queryset.filter(event=DeliveryEvent.SWEEP, invitation__isnull=False)
            case "webhook":
                return queryset.exclude(event=DeliveryEvent.SWEEP)
        return queryset
