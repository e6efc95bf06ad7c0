"""The environment of a chaos run, with a database and a Redis of its own."""

from typing import NoReturn

import redis

from portal.devtools.chaos.options import Options
from portal.devtools.demo.environment import DemoEnvironment

READ_SECONDS = 3.0


def flush_redis(options: Options) -> None:
    """Empty the run's Redis database."""
    with redis.Redis.from_url(options.redis_url) as connection:
        connection.flushdb()


def enter(options: Options) -> NoReturn:
    """Make the run's environment and replace this process by the same command in it. Raises CommandError."""
    if options.redis_url:
        flush_redis(options)
    changes = {
        "REDIS_URL": options.redis_url,
        "WEB_WORKERS": "2",
        "POLL_NOT_STARTED_SECONDS": str(options.poll_seconds),
        "POLL_IN_PROGRESS_SECONDS": str(options.poll_seconds),
    }
    if options.has_faults:
        # without the rate limit thousands of events take minutes; `bench bulk` has it
        changes |= {"LEVER_RATE": "1000", "LEVER_BURST": "1000000"}
        changes["PLATFORM_READ_SECONDS"] = str(READ_SECONDS)
    DemoEnvironment.create("chaos").enter(options.database_url, **changes)


def clear(environment: DemoEnvironment, options: Options) -> None:
    """Remove what the run made."""
    environment.clear()
    if options.redis_url:
        flush_redis(options)
