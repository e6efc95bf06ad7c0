"""The started attempt and the answer of an invitation are recorded while the database restarts."""

import pytest
from django.db import OperationalError

from integrations.outbox import perform
from integrations.outbox.kinds import invitation as sending
from integrations.store import database
from tests.store.test_database import WriteDuringRestart

ALDER = "alder@candidates.example"


@pytest.fixture(autouse=True)
def _retry_without_pause(monkeypatch) -> None:
    monkeypatch.setattr(database, "PAUSE_SECONDS", 0.0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize(("module", "step"), [(sending, "_start_attempt"), (perform, "_record")])
def test_an_invitation_is_sent_once_when_the_database_restarts_around_the_call(
    scenario, sandbox, monkeypatch, module, step, is_committed
) -> None:
    restarting = WriteDuringRestart(getattr(module, step), [OperationalError()], is_committed)
    monkeypatch.setattr(module, step, restarting)
    invitation = scenario.pending_invitation()
    scenario.work()
    assert not restarting.errors
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
    assert scenario.latest_effect().state == "done"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_committed", [False, True])
def test_a_refused_call_is_retried_when_the_database_restarts_while_it_is_recorded(
    scenario, sandbox, monkeypatch, is_committed
) -> None:
    monkeypatch.setattr(
        sending,
        "_revert_to_pending",
        WriteDuringRestart(sending._revert_to_pending, [OperationalError()], is_committed),
    )
    scenario.codescreen_fails(status=503)
    invitation = scenario.pending_invitation()
    scenario.work()
    assert scenario.reread(invitation).status == "pending"
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent(ALDER)) == ("invited", 1)
