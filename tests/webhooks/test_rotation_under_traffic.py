"""Webhooks that keep coming, and a worker that decides them, while keys, tokens and encryption keys are replaced.

None is refused and none is lost; on SQLite, which has one writer at a time, none fails because another one writes.
"""

import json
import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test import Client

from integrations.inbox.models.delivery import Delivery
from integrations.lever.acts import save_main_token
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.acts import replace_webhook_key
from integrations.queue import notify, worker
from integrations.store.encryption import rotate_secrets
from tests.support.factories import SIGNATURE_TOKEN, LeverWebhookFactory, OrganizationFactory
from tests.support.payloads import load, sign

SENDERS, BETWEEN, ROUNDS = 3, 9, 2


class Sender:
    """What Lever has stored: an address and a signature token, which people change after the portal's."""

    def __init__(self, address: str, token: str) -> None:
        self.address, self.token = address, token
        self.statuses: list[int] = []
        self.failures: list[Exception] = []
        self._more = threading.Condition()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=[self._post]) for _ in range(SENDERS)]
        self._threads.append(threading.Thread(target=self._run, args=[self._work]))

    def __enter__(self) -> "Sender":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(60)

    def wait_for_more(self) -> None:
        """Return when some more webhooks were answered."""
        with self._more:
            seen = len(self.statuses)
            enough = self._more.wait_for(lambda: self.failures or len(self.statuses) >= seen + BETWEEN, 60)
        assert enough
        assert self.failures == []

    def _run(self, act: Callable[[], object]) -> None:
        try:
            while not self._stopped.is_set():
                act()
        except Exception as error:  # noqa: BLE001 - shown by the test
            with self._more:
                self.failures.append(error)
                self._more.notify_all()
        finally:
            connection.close()

    def _work(self) -> None:
        if not worker.work():
            time.sleep(0.05)

    def _post(self) -> None:
        payload = load("lever/candidate_stage_change", id=str(uuid.uuid4()), event="candidateHired")
        body = json.dumps(sign(payload, self.token))
        answer = Client().post(self.address, body, content_type="application/json")
        with self._more:
            self.statuses.append(answer.status_code)
            self._more.notify_all()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_no_genuine_webhook_is_refused_or_left_undecided_while_everything_is_rotated(monkeypatch, settings):
    monkeypatch.setattr(notify, "notify_workers", lambda: None)
    organization = OrganizationFactory.create()
    LeverWebhookFactory.create(organization=organization)
    with Sender(organization.lever_webhook_url, SIGNATURE_TOKEN) as sender:
        sender.wait_for_more()
        for number in range(ROUNDS):
            replace_webhook_key(organization, timedelta(days=7), "test")
            sender.wait_for_more()  # still to the former address
            sender.address = organization.lever_webhook_url

            token = f"{number}" * 48
            save_main_token(organization, token, "test")
            sender.wait_for_more()  # still signed with the former token
            sender.token = token

            [old], new = settings.FIELD_ENCRYPTION_KEYS, Fernet.generate_key().decode()
            for keys in ([old, new], [new, old]):
                settings.FIELD_ENCRYPTION_KEYS = keys
                sender.wait_for_more()
            assert rotate_secrets().unreadable == []
            settings.FIELD_ENCRYPTION_KEYS = [new]
            sender.wait_for_more()
    assert sender.failures == []
    assert set(sender.statuses) == {202}
    assert len(sender.statuses) >= ROUNDS * 5 * BETWEEN
    worker.work()
    assert Delivery.objects.filter(verdict="disconnected").count() == len(sender.statuses)
    assert LeverWebhook.objects.get().signature_token == token
