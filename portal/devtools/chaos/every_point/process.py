"""The portal's processes, pretended in this one: they run a step, are killed, and start again."""

import copy
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import ModuleType

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest
from django.http import HttpResponseBase
from django.test import Client

from integrations.inbox.models.delivery import Delivery
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from integrations.store.database import DATABASE_OUTAGE
from portal.devtools.chaos.every_point.injector import Injector, Killed
from portal.devtools.clock import PretendClock
from portal.devtools.site_client import sign_in

RESTART_SECONDS = 1.0
ONE_SECOND, ONE_MILLISECOND = timedelta(seconds=1), timedelta(milliseconds=1)
#: After so many moments at which something was due, people look what the portal asks of them.
MOMENTS = 25
PLAIN = (bool, int, float, str, tuple, datetime, dict, list, set)


@dataclass(frozen=True)
class Died:
    """The process was killed in the step, or the database was away: nothing came back."""


class PretendProcess:
    """Runs the product's steps one at a time, as the web process and the workers would."""

    def __init__(self, clock: PretendClock, injector: Injector) -> None:
        self._clock = clock
        self._injector = injector
        self._client = Client(raise_request_exception=False, SERVER_NAME="127.0.0.1")
        self._state = _module_state()

    def warm_up(self) -> None:
        """Load and compile what a process does once, so that not every run has to."""
        self.receive_webhook("/webhooks/lever/none/", {}, b"{}")
        self.run(worker.work)

    def run[Value](self, step: Callable[[], Value]) -> Value | Died:
        """Run a step of the product; return what it returned, or that the process died in it."""
        try:
            with self._injector.watching():
                return step()
        except Killed:
            self._start_again()
        except DATABASE_OUTAGE:
            connection.close()
            self._clock.advance(RESTART_SECONDS)
        return Died()

    def receive_webhook(self, path: str, headers: dict[str, str], body: bytes) -> int | None:
        """Let the web process answer a webhook; return the status, None when it died."""
        return self._answered(
            lambda: self._client.post(path, body, content_type="application/json", headers=headers)
        )

    def press(self, path: str, form: Mapping[str, object]) -> int | None:
        """Let the web process answer a form that a signed-in person sends; return as `receive_webhook` does."""
        # again each time, in a new session: a session and a proof end with their time, which the clock passes
        self._client.cookies.clear()
        sign_in(self._client, User.objects.get(memberships__isnull=False))
        return self._answered(lambda: self._client.post(path, form))

    def _answered(self, post: Callable[[], HttpResponseBase]) -> int | None:
        status = self.run(lambda: post().status_code)
        return None if isinstance(status, Died) else int(status)

    def work_for_a_while(self) -> bool:
        """Let workers work until nothing will ever be due but polls; False if that takes more than MOMENTS waits."""
        for _ in range(MOMENTS):
            if isinstance(self.run(worker.work), Died):
                continue
            waits = claimable_at()
            if not waits:
                return True
            # a row that is due but can't be claimed waits for another of the same candidate
            now = self._clock.now()
            self._clock.move_to(min((wait for wait in waits if wait > now), default=now + ONE_SECOND))
        return False

    def _start_again(self) -> None:
        """Start the killed process again: with a new connection, and modules as after their import."""
        self._clock.advance(RESTART_SECONDS)
        connection.close()
        for (module, name), value in self._state.items():
            setattr(module, name, copy.copy(value))
        for clear in _caches():
            clear()


def claimable_at() -> list[datetime]:
    """Return when each unfinished effect and delivery is due and its lease over."""
    claimable = Greatest(F("due_at"), Coalesce(F("leased_until"), F("due_at")))
    effects = Effect.objects.filter(state=Effect.State.DUE).annotate(claimable=claimable)
    deliveries = Delivery.objects.filter(due_at__isnull=False).annotate(claimable=claimable)
    return [
        moment + ONE_MILLISECOND
        for rows in (effects, deliveries)
        for moment in rows.values_list("claimable", flat=True)
    ]


def _product_modules() -> list[ModuleType]:
    return [module for name, module in sys.modules.items() if name.startswith("integrations.")]


def _module_state() -> dict[tuple[ModuleType, str], object]:
    """Return the values that the product's modules hold: what a process remembers between steps."""
    return {
        (module, name): copy.copy(value)
        for module in _product_modules()
        for name, value in vars(module).items()
        if name.startswith("_") and not name.startswith("__") and (value is None or isinstance(value, PLAIN))
    }


def _caches() -> list[Callable[[], None]]:
    return [
        value.cache_clear
        for module in _product_modules()
        for value in vars(module).values()
        if hasattr(value, "cache_clear") and getattr(value, "__module__", "") == module.__name__
    ]
