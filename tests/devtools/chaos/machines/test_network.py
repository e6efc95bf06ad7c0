"""Machines are network namespaces, which are killed, frozen and cut off."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from portal.devtools.chaos.machines.network import Machine, Network
from portal.devtools.processes import wait_until

pytestmark = [pytest.mark.machines, pytest.mark.slow]

PORT = 8000
ECHO = f"""
import socket, sys
with socket.create_server(("", {PORT})) as server:
    while True:
        connection, _ = server.accept()
        connection.sendall(connection.recv(1))
"""


@pytest.fixture
def machines() -> Iterator[list[Machine]]:
    with ExitStack() as stack:
        network = stack.enter_context(Network.free())
        made = [stack.enter_context(Machine(network, name, host)) for name, host in (("a", 11), ("b", 12))]
        for machine in made:
            machine.start([sys.executable, "-c", ECHO])
            wait_until(partial(answers, machine), 20, "it doesn't listen")
        yield made


def answers(machine: Machine) -> bool:
    try:
        with socket.create_connection((machine.address, PORT), timeout=1) as connection:
            connection.sendall(b"x")
            return connection.recv(1) == b"x"
    except OSError:
        return False


def test_what_runs_in_one_is_killed_alone(machines: list[Machine]) -> None:
    killed, other = machines
    killed.kill()
    assert not killed.processes()
    assert not answers(killed)
    assert answers(other)


def test_a_frozen_one_accepts_and_says_nothing_until_it_is_thawed(machines: list[Machine]) -> None:
    machine, _ = machines
    machine.freeze()
    with socket.create_connection((machine.address, PORT), timeout=1) as connection:
        connection.sendall(b"x")
        with pytest.raises(TimeoutError):
            connection.recv(1)
        machine.thaw()
        assert connection.recv(1) == b"x"


def test_an_unplugged_one_is_silent_and_works_on(machines: list[Machine]) -> None:
    machine, other = machines
    machine.unplug()
    assert machine.processes()
    assert not answers(machine)
    assert answers(other)
    machine.plug_in()
    wait_until(lambda: answers(machine), 20, "it stays away")


def test_a_machine_reaches_another_by_its_address(machines: list[Machine]) -> None:
    one, other = machines
    ask = f"import socket; socket.create_connection(('{other.address}', {PORT}), timeout=5)"
    one.run([sys.executable, "-c", ask])
