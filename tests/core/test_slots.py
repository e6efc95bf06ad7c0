"""Slots: a few for each kind of work in a process, and half of the threads for everything else."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.conf import settings

from integrations.core import slots
from integrations.core.slots import Busy, Work


@contextmanager
def other_request(work: Work, organization_id: int = 0) -> Iterator[None]:
    """Have another thread hold a slot as a request does. Raises Busy where there is none."""
    begun, over = threading.Event(), threading.Event()
    refused: list[Busy] = []

    def answer() -> None:
        slots.begin_request()
        try:
            slots.hold(work, organization_id)
        except Busy as error:
            refused.append(error)
        begun.set()
        over.wait(30)
        slots.end_request()

    thread = threading.Thread(target=answer)
    thread.start()
    begun.wait(30)
    try:
        if refused:
            raise refused[0]
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("work", Work)
def test_a_kind_has_few_slots_and_each_is_given_back(work):
    for _ in range(2):
        with ExitStack() as taken:
            for number in range(work.at_once):
                taken.enter_context(other_request(work, number))
            with pytest.raises(Busy), other_request(work, 99):
                pass


def test_an_organization_that_waits_for_its_platform_keeps_no_other_waiting():
    with other_request(Work.PLATFORM, 1):
        with pytest.raises(Busy), other_request(Work.PLATFORM, 1):
            pass
        with other_request(Work.PLATFORM, 2):
            pass


def test_half_of_the_threads_hold_none_however_much_is_asked_for():
    assert sum(work.at_once for work in Work) <= settings.WEB_THREADS / 2


def test_a_request_needs_one_slot_of_a_kind():
    slots.begin_request()
    for organization in (0, 1, 2):
        slots.hold(Work.PLATFORM, organization)
    with other_request(Work.PLATFORM, 1):
        slots.end_request()


def test_workers_are_not_bounded():
    for _ in range(9):
        slots.hold(Work.PLATFORM, 1)
    with other_request(Work.PLATFORM, 1), slots.slot(Work.PASSWORD), slots.slot(Work.PASSWORD):
        assert not slots.is_request()
