"""The probes: each tells its own part of the truth, from any host and without a redirect."""

from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now
from django.utils import timezone

from integrations.health.checks import work
from integrations.lever.models.connection import LeverConnection
from integrations.queue.models.nodes import Heartbeat
from portal import probes
from tests.support import factories
from tests.support.metrics import TOKEN


@pytest.fixture(autouse=True)
def _written_at_once(monkeypatch):
    monkeypatch.setattr(work, "_next_at", 0.0)
    probes._well_until.clear()


@pytest.mark.parametrize("path", ["/healthz/live", "/healthz/ready", "/healthz/work", "/metrics"])
def test_probes_and_scrapes_are_answered_for_any_host_without_a_redirect(client, db, settings, path):
    settings.ALLOWED_HOSTS = ["portal.example"]
    settings.SECURE_SSL_REDIRECT = True
    settings.METRICS_TOKEN = TOKEN
    Heartbeat.beat()
    for host in ("10.1.2.3:8000", "_"):
        answer = client.get(path, headers={"host": host, "authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
    assert client.get("/accounts/login/", headers={"host": "10.1.2.3:8000"}).status_code == 400
    assert client.get("/healthz/other").status_code == 404
    assert client.post(path, headers={"host": "10.1.2.3"}).status_code == 405


def test_a_node_is_ready_when_no_worker_runs_and_work_is_late(client, db):
    factories.EffectFactory.create(due_at=timezone.now() - timedelta(hours=1))
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["parts"]) == (
        200,
        {"database": "ok", "migrations": "ok", "secrets": "ok"},
    )
    work = client.get("/healthz/work")
    assert work.status_code == 503
    assert work.json()["parts"]["workers"].startswith("stalled")
    assert work.json()["parts"]["oldest_due"].startswith("waits for 3")


def test_a_node_is_not_ready_while_a_migration_is_not_applied(client, db):
    MigrationRecorder(connection).record_unapplied("integrations", "0001_initial")
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["parts"]["migrations"]) == (503, "1 not applied")


def test_a_node_is_not_ready_while_the_disk_of_the_database_is_full(client, db, monkeypatch):
    with monkeypatch.context() as patch:
        full = Mock(side_effect=OperationalError("database or disk is full"))
        patch.setattr("integrations.health.checks.work.Session.save", full)
        assert client.get("/healthz/ready").status_code == 503
    assert client.get("/healthz/ready").status_code == 200


def test_the_probe_asks_the_database_at_most_twice_a_minute(client, db, django_assert_num_queries):
    client.get("/healthz/ready")
    with django_assert_num_queries(0):
        client.get("/healthz/ready")


def test_the_work_probe_is_about_this_nodes_workers(client, db, settings):
    settings.NODE = "another-node"
    Heartbeat.beat()
    settings.NODE = "this-node"
    answer = client.get("/healthz/work")
    assert answer.json()["parts"]["workers"] == "silent"
    assert "this-node" not in answer.text
    Heartbeat.beat()
    assert client.get("/healthz/work").status_code == 200
    Heartbeat.objects.update(at=Now() - timedelta(minutes=1))
    assert client.get("/healthz/work").json()["parts"]["workers"] == "silent"


def test_the_work_probe_of_a_web_server_alone_is_about_the_workers_of_all_nodes(client, db, settings):
    settings.NODE = "web-1"
    settings.IS_WEB_ALONE = True
    assert client.get("/healthz/work").json()["parts"]["workers"] == "silent"
    settings.NODE = "workers-1"
    Heartbeat.beat()
    settings.NODE = "web-1"
    factories.EffectFactory.create(due_at=timezone.now() - timedelta(minutes=1))
    assert client.get("/healthz/work").status_code == 200
    Heartbeat.objects.update(at=Now() - timedelta(seconds=25))
    assert (
        client.get("/healthz/work")
        .json()["parts"]["workers"]
        .startswith("stalled: rows are due and no worker of any")
    )


def _connected(**columns: Any) -> LeverConnection:
    """Return the Lever connection of an organization that has a CodeScreen key too."""
    connection = factories.LeverConnectionFactory.create(**columns)
    factories.CodeScreenConnectionFactory.create(organization=connection.organization)
    return connection


def test_the_work_probe_names_a_late_sweep(client, db):
    Heartbeat.beat()
    now = timezone.now()
    _connected(swept_at=now - timedelta(minutes=20))
    factories.LeverConnectionFactory.create(swept_at=now - timedelta(days=20))  # no CodeScreen key yet
    paused = _connected(swept_at=now - timedelta(days=20))
    paused.organization.paused = True
    paused.organization.save()
    _connected(swept_at=now - timedelta(days=20), state=LeverConnection.State.NEEDS_RECONNECT)
    assert client.get("/healthz/work").json()["parts"]["sweep"] == "ok"
    never = _connected(swept_at=None, connected_at=now - timedelta(hours=3))
    assert client.get("/healthz/work").json()["parts"]["sweep"].startswith("the oldest is 10")
    never.delete()
    assert client.get("/healthz/work").status_code == 200
