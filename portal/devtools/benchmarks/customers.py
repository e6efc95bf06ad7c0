"""Connected organizations for a benchmark, as after a long time of running."""

from datetime import timedelta

from django.utils import timezone

from integrations.models import (
    CodeScreenConnection,
    DutyRun,
    LeverConnection,
    LeverWebhook,
    Organization,
)
from integrations.queue.portal_duties import plan_duties

SIGNATURE_TOKEN = "bench" * 8
BATCH = 1000


def connected_organizations(count: int) -> list[Organization]:
    """Create so many organizations with both connections and a webhook; every candidate is invited at once."""
    now = timezone.now()
    organizations = Organization.objects.bulk_create(
        [
            Organization(
                name=f"Customer {number}",
                slug=f"customer-{number}",
                bulk_limit=0,
                default_assessment="Assessment 0",
            )
            for number in range(count)
        ],
        batch_size=BATCH,
    )
    LeverConnection.objects.bulk_create(
        [
            LeverConnection(
                organization=organization,
                access_token=f"access-{organization.pk}",
                refresh_token=f"refresh-{organization.pk}",
                access_expires_at=now + timedelta(days=1),
                refreshed_at=now,
                connected_at=now,
                first_connected_at=now,
                lever_account_id=f"account-{organization.pk}",
                lever_user_id="author",
            )
            for organization in organizations
        ],
        batch_size=BATCH,
    )
    CodeScreenConnection.objects.bulk_create(
        [
            CodeScreenConnection(organization=organization, api_key=f"key-{organization.pk}")
            for organization in organizations
        ],
        batch_size=BATCH,
    )
    LeverWebhook.objects.bulk_create(
        [
            LeverWebhook(organization=organization, signature_token=SIGNATURE_TOKEN)
            for organization in organizations
        ],
        batch_size=BATCH,
    )
    return organizations


def postpone_duties() -> None:
    """Let no duty become due for a day, so that only what is measured is worked."""
    plan_duties()
    DutyRun.objects.update(due_at=timezone.now() + timedelta(days=1))
