"""The servers of the run on several machines: PostgreSQL with a synchronous standby, and Redis."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psycopg

from portal.devtools.chaos.machines.network import Machine, Network
from portal.devtools.processes import RunFailed, wait_until

REDIS_PORT = 6379
OWNER, NAME = "postgres", "portal"
START_SECONDS = 60.0


def database_url(network: Network, *hosts: int) -> str:
    """Return the `DATABASE_URL` that leads to whichever of the servers takes writes."""
    servers = ",".join(network.address(host) for host in hosts)
    return f"postgresql://{NAME}@{servers}:5432/{NAME}?target_session_attrs=read-write"


class Server:
    """PostgreSQL on one machine."""

    def __init__(self, machine: Machine, folder: Path, network: Network) -> None:
        self.machine = machine
        self._network = network
        self._data = folder / machine.name

    def make(self) -> None:
        """Make an empty database cluster. Raises RunFailed."""
        self._run(
            "initdb", "--pgdata", str(self._data), "--auth=trust", "--username", OWNER, "--encoding=UTF8"
        )
        with (self._data / "pg_hba.conf").open("a") as rules:
            for what in ("all", "replication"):
                rules.write(f"host {what} all {self._network.all_addresses} trust\n")

    def copy(self, other: "Server") -> None:
        """Make this a standby of another server, whatever it was before. Raises RunFailed."""
        # a machine that was plugged in a moment ago has to find its neighbours first
        failure = f"{self.machine.name} doesn't reach {other.machine.name}"
        wait_until(lambda: self._reaches(other), START_SECONDS, failure)
        shutil.rmtree(self._data, ignore_errors=True)
        source = ["--host", other.machine.address, "--username", OWNER]
        self._run(
            "pg_basebackup",
            *source,
            "--pgdata",
            str(self._data),
            "--write-recovery-conf",
            "--checkpoint=fast",
        )

    def start(self) -> None:
        """Start it; return once it answers. Raises RunFailed."""
        settings = {"listen_addresses": "*", "unix_socket_directories": "", "max_connections": "300"}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.machine.start(self._command("postgres", "-D", str(self._data), *arguments))
        wait_until(self._answers, START_SECONDS, f"PostgreSQL on {self.machine.name} doesn't answer")

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement as superuser; return its rows. Raises psycopg.Error."""
        host = self.machine.address
        with psycopg.connect(
            host=host, user=OWNER, dbname=OWNER, autocommit=True, connect_timeout=3
        ) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def wait_for_standby(self) -> None:
        """Have each commit wait for the standby, from the moment it follows. Raises RunFailed."""
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.execute("SELECT pg_reload_conf()")
        query = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
        wait_until(lambda: self.execute(query), START_SECONDS, f"no standby follows {self.machine.name}")

    def _reaches(self, other: "Server") -> bool:
        return self.machine.start(self._command("pg_isready", "--host", other.machine.address)).wait() == 0

    def _answers(self) -> bool:
        try:
            return bool(self.execute("SELECT 1"))
        except psycopg.Error:
            return False

    def _run(self, program: str, *arguments: str) -> None:
        self.machine.run(self._command(program, *arguments))

    @staticmethod
    def _command(program: str, *arguments: str) -> list[str]:
        """Return a command line for one of PostgreSQL's programs, which refuse to run as root."""
        user = ["setpriv", f"--reuid={OWNER}", f"--regid={OWNER}", "--clear-groups"]
        return [*user, str(_programs() / program), *arguments]


def _programs() -> Path:
    """Return the folder of PostgreSQL's newest programs. Raises RunFailed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if not found:
        raise RunFailed("there are no PostgreSQL programs (apt-get install postgresql)")
    return found[-1].parent


class Databases:
    """A PostgreSQL server and its standby. What is committed is on both."""

    def __init__(self, network: Network, first: Machine, second: Machine) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="codescreen-lever-machines-"))
        self._primary, self._standby = (Server(one, self._folder, network) for one in (first, second))

    @property
    def primary(self) -> Server:
        """The server that takes writes."""
        return self._primary

    def __enter__(self) -> Self:
        shutil.chown(self._folder, OWNER, OWNER)
        self._primary.make()
        self._primary.start()
        self._primary.execute(f"CREATE ROLE {NAME} LOGIN")
        self._primary.execute(f"CREATE DATABASE {NAME} OWNER {NAME}")
        self._follow()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._standby, self._primary):
            server.machine.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def lose_primary(self) -> None:
        """Switch the primary's machine off: it falls silent."""
        self._primary.machine.unplug()
        self._primary.machine.kill()

    def promote(self) -> None:
        """Let the standby take writes, and be the primary. Raises psycopg.Error."""
        self._standby.execute("SELECT pg_promote(true, 30)")
        self._primary, self._standby = self._standby, self._primary

    def rejoin(self) -> None:
        """Let the machine that was lost be the standby of the new primary. Raises RunFailed."""
        self._standby.machine.plug_in()
        self._follow()

    def _follow(self) -> None:
        self._standby.copy(self._primary)
        self._standby.start()
        self._primary.wait_for_standby()


@contextmanager
def redis(machine: Machine) -> Iterator[None]:
    """Run a Redis that keeps nothing, as one for the queue and the cache may."""
    machine.start(["redis-server", "--bind", machine.address, "--protected-mode", "no", "--save", ""])
    yield
    machine.kill()


def redis_url(network: Network, host: int) -> str:
    """Return the `REDIS_URL` of the server on a machine."""
    return f"redis://{network.address(host)}:{REDIS_PORT}/0"
