"""The services of compose.yaml have no password that everybody knows."""

import re
from pathlib import Path

COMPOSE = (Path(__file__).resolve().parents[2] / "compose.yaml").read_text()


def test_no_variable_has_a_default_that_is_a_password() -> None:
    assert re.findall(r"\$\{\w*PASSWORD:-", COMPOSE) == []


def test_database_and_redis_want_a_password_and_say_where_to_set_it() -> None:
    for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert f"${{{name}:?Set {name} in .env}}" in COMPOSE
    assert "requirepass" in COMPOSE
