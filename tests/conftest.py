"""Fixtures and settings of every test: encryption keys, fast password hashing, people, and the sandbox."""

import gc
import os
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from unittest import mock

import pytest
import responses
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet
from django.contrib.auth.signals import user_logged_in
from django.core.cache import cache
from django.db import connection, connections
from django.db.backends.signals import connection_created
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from integrations.catalog.models import Assessment, Role, RoleMapping, Stage
from integrations.clients import models as client_models
from integrations.http import stop_signal
from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import EmailTopic
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue import notify, worker
from integrations.store import database
from integrations.webhooks import authentication
from portal.devtools import test_suites
from tests.support import append_only, factories
from tests.support.sandbox import Sandbox
from tests.support.scenario import _no_readings, scenario  # noqa: F401 - fixtures of all tests
from tests.support.second_factors import signed_in

os.environ.setdefault(
    "DJANGO_ALLOW_ASYNC_UNSAFE", "true"
)  # Playwright's event loop runs in the test's thread


def prepare_session(connection, **_) -> None:
    """Let a test's transaction be idle while the sandbox answers, which takes long on a slow machine.

    On SQLite wait for no disk: nobody needs what a test stored after the machine went down.
    """
    name = connection.settings_dict["NAME"] or ""  # empty while the test database is made
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous = OFF")
        elif name.startswith("test_portal"):
            cursor.execute("SET idle_in_transaction_session_timeout = 0")


connection_created.connect(prepare_session)
append_only.lift_while_flushed()


#: The files whose slow tests take a minute or more.
LONGEST = {"test_postgresql.py", "test_runs.py", "test_fault_run.py"}


def pytest_collection_finish() -> None:
    """Leave what lives as long as the run to itself: looking through it again takes a twentieth of the time."""
    gc.freeze()
    gc.set_threshold(50_000)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items) -> Iterator[None]:
    """Mark what opens a browser, before `-m` chooses; skip the suites whose services aren't installed, unless they are
    required. Once all others have chosen and ordered, let each process begin with one of the longest tests.
    """
    missing = test_suites.missing()
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
        for name in missing.keys() & {marker.name for marker in item.iter_markers()}:
            item.add_marker(pytest.mark.skip(reason=missing[name]))
    yield
    longest = [item for item in items if item.path.name in LONGEST and item.get_closest_marker("slow")]
    count, processes = len(items), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = [item for item in items if item not in longest]
    for number, item in enumerate(longest):
        share_begins = count * (number % processes) // processes
        items.insert(share_begins + len(longest), item)  # surely inside the share


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, tmp_path_factory) -> None:
    """Give each process its own database, so that two test runs can run at once.

    On SQLite it is a file, as in production, so that threads share it by the same locks. Its tables are made from the
    models, which takes a tenth of the migrations' time; tests/store/test_migrations.py shows that they make the same.
    """
    database = connections["default"].settings_dict
    database["TEST"]["MIGRATE"] = False
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
    else:
        database["TEST"]["NAME"] = f"test_portal_{os.getpid()}"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> None:
    """Record in the database that every migration is applied, since its tables are as the migrations make them."""
    with django_db_blocker.unblock():
        recorder = MigrationRecorder(connection)
        recorder.ensure_schema()
        migrations = MigrationLoader(None).disk_migrations
        recorder.migration_qs.bulk_create(
            [recorder.Migration(app=app, name=name) for app, name in migrations]
        )


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Use the system's Chromium, without its own sandbox (tests may run as root) and without background calls."""
    options = [
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    return {**browser_type_launch_args, "executable_path": test_suites.chromium(), "args": options}


def begin_row(sender, request, user, **_) -> None:
    """Let a session that a test begins without signing in have its row, as those that people begin have."""
    if "REQUEST_METHOD" not in request.META:
        UserSession.objects.create_from_request(request, user=user)


user_logged_in.connect(begin_row)


@pytest.fixture(autouse=True)
def _portal_settings(settings, monkeypatch) -> None:
    settings.SECRET_KEY = "only-for-tests-" + "x" * 50
    settings.FIELD_ENCRYPTION_KEYS = [_KEY]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    settings.CACHES = {"default": memory, "memory": memory}
    cache.clear()  # the next test's organization has the same number
    settings.SECURE_SSL_REDIRECT = False
    settings.MFA_TOTP_TOLERANCE = 1  # on a slow machine the half minute ends before a code is sent
    settings.PORTAL_URL = "http://testserver"
    authentication.seen.clear()
    authentication.memory.forget()
    client_models.forget()
    # on a slow machine the clock would be asked once more in the midst of what a test counts
    monkeypatch.setattr(database, "QUERY_AGAIN_SECONDS", 3600.0)
    monkeypatch.setattr(database, "PROMPT_SECONDS", 3600.0)
    settings.CODESCREEN_API_URL = "http://127.0.0.1:9/nobody"  # no test asks the real one
    settings.LEVER_CLIENT_ID = "sandbox-client-id"
    settings.LEVER_CLIENT_SECRET = "sandbox-client-secret"


_KEY = Fernet.generate_key().decode()


@pytest.fixture
def organization(db):
    return factories.OrganizationFactory()


@pytest.fixture
def super_admin(organization):
    """The Super Admin."""
    return factories.member(organization, Membership.Role.SUPER_ADMIN, "owner")


@pytest.fixture
def team_member(organization):
    """A Team Member of the same organization."""
    return factories.member(organization, Membership.Role.TEAM_MEMBER, "colleague")


@pytest.fixture
def stranger(db):
    """The Super Admin of another organization."""
    return factories.member(factories.OrganizationFactory(), Membership.Role.SUPER_ADMIN, "stranger")


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    """The network as `requests` reaches it: only the addresses that the test registers answer."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        yield wire


@pytest.fixture
def sandbox(db, settings) -> Iterator[Sandbox]:
    """A pretend Lever and CodeScreen for this test alone, over real HTTP; the settings point to them."""
    with Sandbox() as platforms:
        # what limits the calls to an account is kept in Redis, which nothing rolls back and all processes share
        for account in platforms.lever.accounts.values():
            account.id = str(uuid.uuid4())
        settings.LEVER_AUTH_URL = platforms.lever.url
        settings.LEVER_API_URL = f"{platforms.lever.url}/v1"
        settings.LEVER_AUDIENCE = f"{platforms.lever.url}/v1/"
        settings.LEVER_EU_AUTH_URL = platforms.lever.eu_url
        settings.LEVER_EU_API_URL = f"{platforms.lever.eu_url}/v1"
        settings.CODESCREEN_API_URL = f"{platforms.codescreen.url}/api"
        yield platforms


@pytest.fixture
def connected_organization(sandbox, organization, super_admin):
    """An organization with a stored Lever grant and CodeScreen key of the sandbox; no browser is involved."""
    factories.CodeScreenConnectionFactory(organization=organization, api_key=sandbox.api_key)
    sandbox.connect(organization, super_admin)
    Effect.objects.filter(email_topic=EmailTopic.ACCOUNT).delete()  # that it was connected
    return organization


@pytest.fixture
def notifications(db, monkeypatch):
    """The tasks that were enqueued for the workers, each by its function's name."""
    sent = []
    monkeypatch.setattr(notify, "_next_at", 0.0)
    monkeypatch.setattr(notify, "broker", lambda: mock.Mock(queue_size=lambda: 0))
    monkeypatch.setattr(notify, "async_task", lambda name, **_: sent.append(name))
    return sent


@pytest.fixture
def refreshed(monkeypatch) -> list[Organization]:
    """The organizations whose lists were asked to be read again."""
    asked: list[Organization] = []
    monkeypatch.setattr(notify, "request_catalog_refresh", asked.append)
    return asked


@pytest.fixture(autouse=True)
def _no_kept_connections() -> Iterator[None]:
    """Close the connections of the threads that tasks have kept: the test's database is emptied or removed."""
    yield
    if count := sum(thread.name.startswith("step") for thread in threading.enumerate()):
        all_have_one = threading.Barrier(count)

        def close() -> None:
            all_have_one.wait()
            connections.close_all()

        with worker.threads() as threads:
            for _ in range(count):
                threads.submit(close)
    worker.threads.cache_clear()
    worker._beat_at = 0.0


@pytest.fixture
def request_stop():
    """The function that asks the workers to stop."""
    stop_signal.prepare()
    yield stop_signal.request
    stop_signal.discard()


@pytest.fixture
def client_for(db):
    """The function that makes a client in which the given user has signed in just now."""
    return signed_in


@pytest.fixture
def super_admin_client(client_for, super_admin) -> Client:
    return client_for(super_admin)


@pytest.fixture
def team_member_client(client_for, team_member) -> Client:
    return client_for(team_member)


@pytest.fixture
def stranger_client(client_for, stranger) -> Client:
    return client_for(stranger)


@pytest.fixture
def organization_admin_client(client_for, organization) -> Client:
    return client_for(factories.member(organization, Membership.Role.ADMIN, "admin"))


@pytest.fixture
def limited_member(organization):
    """A Limited Team Member, who is on no candidate yet."""
    return factories.member(organization, Membership.Role.LIMITED_TEAM_MEMBER, "limited")


@pytest.fixture
def limited_member_client(client_for, limited_member) -> Client:
    return client_for(limited_member)


@pytest.fixture
def ready_organization(organization):
    """An organization whose set-up is complete."""
    now = timezone.now()
    organization.other_integration_off = True
    organization.save(update_fields=["other_integration_off"])
    factories.LeverConnectionFactory.create(organization=organization)
    factories.LeverWebhookFactory.create(organization=organization, last_received_at=now - timedelta(hours=1))
    factories.CodeScreenConnectionFactory.create(
        organization=organization, verified_at=now, assessments_refreshed_at=now, states_results=True
    )
    Stage.objects.create(
        organization=organization, external_id="stage-codescreen", name="CodeScreen Assessment"
    )
    Role.objects.create(
        organization=organization, external_id="role-backend", title="Backend Engineer", state="published"
    )
    Assessment.objects.create(organization=organization, external_id="assessment-backend", name="Backend")
    RoleMapping.objects.create(organization=organization, role="Backend Engineer", assessment="Backend")
    return organization
