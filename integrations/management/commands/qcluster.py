"""Run the workers alone, as django-q2 does; at TERM they end what they have begun."""

import os

from django_q.management.commands import qcluster

from integrations.queue.cluster import DrainingCluster


class Command(qcluster.Command):
    help = (
        "Run the queue's workers alone; `serve` runs them supervised. At TERM they end what they have begun."
    )

    def handle(self, *, run_once: bool = False, cluster_name: str | None = None, **_: object) -> None:
        if cluster_name:
            os.environ["Q_CLUSTER_NAME"] = cluster_name  # django-q2 reads it
        cluster = DrainingCluster()
        cluster.start()
        if run_once:
            cluster.stop()
