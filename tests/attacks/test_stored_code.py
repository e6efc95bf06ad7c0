"""A colleague with the database's password, or Redis', plants what runs when it is read. Nothing of it runs."""

import pickle
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
import redis
from django.core.cache import cache
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import OrmQ, Task
from django_q.monitor import monitor
from django_q.pusher import pusher
from django_q.signing import SignedPackage

from integrations.queue import duties, notify
from portal import settings as portal_settings
from portal.devtools import test_suites
from tests.admin.conftest import sign_in


class Planted:
    """Touches a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._marker,)


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """The file that is there once something planted has run."""
    return tmp_path / "ran"


@pytest.fixture
def planted(marker: Path) -> str:
    """A pickle as django-q2 and Django's own cache store theirs, which runs when it is loaded."""
    text = b64encode(pickle.dumps(Planted(marker)))
    pickle.loads(pickle.dumps(Planted(marker)))
    assert marker.exists(), "what is planted does run where it is loaded"
    marker.unlink()
    return text.decode()


@pytest.mark.redis
def test_a_pickle_in_redis_is_no_value(settings, planted, marker):
    options = {"serializer": "portal.django_parts.JsonSerializer"}
    backend = "portal.django_parts.ForgetfulRedisCache"
    address = test_suites.REDIS_URL
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": address, "OPTIONS": options}}
    key = f"planted-{uuid4()}"
    with redis.Redis.from_url(address) as server:
        server.set(cache.make_key(key), pickle.dumps(Planted(marker)), ex=60)
    assert cache.get(key, "none") is None
    assert not marker.exists()
    cache.set(key, {"a": [1, True, None]}, 60)
    assert cache.get(key) == {"a": [1, True, None]}
    cache.delete(key)


@pytest.fixture
def own_task(db, monkeypatch) -> dict[str, Any]:
    """The portal's own task as a worker gets it."""
    monkeypatch.setattr(Conf, "ORM", "default")
    monkeypatch.setattr(notify, "_next_at", 0.0)
    notify.broker.cache_clear()
    notify.enqueue_work()
    notify.broker.cache_clear()
    task: dict[str, Any] = SignedPackage.loads(OrmQ.objects.get().payload)
    OrmQ.objects.all().delete()
    return task


def plant_result(task_id: str, name: str, planted: str) -> None:
    columns = "id, name, func, started, stopped, success, attempt_count, args, kwargs, result"
    long_ago = timezone.now() - timedelta(days=30)
    row: list[Any] = [task_id, name, "os.system", long_ago, long_ago, False, 1, planted, planted, planted]
    places = ", ".join(["%s"] * len(row))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO django_q_task ({columns}) VALUES ({places})", row)


@pytest.mark.parametrize("success", [True, False])
def test_a_pickle_among_the_queues_results_is_never_read(own_task, planted, marker, success):
    """Django-q2 reads the row of a task that failed before: here one that was written for a task that waits."""
    plant_result(own_task["id"], own_task["name"], planted)
    superuser = sign_in(None, is_superuser=True)
    for model in ("failure", "success", "schedule", "ormq"):
        assert superuser.get(f"/admin/django_q/{model}/").status_code == 404
    for page in ("index", "integrations_heartbeat_changelist", "integrations_portalduty_changelist"):
        assert superuser.get(reverse(f"admin:{page}")).status_code == 200
    ended = {"result": "it failed", "success": success, "stopped": timezone.now()}
    results = mock.Mock(get=mock.Mock(side_effect=[own_task | ended, "STOP"]))
    monitor(results, get_broker())
    duties.clean_up()
    assert Task.objects.count() == 1
    assert not marker.exists()


def stored_tasks(planted: str) -> list[str]:
    """Return tasks as somebody without the key could write them into a queue: unsigned, and wrongly signed."""
    task = {"id": "i", "name": "n", "func": "os.system", "args": ("true",), "kwargs": {}}
    signed = SignedPackage.dumps(task | {"started": timezone.now()})
    return [planted, f"{planted}:1a:forged", f"{planted}:{signed.partition(':')[2]}", ":", "", "::"]


def fetched_tasks(tries: int) -> list[dict[str, Any]]:
    """Return what django-q2 fetches for the workers."""
    event, queue = mock.Mock(is_set=mock.Mock(return_value=True)), mock.Mock()
    for _ in range(tries):
        pusher(queue, event, get_broker())
    return [call.args[0] for call in queue.put.call_args_list]


def test_a_task_without_our_signature_in_the_queues_table_is_refused_unread(
    own_task, planted, marker, monkeypatch
):
    payloads = [*stored_tasks(planted), SignedPackage.dumps(own_task)]
    for payload in payloads:
        OrmQ.objects.create(key=Conf.CLUSTER_NAME, payload=payload, lock=timezone.now() - timedelta(hours=1))
    assert [task["func"] for task in fetched_tasks(len(payloads))] == [notify.WORK]
    assert OrmQ.objects.count() == 1  # the others are gone, and this one's lock ends
    assert not marker.exists()


def test_what_a_planted_row_of_the_queues_tables_could_reach_is_off():
    options = portal_settings.Q_CLUSTER
    assert options["scheduler"] is False
    assert options["cached"]
    cache_class = "django.core.cache.backends.dummy.DummyCache"
    assert portal_settings.CACHES[options["cache"]] == {"BACKEND": cache_class}
