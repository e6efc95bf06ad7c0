"""Every verdict about a delivery is kept, and exactly one is current."""

import pytest
from django.db import IntegrityError, transaction

from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import VerdictCause
from integrations.inbox.models.verdict import Verdict
from tests.support import factories

pytestmark = pytest.mark.django_db


def decide(delivery, code: VerdictCode, **more) -> bool:
    """Lease the delivery and decide it."""
    claimed = delivery.lease()
    assert claimed is not None
    return claimed.decide(code, f"It is {code}.", **more)


def history(delivery) -> list[tuple[str, str, bool]]:
    """Return the verdicts about the delivery, earliest first."""
    rows = Verdict.objects.filter(delivery=delivery).order_by("pk")
    return list(rows.values_list("code", "cause", "is_current"))


def test_an_earlier_verdict_is_kept_when_a_delivery_is_decided_again():
    delivery = factories.DeliveryFactory()
    invitation = factories.InvitationFactory(organization=delivery.organization)
    for code in (VerdictCode.PAUSED, VerdictCode.DISCONNECTED, VerdictCode.NO_EMAIL):
        decide(delivery, code)
    decide(delivery, VerdictCode.INVITE, invitation=invitation, cause=VerdictCause.REPLAY)
    assert history(delivery) == [
        ("paused", "first", False),
        ("disconnected", "resumed", False),
        ("no_email", "resumed", False),
        ("invite", "replay", True),
    ]
    delivery.refresh_from_db()
    current = delivery.verdicts.get(is_current=True)
    assert (delivery.verdict, delivery.explanation, delivery.decided_at, delivery.invitation) == (
        current.code,
        current.explanation,
        current.decided_at,
        current.invitation,
    )


def test_the_cause_is_the_sweep_when_the_sweep_found_it():
    delivery = factories.DeliveryFactory(event="sweep")
    decide(delivery, VerdictCode.NOT_VISIBLE)
    decide(delivery, VerdictCode.INVITE)
    assert [cause for _, cause, _ in history(delivery)] == ["sweep", "read_again"]


def test_a_second_current_verdict_is_refused():
    delivery = factories.DeliveryFactory()
    decide(delivery, VerdictCode.INVITE)
    with pytest.raises(IntegrityError), transaction.atomic():
        Verdict.objects.create(
            organization=delivery.organization, delivery=delivery, code=VerdictCode.INVITE, cause="first"
        )
