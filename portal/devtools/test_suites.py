"""The test suites that need more than Python: what each needs, and whether it is here.

`tests/conftest.py` skips a suite by its marker when its part is missing; a suite named in REQUIRE_SUITES
(comma-separated) is never skipped, so that its tests fail instead. `manage.py test` says at the end what was left out.
"""

import os
import shutil
from collections.abc import Callable
from functools import cache

import psycopg
import redis

DATABASE_URL = os.environ.get("TEST_DATABASE_URL") or "postgresql://postgres@127.0.0.1:5432/postgres"
REDIS_URL = os.environ.get("TEST_REDIS_URL") or "redis://127.0.0.1:6379/15"


def chromium() -> str | None:
    """Return the path of the system's Chromium."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def has_chromium() -> bool:
    """Whether there is a browser to drive."""
    return chromium() is not None


def has_postgresql() -> bool:
    """Whether the PostgreSQL server of TEST_DATABASE_URL lets us in."""
    try:
        psycopg.connect(DATABASE_URL, connect_timeout=3).close()
    except psycopg.Error:
        return False
    return True


def has_redis() -> bool:
    """Whether the Redis server of TEST_REDIS_URL answers."""
    try:
        return bool(redis.Redis.from_url(REDIS_URL, socket_connect_timeout=3).ping())
    except redis.RedisError:
        return False


#: Marker → what is looked for, and what to do when it isn't there.
SUITES: dict[str, tuple[Callable[[], bool], str]] = {
    "browser": (has_chromium, "no Chromium (apt-get install chromium)"),
    "postgres": (has_postgresql, "no PostgreSQL server (TEST_DATABASE_URL)"),
    "redis": (has_redis, "no Redis server (TEST_REDIS_URL)"),
}


@cache
def missing() -> dict[str, str]:
    """Return the suites that can't run here and nobody insists on, each with the reason."""
    required = {name.strip() for name in os.environ.get("REQUIRE_SUITES", "").split(",")}
    return {
        name: reason for name, (is_here, reason) in SUITES.items() if name not in required and not is_here()
    }
