from multiprocessing import Process
from uuid import UUID

from django_q.brokers import Broker

class Cluster:
    sentinel: Process
    def start(self) -> int: ...
    def stop(self) -> bool: ...

class Sentinel:
    def __init__(
        self, stop_event: object, start_event: object, cluster_id: UUID, broker: Broker, *, start: bool
    ) -> None: ...
    def guard(self) -> None: ...
