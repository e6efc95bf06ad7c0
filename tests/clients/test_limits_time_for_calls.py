"""A worker that is about to end begins no call."""

import time

import pytest
from django.conf import settings

from integrations.clients import limits
from integrations.http import deadlines
from integrations.http.session import CallDeferred
from portal.process.supervisor import STOP_SECONDS


def test_calls_are_refused_when_the_threads_time_is_up():
    with limits.calls_only_until(time.monotonic() + 60):
        limits.require_time_for_calls()
        with limits.calls_only_until(time.monotonic() - 1), pytest.raises(CallDeferred):
            limits.require_time_for_calls()
        limits.require_time_for_calls()


def test_the_longest_call_ends_before_the_supervisor_kills():
    assert deadlines.CONNECT_SECONDS + settings.PLATFORM_READ_SECONDS < STOP_SECONDS
