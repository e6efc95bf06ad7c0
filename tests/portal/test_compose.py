"""The services of compose.yaml and systemd: no password that everybody knows, and nothing more than each needs."""

import re
from configparser import ConfigParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from django.conf import settings

from portal.process.supervisor import STOP_SECONDS

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "compose.yaml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]


def test_no_variable_has_a_default_that_is_a_password() -> None:
    assert re.findall(r"\$\{\w*PASSWORD:-", COMPOSE) == []


def test_database_and_redis_want_a_password_and_say_where_to_set_it() -> None:
    for name in ("POSTGRES_OWNER_PASSWORD", "POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert f"${{{name}:?Set {name} in .env}}" in COMPOSE
    assert "requirepass" in COMPOSE


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_writes_nowhere_but_where_it_must_and_has_no_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "cap_add" not in service
    assert "build" in service or service["user"] != "root"


def test_the_portal_is_neither_superuser_nor_owner_and_does_not_know_the_owners_password() -> None:
    portal, migrate = (SERVICES[name]["environment"] for name in ("web", "migrate"))
    users = [urlsplit(one["DATABASE_URL"].partition(":$")[0]).netloc for one in (portal, migrate)]
    assert users == ["portal", "portal_owner"]
    assert portal["POSTGRES_OWNER_PASSWORD"] == ""
    for name in ("web", "workers"):
        assert SERVICES[name]["environment"] == portal
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_services_that_serve_have_time_to_end_what_they_have_begun() -> None:
    unit = ConfigParser(interpolation=None)
    unit.read(ROOT / "portal" / "docs" / "operating" / "portal@.service")
    service = unit["Service"]
    assert service["ExecStart"].endswith(" manage.py serve --%i")
    assert service["KillMode"] == "mixed"  # TERM for the supervisor alone
    seconds = [service["TimeoutStopSec"], *(SERVICES[one]["stop_grace_period"] for one in ("web", "workers"))]
    longest = settings.LONGEST_DRAIN_SECONDS + STOP_SECONDS + 3
    assert all(int(one.removesuffix("s")) > longest for one in seconds)


def test_the_role_that_serves_gets_rows_alone() -> None:
    roles = (ROOT / "postgresql-roles.sql").read_text()
    granted = re.findall(r"GRANT ([A-Z, ]+?) ON (?:SCHEMA public|TABLES|SEQUENCES) TO portal;", roles)
    assert granted == ["USAGE", "SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT"]
    assert "SUPERUSER" not in roles
    assert "OWNER TO portal;" not in roles
