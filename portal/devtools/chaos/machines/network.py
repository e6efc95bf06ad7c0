"""A network of machines on this one: each is a network namespace with an address of its own on one bridge.

Only root may make them, on Linux, by iproute2's `ip`.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from portal.devtools.processes import RunFailed

NUMBERS = range(1, 250)
END_SECONDS = 60.0
PROGRAMS = ("ip", "setpriv", "nginx", "redis-server")


def require_parts() -> None:
    """Raise RunFailed, with the fix, unless machines can be made here."""
    if os.geteuid() != 0:
        raise RunFailed("--machines makes network namespaces, which only root may: sudo")
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        raise RunFailed(
            f"--machines needs {', '.join(missing)} (apt-get install iproute2 nginx postgresql redis-server)"
        )


def _ip(*arguments: str) -> str:
    """Run `ip`, and return what it prints. Raises RunFailed."""
    run = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if run.returncode:
        raise RunFailed(f"ip {' '.join(arguments)}: {run.stderr.strip()}")
    return run.stdout


@dataclass(frozen=True)
class Network:
    """The bridge between the machines; what runs on this machine itself reaches them over it."""

    number: int

    @classmethod
    def free(cls) -> Self:
        """Return a network that no other run uses. Raises RunFailed."""
        number = next((one for one in NUMBERS if not Path(f"/sys/class/net/chaos{one}").exists()), None)
        if number is None:
            raise RunFailed("there are remains of too many runs; remove the network devices chaos…")
        return cls(number)

    @property
    def name(self) -> str:
        """The bridge's name."""
        return f"chaos{self.number}"

    def address(self, host: int) -> str:
        """Return the address of a machine; that of this machine itself is 1."""
        return f"10.213.{self.number}.{host}"

    @property
    def all_addresses(self) -> str:
        """The network's addresses as PostgreSQL writes them."""
        return f"{self.address(0)}/24"

    def __enter__(self) -> Self:
        _ip("link", "add", self.name, "type", "bridge")
        _ip("address", "add", f"{self.address(1)}/24", "dev", self.name)
        _ip("link", "set", self.name, "up")
        return self

    def __exit__(self, *_: object) -> None:
        _ip("link", "delete", self.name)


class Machine:
    """One machine. All that runs in it can be killed or frozen at once, and its cable can be unplugged."""

    def __init__(self, network: Network, name: str, host: int) -> None:
        self.name = name
        self.address = network.address(host)
        self._network = network
        self._namespace = f"{network.name}-{name}"
        self._cable = f"{network.name}-{host}"
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        _ip("netns", "add", self._namespace)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", self._namespace)
        _ip("link", "set", self._cable, "master", self._network.name, "up")
        _ip("-n", self._namespace, "address", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            _ip("-n", self._namespace, "link", "set", device, "up")
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        _ip("netns", "delete", self._namespace)
        with suppress(RunFailed):  # it goes with the namespace, some time later
            _ip("link", "delete", self._cable)

    def start(
        self, argv: Sequence[str], variables: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program in it."""
        program = subprocess.Popen(
            ["ip", "netns", "exec", self._namespace, *argv],
            stdin=subprocess.DEVNULL,
            stdout=2,
            start_new_session=True,
            env={**os.environ, **(variables or {})},
        )
        self._started.append(program)
        return program

    def run(self, argv: Sequence[str]) -> None:
        """Run a program in it to its end. Raises RunFailed if that is an error."""
        if code := self.start(argv).wait():
            raise RunFailed(f"{argv[0]} on {self.name} ended with code {code}; see --log")

    def processes(self) -> list[int]:
        """Return the ids of all that runs in it."""
        return [int(pid) for pid in _ip("netns", "pids", self._namespace).split()]

    def kill(self) -> None:
        """End everything in it at once, as a power cut does. Raises RunFailed if something goes on."""
        deadline = time.monotonic() + END_SECONDS
        while pids := self.processes():
            self.send(pids, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise RunFailed(f"processes on {self.name} can't be killed")
        for program in self._started:
            program.wait()
        self._started.clear()

    def freeze(self) -> None:
        """Stop everything in it until `thaw()`; its network cards go on."""
        self.send(self.processes(), signal.SIGSTOP)

    def thaw(self) -> None:
        """Let everything in it go on."""
        self.send(self.processes(), signal.SIGCONT)

    def unplug(self) -> None:
        """Cut it off: nothing arrives, and nobody is told."""
        _ip("link", "set", self._cable, "down")

    def plug_in(self) -> None:
        """Connect it again."""
        _ip("link", "set", self._cable, "up")

    @staticmethod
    def send(pids: Sequence[int], what: signal.Signals) -> None:
        """Send a signal to processes, as far as they haven't ended."""
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, what)
