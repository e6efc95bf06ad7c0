"""A worker that is about to end begins no call."""

import time

import pytest
from django.conf import settings

from integrations.clients import call_window
from integrations.http import deadlines
from integrations.http.session import CallDeferred
from portal.process.supervisor import STOP_SECONDS


def test_calls_are_refused_when_a_stop_was_requested(request_stop):
    call_window.require_open()
    request_stop()
    with pytest.raises(CallDeferred):
        call_window.require_open()


def test_calls_are_refused_when_the_threads_time_is_up():
    with call_window.limited(time.monotonic() + 60):
        call_window.require_open()
        with call_window.limited(time.monotonic() - 1), pytest.raises(CallDeferred):
            call_window.require_open()
        call_window.require_open()


def test_the_longest_call_ends_before_the_supervisor_kills():
    assert deadlines.CONNECT_SECONDS + settings.PLATFORM_READ_SECONDS < STOP_SECONDS
