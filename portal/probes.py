"""What probes read: whether this node is live and ready, and whether work gets done.

WORK looks at this node's workers, or at those of all nodes where it is a web server alone; at its broker; and at the
whole portal: at its oldest due row, whichever node should have done it, and at the age of the oldest sweep.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from pkgutil import iter_modules

from django.apps import apps
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Min
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from integrations.codescreen.models import CodeScreenConnection
from integrations.health.checks.work import require_room
from integrations.lever.models.connection import LeverConnection
from integrations.queue import notify
from integrations.queue.models.nodes import Heartbeat
from integrations.store import database
from integrations.store.encryption import sample_of_secrets

logger = logging.getLogger(__name__)

WORKERS_SILENT_AFTER = timedelta(seconds=30)
#: A bulk move of hundreds of candidates takes minutes at Lever's rate limit.
OLDEST_DUE_LIMIT_SECONDS = 600
#: Several times the interval of the sweep.
SWEEP_LIMIT = timedelta(hours=1)
#: The parts that a release or an operator changes are asked again so long after they were well.
AGAIN_SECONDS = 30.0
#: How many of a column's oldest and newest secrets a probe tries to read.
SECRETS_TRIED = 3


@dataclass(frozen=True)
class State:
    """The state of a part in words, and whether it is no reason to answer 503."""

    text: str
    is_well: bool = False


OK = State("ok", is_well=True)

type Parts = Mapping[str, Callable[[], State]]

#: By part, until when (monotonic clock) this process takes it for well.
_well_until: dict[str, float] = {}


def seldom(name: str, check: Callable[[], State]) -> Callable[[], State]:
    """Return a check that asks nothing for AGAIN_SECONDS after all was well: a balancer asks each second."""

    def asked_seldom() -> State:
        now = time.monotonic()
        if now < _well_until.get(name, 0.0):
            return OK
        state = check()
        if state == OK:
            _well_until[name] = now + AGAIN_SECONDS
        return state

    return asked_seldom


def _database() -> State:
    connection.cursor().close()  # which asks a kept connection whether it works, or makes a new one
    require_room()
    return OK


@lru_cache(maxsize=1)
def _shipped_migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations of this release by app and name. None is imported: that would take 20 MiB a process."""
    return frozenset(
        (app.label, module.name)
        for app in apps.get_app_configs()
        for module in iter_modules([str(Path(app.path, "migrations"))])
    )


def _migrations() -> State:
    missing = _shipped_migrations() - MigrationRecorder(connection).applied_migrations().keys()
    return State(f"{len(missing)} not applied") if missing else OK


def _broker() -> State:
    return OK if notify.broker().ping() else State("no answer")


def _workers() -> State:
    node = "" if settings.IS_WEB_ALONE else settings.NODE
    whose = "any node" if settings.IS_WEB_ALONE else "this node"
    if notify.is_stalled(node):
        return State(f"stalled: rows are due and no worker of {whose} processes them")
    return OK if Heartbeat.is_fresh(WORKERS_SILENT_AFTER, node) else State("silent")


def _oldest_due() -> State:
    seconds = notify.oldest_due_seconds()
    return OK if seconds < OLDEST_DUE_LIMIT_SECONDS else State(f"waits for {int(seconds)} s")


def _sweep() -> State:
    """Return whether every working organization was swept lately; one that is new counts from its connection."""
    working = LeverConnection.objects.filter(
        state=LeverConnection.State.CONNECTED,
        organization__paused=False,
        organization__codescreen_connection__state=CodeScreenConnection.State.CONNECTED,
    )
    oldest = working.aggregate(at=Min(Coalesce("swept_at", "connected_at")))["at"]
    if oldest is None or database.now() - oldest < SWEEP_LIMIT:
        return OK
    return State(f"the oldest is {int((database.now() - oldest).total_seconds())} s ago")


def _secrets() -> State:
    """Return whether this node's FIELD_ENCRYPTION_KEYS fit the stored secrets.

    With the wrong keys the node can verify no webhook, and another node may have the right ones. A few secrets that
    can't be read are no reason to send nobody here: they have to be entered again, on a page.
    """
    sample = sample_of_secrets(SECRETS_TRIED)
    unreadable = sum(not secret.is_readable for secret in sample)
    if not unreadable:
        return OK
    if unreadable == len(sample):
        return State(f"FIELD_ENCRYPTION_KEYS opens none of the {unreadable} stored secrets that were tried")
    text = f"ok, but FIELD_ENCRYPTION_KEYS doesn't open {unreadable} of {len(sample)} stored secrets"
    return State(text, is_well=True)


READY: Parts = {
    "database": _database,
    "migrations": seldom("migrations", _migrations),
    "secrets": seldom("secrets", _secrets),
}
WORK: Parts = {"workers": _workers, "broker": _broker, "oldest_due": _oldest_due, "sweep": _sweep}


@never_cache
@login_not_required
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Answer 200: the process is alive."""
    return JsonResponse({"status": "ok"})


@never_cache
@login_not_required
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 when this node accepts webhooks and pages, else 503; the body names each part with its state."""
    return _answer(READY)


@never_cache
@login_not_required
@require_safe
def work(request: HttpRequest) -> HttpResponse:
    """Answer 200 when work gets done, else 503; the body names each part with its state and no host: anyone asks."""
    return _answer(WORK)


def _answer(parts: Parts) -> HttpResponse:
    states: dict[str, State] = {}
    for name, check in parts.items():
        try:
            states[name] = check()
        except Exception as error:  # noqa: BLE001 - any error is the state of that part
            reason = database.NO_ROOM if database.is_full(error) else type(error).__name__
            states[name] = State(f"failed: {reason}")
    texts = {name: state.text for name, state in states.items()}
    unwell = ", ".join(f"{name}: {state.text}" for name, state in states.items() if not state.is_well)
    if unwell:  # one line a minute: `portal.logs.OncePerOutage`
        logger.warning("A probe is answered 503: %s", unwell, extra={"status_code": 503})
    body = {"status": "unavailable" if unwell else "ok", "parts": texts}
    return JsonResponse(body, status=503 if unwell else 200)
