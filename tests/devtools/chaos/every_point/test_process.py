"""What the pretended processes take for the end of all work."""

import pytest
from django.db import connection

from integrations.queue.models.duty_run import Duty, DutyRun
from portal.devtools.chaos.every_point.clock import PretendClock
from portal.devtools.chaos.every_point.injector import Injector
from portal.devtools.chaos.every_point.process import DrainProcess
from tests.support.factories import OrganizationFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def process():
    connection.close()
    with PretendClock() as clock:
        yield DrainProcess(clock, Injector(clock))
    connection.close()


def test_work_is_left_when_a_task_had_no_time_for_a_duty(process) -> None:
    organization = OrganizationFactory.create()
    assert process._claimable_at() == []
    DutyRun.objects.request(Duty.NOTE_WAITS, [organization.pk])
    assert len(process._claimable_at()) == 1
