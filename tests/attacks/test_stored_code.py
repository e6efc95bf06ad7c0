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
from django_q.cluster import Sentinel
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule, Task
from django_q.signing import SignedPackage

from integrations.models import CacheEntry
from integrations.queue import portal_duties, task_names
from integrations.workflow.erasure.queue_tables import empty_queue_tables
from portal.devtools import test_suites
from tests.admin.conftest import sign_in

DATABASE_CACHE = {"default": {"BACKEND": "portal.cache.DatabaseJsonCache"}}
OWN_TASKS = {task_names.DRAIN, task_names.PERFORM_PORTAL_DUTIES}


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


@pytest.fixture
def report_key(settings, team_member_client, ready_organization) -> str:
    """The key under which the page of reports has its figures stored, in the database."""
    settings.CACHES = DATABASE_CACHE
    team_member_client.get("/reports/")
    return CacheEntry.objects.get(key__contains="report:summary").key


def test_a_pickle_in_the_caches_table_is_a_text(report_key, team_member_client, planted, marker):
    CacheEntry.objects.filter(key=report_key).update(value=planted)
    assert team_member_client.get("/reports/").status_code == 200
    assert not marker.exists()
    assert CacheEntry.objects.get(key=report_key).value != planted


@pytest.mark.redis
def test_a_pickle_in_redis_is_no_value(settings, planted, marker):
    options = {"serializer": "portal.cache.JsonSerializer"}
    backend = "django.core.cache.backends.redis.RedisCache"
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


def test_a_pickle_in_the_queues_table_is_never_read(db, planted, marker):
    columns = "id, name, func, started, stopped, success, attempt_count, args, kwargs, result"
    long_ago = timezone.now() - timedelta(days=30)
    row = ["x" * 32, "n", "os.system", long_ago, long_ago, False, 1, planted, planted, planted]
    places = ", ".join(["%s"] * len(row))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO django_q_task ({columns}) VALUES ({places})", row)
    superuser = sign_in(None, is_superuser=True)
    assert superuser.get("/admin/django_q/failure/").status_code == 404
    assert superuser.get(reverse("admin:index")).status_code == 200
    empty_queue_tables()
    assert Task.objects.values_list("args", "kwargs", "result").get() == (None, None, None)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_q_task SET args = %s", [planted])
    portal_duties.clean_up()
    assert not Task.objects.exists()
    assert not marker.exists()


def stored_tasks(planted: str) -> list[str]:
    """Return tasks as they could be written into a queue: unsigned, wrongly signed, and signed with a stolen key."""
    task = {"id": "i", "name": "n", "func": "os.system", "args": ("true",), "kwargs": {}}
    signed = SignedPackage.dumps(task | {"started": timezone.now()})
    return [planted, f"{planted}:1a:forged", signed]


def tasks_of_the_broker(monkeypatch) -> set[str]:
    """Return the functions that the broker has called within some minutes."""
    monkeypatch.setattr("integrations.queue.brokers.time.sleep", lambda _: None)
    broker, seconds = get_broker(), [1000.0]
    monkeypatch.setattr("integrations.queue.brokers.time.monotonic", lambda: seconds[0])
    names = set()
    for _ in range(100):
        names |= {SignedPackage.loads(package)["func"] for _, package in broker.dequeue() or []}
        seconds[0] += 2.0
    return names


def test_a_task_in_the_queues_table_is_never_fetched(db, planted, marker, monkeypatch):
    for payload in stored_tasks(planted):
        OrmQ.objects.create(key=Conf.CLUSTER_NAME, payload=payload, lock=timezone.now() - timedelta(hours=1))
    assert tasks_of_the_broker(monkeypatch) == OWN_TASKS
    assert not marker.exists()


@pytest.mark.redis
def test_a_task_in_redis_is_never_fetched(planted, marker, monkeypatch, settings):
    settings.REDIS_URL = test_suites.REDIS_URL
    key = f"django_q:{Conf.CLUSTER_NAME}:q"
    with redis.Redis.from_url(test_suites.REDIS_URL) as server:
        server.rpush(key, b"\xff\xfe", *stored_tasks(planted))
        assert tasks_of_the_broker(monkeypatch) == OWN_TASKS
        assert server.llen(key) == 4
        server.delete(key)
    assert get_broker().ping() is True
    assert not marker.exists()


def test_a_schedule_in_the_queues_table_is_never_run(db, monkeypatch):
    due = timezone.now() - timedelta(hours=1)
    func = {"func": "os.system", "args": "'true'", "hook": "os.system", "kwargs": "q_options={'sync': True}"}
    schedule = Schedule.objects.create(name="x", next_run=due, **func)
    monkeypatch.setattr(Conf, "GUARD_CYCLE", 31)  # django-q2 looks at its schedules after 30 seconds
    stop = mock.Mock(is_set=mock.Mock(return_value=False), wait=mock.Mock(side_effect=[False, True]))
    sentinel = Sentinel(stop, mock.Mock(), uuid4(), get_broker(), start=False)
    monkeypatch.setattr(sentinel, "monitor", mock.Mock())
    monkeypatch.setattr(sentinel, "pusher", mock.Mock())
    monkeypatch.setattr(sentinel, "stop", lambda: None)
    sentinel.guard()
    schedule.refresh_from_db()
    assert (schedule.task, schedule.next_run) == (None, due)
    assert not OrmQ.objects.exists()
