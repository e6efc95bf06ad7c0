"""The portal's processes, pretended in this one: they run a step, are killed, and start again."""

import copy
import os
import random
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from types import ModuleType
from typing import NoReturn
from unittest import mock

from django.contrib.auth.models import User
from django.db import connection, connections
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest, Now
from django.http import HttpResponseBase
from django.test import Client

from integrations.http import stop_signal
from integrations.inbox.models.delivery import Delivery
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from integrations.queue.models.duty_run import DutyRun
from integrations.queue.worker import work_in_threads
from integrations.store.database import DATABASE_OUTAGE
from portal.devtools.chaos.every_point.clock import PretendClock
from portal.devtools.chaos.every_point.faults import PlaceKind
from portal.devtools.chaos.every_point.injector import Happened, Injector, Killed
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

    #: How workers work what is due.
    _work: Callable[[], object] = staticmethod(worker.work)

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
            if isinstance(self.run(self._work), Died):
                continue
            waits = self._claimable_at()
            if not waits:
                return True
            # a row that is due but can't be claimed waits for another of the same candidate
            now = self._clock.now()
            self._clock.move_to(min((wait for wait in waits if wait > now), default=now + ONE_SECOND))
        return False

    def _claimable_at(self) -> list[datetime]:
        return claimable_at()

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


#: How long a task begins rows, by the clock of the run.
TASK_SECONDS = 2.0
#: Each look whether something happened takes so long at most, and lets so much time pass.
LOOK_SECONDS, LOOK_TAKES = 0.05, 0.002


@dataclass(frozen=True)
class _Reached:
    kind: PlaceKind
    name: str


@dataclass(frozen=True)
class _Ended[Value]:
    value: Value
    seconds: float


type _Message[Value] = _Reached | Happened | _Ended[Value]


class RealProcess(PretendProcess):
    """Runs each step in a process of its own."""

    def run[Value](self, step: Callable[[], Value]) -> Value | Died:
        """Run a step of the product in a forked process; return what it returned, or that it was killed."""
        connections.close_all()
        ours, theirs = Pipe(duplex=False)
        state = random.getstate()
        pid = os.fork()
        if pid == 0:
            random.setstate(state)  # Python gives a forked process another seed
            self._be_the_process(step, theirs)
        theirs.close()
        ended: _Ended[Value] | None = None
        was_killed = False
        while True:
            try:
                message = ours.recv()
            except EOFError:
                break
            match message:
                case _Reached(kind, name):
                    self._injector.follow(kind, name)
                case Happened():
                    self._injector.note(message)
                    was_killed = True
                case _:
                    ended = message
        os.waitpid(pid, 0)
        if ended is None:
            if was_killed:
                self._injector.look_again()  # another thread may have committed what the killed process didn't report
            self._clock.advance(RESTART_SECONDS)
            return Died()
        self._clock.advance(max(0.0, ended.seconds - self._clock.seconds()))
        return ended.value

    def _be_the_process[Value](
        self, step: Callable[[], Value], messages: "Connection[_Message[Value], object]"
    ) -> NoReturn:
        """Run the step and end; the process may be killed before."""
        one_thread = threading.Lock()

        def send(message: _Message[Value]) -> None:
            with one_thread:
                messages.send(message)

        try:
            self._injector.trace.on_reach = lambda kind, name: send(_Reached(kind, name))
            self._injector.on_happened = send
            with self._injector.watching():
                value = step()
            send(_Ended(value, self._clock.seconds()))
            connections.close_all()
        except BaseException:  # noqa: BLE001 - a forked process must not go on as its parent
            traceback.print_exc()
        finally:
            os._exit(0)


class DrainProcess(RealProcess):
    """Works what is due in the queue's task, with its threads: rows, and duties beside them."""

    def _claimable_at(self) -> list[datetime]:
        """Return also when each duty is due that a task had no time for, or that a killed process held."""
        leases = DutyRun.objects.filter(leased_until__gt=Now()).values_list("leased_until", flat=True)
        due = DutyRun.objects.free().values_list("due_at", flat=True)
        return [*super()._claimable_at(), *(moment + ONE_MILLISECOND for moment in (*leases, *due) if moment)]

    def _work(self) -> None:
        wait = stop_signal.wait

        def pass_time(seconds: float) -> bool:
            """Wait, for a moment, and let more time pass."""
            is_stopped = wait(min(seconds, LOOK_TAKES))
            # what is left of a wait may be less than the clock can show
            self._clock.advance(min(max(seconds, LOOK_TAKES), LOOK_SECONDS))
            return is_stopped

        with mock.patch.object(stop_signal, "wait", pass_time):
            work_in_threads(TASK_SECONDS)
