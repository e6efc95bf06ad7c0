"""The few deliveries that somebody can act upon are found by verdict, among very many."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.delivery import Delivery


def test_an_organizations_deliveries_are_found_by_verdict_when_there_are_many(organization):
    code, now = VerdictCode.UNKNOWN_ASSESSMENT, timezone.now()
    Delivery.objects.bulk_create(
        Delivery(
            organization=organization,
            platform="lever",
            event="candidateStageChange",
            dedupe_key=str(number),
            payload={},
            verdict=VerdictCode.INVITE if number else code,
            received_at=now - timedelta(minutes=number),
            decided_at=now,
            due_at=None,
        )
        for number in range(2000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    found = Delivery.objects.filter(organization=organization, verdict=code)
    assert "delivery_verdict" in found.filter(due_at__isnull=True).explain()
    lately = found.filter(received_at__gte=now - timedelta(days=30))
    assert "delivery_verdict" in lately.order_by("-received_at").explain()
    assert lately.get().dedupe_key == "0"
