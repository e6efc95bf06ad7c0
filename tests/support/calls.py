"""How many calls to the platforms were made."""

from integrations.clients.models import ApiCall


def count_calls(**filters: object) -> int:
    """Return how many calls were recorded, those too that are only counted on an earlier one."""
    return sum(repeats + 1 for repeats in ApiCall.objects.filter(**filters).values_list("repeats", flat=True))
