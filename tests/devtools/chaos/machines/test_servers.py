"""The two database servers of the run on several machines."""

from contextlib import ExitStack

import psycopg
import pytest

from portal.devtools.chaos.machines.network import Machine, Network
from portal.devtools.chaos.machines.servers import Databases, database_url

pytestmark = [pytest.mark.machines, pytest.mark.slow]


def test_what_was_committed_is_there_after_the_primary_was_lost_and_again_when_the_other_is() -> None:
    with ExitStack() as stack:
        network = stack.enter_context(Network.free())
        first, second = (stack.enter_context(Machine(network, f"db-{host}", host)) for host in (31, 32))
        databases = stack.enter_context(Databases(network, first, second))
        url = f"{database_url(network, 31, 32)}&connect_timeout=3"

        def rows() -> list[tuple[int]]:
            with psycopg.connect(url) as connection:
                return connection.execute("SELECT number FROM kept ORDER BY 1").fetchall()

        for number, table in enumerate(("CREATE TABLE kept (number int)", "SELECT 1")):
            with psycopg.connect(url) as connection:
                connection.execute(table)
                connection.execute("INSERT INTO kept VALUES (%s)", [number])
            databases.lose_primary()
            databases.promote()
            databases.rejoin()
            assert rows() == [(one,) for one in range(number + 1)]
        assert databases.primary.machine is first
