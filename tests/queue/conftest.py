"""Workers without background threads."""

from contextlib import nullcontext

import pytest

from integrations.queue import duties, schedules


@pytest.fixture
def without_background_draining(monkeypatch):
    """Run no background thread: it wouldn't see a test's transaction."""
    for module in (schedules, duties):
        monkeypatch.setattr(module, "keep_draining", nullcontext)
