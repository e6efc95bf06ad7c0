"""The portal's processes as real ones: each step in a forked process, which SIGKILL ends at the planned place.

The step reaches the platforms over sockets. It tells this process which places it has reached and how far its clock
has moved; everything else that this process then knows of it, it reads in the database and in the platforms' books.
"""

import os
import random
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import NoReturn
from unittest import mock

from django.db import connections

from integrations import stop_signal
from integrations.queue.tasks import work
from portal.devtools.chaos.every_point.places import PlaceKind
from portal.devtools.chaos.every_point.process import RESTART_SECONDS, Died, PretendProcess

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
        reached: list[_Reached] = []
        while True:
            try:
                message = ours.recv()
            except EOFError:
                break
            if isinstance(message, _Reached):
                reached.append(message)
            else:
                ended = message
        os.waitpid(pid, 0)
        for place in reached:
            self._injector.follow(place.kind, place.name)
        if ended is None:
            self._clock.advance(RESTART_SECONDS)
            return Died()
        self._clock.advance(max(0.0, ended.seconds - self._clock.seconds()))
        return ended.value

    def _be_the_process[Value](
        self, step: Callable[[], Value], messages: "Connection[_Reached | _Ended[Value], object]"
    ) -> NoReturn:
        """Run the step and end; the process may be killed before."""
        try:
            self._injector.trace.on_reach = lambda kind, name: messages.send(_Reached(kind, name))
            with self._injector.watching():
                value = step()
            messages.send(_Ended(value, self._clock.seconds()))
            connections.close_all()
        except BaseException:  # noqa: BLE001 - a forked process must not go on as its parent
            traceback.print_exc()
        finally:
            os._exit(0)


class DrainProcess(RealProcess):
    """Works what is due in the queue's task, with its threads."""

    def _work(self) -> None:
        wait = stop_signal.wait

        def pass_time(seconds: float, *descriptors: int) -> bool:
            """Wait, for a moment, and let more time pass."""
            is_stopped = wait(min(seconds, LOOK_TAKES), *descriptors)
            # what is left of a wait may be less than the clock can show
            self._clock.advance(min(max(seconds, LOOK_TAKES), LOOK_SECONDS))
            return is_stopped

        with mock.patch.object(stop_signal, "wait", pass_time):
            work(TASK_SECONDS)
