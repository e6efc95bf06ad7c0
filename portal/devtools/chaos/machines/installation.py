"""What the run on several machines is run on: where each machine is, and what runs on it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from portal.devtools.chaos.machines import servers
from portal.devtools.chaos.machines.network import Machine, Network
from portal.devtools.chaos.machines.nodes import Node, Role
from portal.devtools.chaos.machines.servers import Databases
from portal.devtools.chaos.processes import Proxy
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import HOST

NETWORK = "PORTAL_CHAOS_NETWORK"
WEB, WORKERS, DATABASES, REDIS = (11, 12), (21, 22), (31, 32), 41


@dataclass(frozen=True)
class Installation:
    """The nodes and the servers."""

    web: list[Node]
    workers: list[Node]
    databases: Databases
    redis: Machine

    @property
    def nodes(self) -> list[Node]:
        """All nodes."""
        return [*self.web, *self.workers]


def variables(environment: DemoEnvironment) -> dict[str, str]:
    """Return the variables by which the portal's programs on all machines find the servers and platforms."""
    network = Network.free()
    lever, codescreen = (
        f"http://{network.address(1)}:{port}"
        for port in (environment.lever_port, environment.codescreen_port)
    )
    return {
        NETWORK: str(network.number),
        "DATABASE_URL": servers.database_url(network, *DATABASES),
        "REDIS_URL": servers.redis_url(network, REDIS),
        "LEVER_AUTH_URL": lever,
        "LEVER_API_URL": f"{lever}/v1",
        "CODESCREEN_API_URL": f"{codescreen}/api",
    }


@contextmanager
def installation(environment: DemoEnvironment) -> Iterator[Installation | None]:
    """Make the machines, with servers that run and nodes that don't yet; yield None in other runs. Raises RunFailed."""
    number = os.environ.get(NETWORK)
    if not number:
        yield None
        return
    with ExitStack() as stack:
        network = stack.enter_context(Network(int(number)))

        def machine(name: str, host: int) -> Machine:
            return stack.enter_context(Machine(network, name, host))

        # the platforms listen on this machine's loopback alone
        for port in (environment.lever_port, environment.codescreen_port):
            stack.enter_context(Proxy(port, (HOST, port), host=network.address(1)))
        redis = machine("redis", REDIS)
        stack.enter_context(servers.redis(redis))
        first, second = (machine(f"db-{number}", host) for number, host in enumerate(DATABASES, 1))
        yield Installation(
            web=[Node(machine(f"web-{number}", host), Role.WEB) for number, host in enumerate(WEB, 1)],
            workers=[
                Node(machine(f"workers-{number}", host), Role.WORKERS)
                for number, host in enumerate(WORKERS, 1)
            ],
            databases=stack.enter_context(Databases(network, first, second)),
            redis=redis,
        )
