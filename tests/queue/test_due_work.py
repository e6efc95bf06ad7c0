"""What is due is read in one statement, with the time of the next row."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Duty, DutyRun
from integrations.queue import due_work
from integrations.queue.due_work import DueWork
from tests import factories

NOTHING = DueWork(effects=False, deliveries=False, polls=False, duties=False, next_at=None)


def make_poll(**columns):
    factories.InvitationFactory(status="invited", instance_id="i", **columns)


def test_nothing_is_due_in_an_empty_database(db):
    assert due_work.read() == NOTHING
    assert not NOTHING.rows
    assert NOTHING.seconds_until_next() is None


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("effects", lambda at: factories.EffectFactory(due_at=at)),
        ("deliveries", lambda at: factories.DeliveryFactory(due_at=at)),
        ("polls", lambda at: make_poll(next_poll_at=at)),
    ],
)
def test_a_row_is_due_from_its_time_on(db, kind, make):
    later = timezone.now() + timedelta(minutes=5)
    make(later)
    before = due_work.read()
    assert not before.rows
    assert before.next_at == later
    assert 200 < (before.seconds_until_next() or 0) < 301
    make(factories.a_moment_ago())
    assert [name for name in ("effects", "deliveries", "polls") if getattr(due_work.read(), name)] == [kind]


def test_a_held_row_is_not_due(db):
    factories.DeliveryFactory()
    factories.claimed(factories.models.Delivery, "one")
    assert not due_work.read().rows


def test_a_due_duty_is_no_row_of_a_candidate(organization):
    DutyRun.objects.create(organization=organization, duty=Duty.SWEEP)
    due = due_work.read()
    assert due.duties
    assert not due.rows
