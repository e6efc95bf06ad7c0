"""What a chaos run is asked to do."""

from argparse import ArgumentParser
from dataclasses import dataclass, field, fields
from typing import Any, Self

POSTGRESQL = ("postgresql://", "postgres://")


@dataclass(frozen=True)
class Options:
    """One run's options, with their defaults."""

    events: int = field(default=200, metadata={"help": "stage changes in Lever"})
    duplicates: float = field(default=0.3, metadata={"help": "share of webhooks that come twice"})
    faults: float = field(default=0.2, metadata={"help": "share of calls to the platforms that go wrong"})
    kill_every: float = field(default=2.0, metadata={"help": "seconds between SIGKILLs; 0 for none"})
    seed: int = field(default=1, metadata={"help": "the same seed makes the same plan"})
    organizations: int = field(default=1, metadata={"help": "customers at once"})
    bulk: int = field(default=0, metadata={"help": "instead: move this many at Lever's rate, without faults"})
    outage: int = field(default=0, metadata={"help": "instead: move this many while the portal is down"})
    accept: float = field(
        default=0.0, metadata={"help": "instead: post to the door for so many seconds, without faults"}
    )
    wedge: int = field(
        default=0, metadata={"help": "instead: kill an idle worker this many times, then the whole group"}
    )
    forge: int = field(
        default=0,
        metadata={"help": "instead: knock this many times with forgeries and replays, and time refusals"},
    )
    limit: float = field(default=0.0, metadata={"help": "seconds for each phase; 0 for what the size asks"})
    database_url: str = field(
        default="", metadata={"help": "PostgreSQL; a database of its own is made there"}
    )
    restart_database: str = field(
        default="",
        metadata={"help": "command that restarts the server of --database-url; else connections are cut"},
    )
    redis_away: float = field(
        default=0.0,
        metadata={
            "help": "seconds for which Redis is away once; with --accept it comes and goes all the time"
        },
    )
    compare: bool = field(
        default=False, metadata={"help": "make the same moves without faults first, and compare the time"}
    )
    redis_url: str = field(default="", metadata={"help": "Redis with a database number that may be flushed"})
    log: str = field(default="", metadata={"help": "file for what the programs say; else it is dropped"})
    idempotency: bool = field(default=False, metadata={"help": "the account honours Idempotency-Key"})
    webhooks: bool = field(default=False, metadata={"help": "the account has CodeScreen's webhooks"})
    json: bool = field(default=False, metadata={"help": "print the table as JSON"})
    keep: bool = field(default=False, metadata={"help": "leave the database and the folder for a look"})

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        """Add every option to a command."""
        for item in fields(cls):
            name, words = f"--{item.name.replace('_', '-')}", item.metadata["help"]
            if isinstance(item.default, bool):
                parser.add_argument(name, action="store_true", help=words)
            else:
                shown = "" if item.default in ("", 0, 0.0) else f" (default {item.default})"
                parser.add_argument(name, type=type(item.default), default=item.default, help=words + shown)

    @classmethod
    def read(cls, given: dict[str, Any]) -> Self:
        """Return the options a command was given. Raises ValueError with the fix."""
        options = cls(**{item.name: given[item.name] for item in fields(cls)})
        options.check()
        return options

    def check(self) -> None:
        """Raise ValueError, with the fix, unless the run is possible."""
        for name in ("duplicates", "faults"):
            if not 0 <= getattr(self, name) <= 0.9:
                raise ValueError(f"--{name} is a share from 0 to 0.9.")
        if not 1 <= self.events <= 100_000:
            raise ValueError("--events is a number from 1 to 100000.")
        if not 1 <= self.organizations <= 20:
            raise ValueError("--organizations is a number from 1 to 20.")
        if min(self._amounts) < 0:
            raise ValueError("No option may be negative.")
        if sum(map(bool, self._instead)) > 1:
            raise ValueError("Choose one of --bulk, --outage, --accept, --wedge and --forge.")
        if self.database_url and not self.database_url.startswith(POSTGRESQL):
            raise ValueError("--database-url takes a PostgreSQL address; without it the run is on SQLite.")
        if self.restart_database and not self.database_url:
            raise ValueError("--restart-database goes with the --database-url of the server it restarts.")
        if self.redis_away and not self.redis_url:
            raise ValueError("--redis-away goes with the --redis-url of the server that is to be away.")
        if self.compare and not self.has_faults:
            raise ValueError("--compare goes with the run with faults.")
        if self.redis_url and not self.redis_url.rstrip("/").rpartition("/")[2].isdigit():
            raise ValueError("--redis-url has to end with the number of a database that may be flushed.")

    @property
    def _amounts(self) -> tuple[float, ...]:
        return (self.kill_every, self.limit, self.redis_away, *self._instead)

    @property
    def _instead(self) -> tuple[float, ...]:
        """The runs that measure a single thing."""
        return (self.bulk, self.outage, self.accept, self.wedge, self.forge)

    @property
    def has_faults(self) -> bool:
        """Whether this is the run with faults at the platforms, not one that measures a single thing."""
        return not any(self._instead)

    @property
    def phase_seconds(self) -> float:
        """For how long each phase may take: several times what it should."""
        size = max(self.bulk, self.outage, self.events, int(self.accept), 60 * self.wedge)
        return self.limit or 240.0 + 0.4 * size

    @property
    def poll_seconds(self) -> int:
        """How often CodeScreen is asked about each invitation, so that asking stays a small part of the work."""
        return max(5, self.events // 20) if self.has_faults else 3600
