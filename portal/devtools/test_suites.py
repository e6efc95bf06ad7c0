"""The test suites that need a browser, a server or a proxy, and whether it is there.

`tests/conftest.py` skips a suite, by its marker, when what it needs is missing. A suite named in REQUIRE_SUITES
(comma-separated) is never skipped: its tests fail instead. `manage.py test` lists the skipped suites at its end.
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
    """Return the path of the system's Chromium, None without one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def has_postgresql() -> bool:
    """Whether the PostgreSQL server of TEST_DATABASE_URL accepts a connection."""
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


#: By marker: whether the suite can run here, and what is missing if it can't.
SUITES: dict[str, tuple[Callable[[], object], str]] = {
    "browser": (chromium, "no Chromium (apt-get install chromium)"),
    "postgres": (has_postgresql, "no PostgreSQL server (TEST_DATABASE_URL)"),
    "redis": (has_redis, "no Redis server (TEST_REDIS_URL)"),
    "proxies": (
        lambda: shutil.which("nginx") and shutil.which("caddy"),
        "no nginx or no Caddy (apt-get install nginx caddy)",
    ),
    "promtool": (lambda: shutil.which("promtool"), "no promtool (apt-get install prometheus)"),
}


@cache
def missing() -> dict[str, str]:
    """Return the suites to skip, each with what is missing."""
    required = {name.strip() for name in os.environ.get("REQUIRE_SUITES", "").split(",")}
    return {
        name: reason for name, (is_here, reason) in SUITES.items() if name not in required and not is_here()
    }
