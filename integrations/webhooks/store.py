"""Store a verified webhook once."""

from integrations.core.vocabulary import Platform
from integrations.inbox.models.delivery import Stored, insert_once, kept_of_payload
from integrations.organizations.models.organization import Organization
from integrations.queue.notify import notify_workers
from integrations.store.database import on_a_live_connection


def store_delivery(
    organization: Organization,
    platform: Platform,
    *,
    event: str,
    dedupe_key: str,
    opportunity_id: str,
    payload: dict[str, object],
) -> bool:
    """Commit the delivery and notify the workers; False when it was stored before.

    Of somebody whose data was erased, only ids and times are stored.
    """

    def insert(payload: dict[str, object], is_impersonal: bool) -> Stored:
        return on_a_live_connection(
            lambda: insert_once(
                organization.pk,
                platform,
                event=event,
                dedupe_key=dedupe_key,
                opportunity_id=opportunity_id,
                payload=payload,
                is_impersonal=is_impersonal,
            )
        )

    stored = insert(payload, is_impersonal=False)
    if stored is Stored.FORBIDDEN:
        stored = insert(kept_of_payload(payload), is_impersonal=True)
    if stored is Stored.REPEATED:
        return False
    notify_workers()
    return True
