"""Whether anything is to be done is asked in one statement."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.queue.models.nodes import PortalDuty
from integrations.queue.worker import is_idle
from tests.support import factories


@pytest.mark.parametrize(
    "kind", ["delivery", "effect", "poll", "duty", "portal duty", "portal duty without a row"]
)
def test_workers_are_idle_until_something_is_due(kind, organization, django_assert_num_queries):
    PortalDuty.write_missing()
    PortalDuty.objects.update(due_at=timezone.now() + timedelta(hours=1))
    past = factories.a_moment_ago()
    with django_assert_num_queries(1):
        assert is_idle()
    match kind:
        case "delivery":
            factories.DeliveryFactory.create(organization=organization, due_at=past)
        case "effect":
            factories.EffectFactory.create(organization=organization, due_at=past)
        case "poll":
            factories.InvitationFactory.create(
                organization=organization, status="invited", instance_id="an-instance", next_poll_at=past
            )
        case "duty":
            DutyRun.objects.create(organization=organization, duty=Duty.SWEEP, due_at=past)
        case "portal duty":
            PortalDuty.objects.filter(name=PortalDuty.Name.CLEAN_UP).update(due_at=past)
        case _:
            PortalDuty.objects.filter(name=PortalDuty.Name.CLEAN_UP).delete()
    assert not is_idle()
