"""Whether the workers make progress, by node and process."""

import os
import socket
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

#: The rows of processes that have been gone for so long are removed.
KEPT_FOR = timedelta(minutes=15)


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    """Heartbeats of processes."""

    def newest_by_node(self) -> dict[str, datetime]:
        """Return when any process of each node last made progress; of nodes that did so not too long ago."""
        newest = self.fresh(KEPT_FOR).order_by("node").values_list("node").annotate(models.Max("at"))
        return {node: at for node, at in newest if at is not None}

    def fresh(self, within: timedelta, node: str = "") -> Self:
        """Heartbeats of that node, or of any, within that time by the database's clock."""
        fresh = self.filter(at__gte=Now() - within)
        return fresh.filter(node=node) if node else fresh


class Heartbeat(models.Model):
    """When a worker process of a node last made progress."""

    node = models.CharField(max_length=120)
    process = models.PositiveIntegerField()
    started_at = models.DateTimeField(db_default=Now())
    at = models.DateTimeField(db_default=Now())

    objects = HeartbeatQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["node", "process"], name="heartbeat_unique"),)

    def __str__(self) -> str:
        return f"{self.node}, process {self.process}"

    @classmethod
    def beat(cls) -> None:
        """Record that this process makes progress now, by the database's clock; a new one removes old rows.

        The supervisor is told first: a database that is away is no reason to replace the workers.
        """
        cls.tell_supervisor()
        node, process = settings.NODE, os.getpid()
        if cls.objects.filter(node=node, process=process).update(at=Now()):
            return
        cls.objects.filter(at__lt=Now() - KEPT_FOR).delete()
        Heartbeat.objects.bulk_create([Heartbeat(node=node, process=process)], ignore_conflicts=True)

    @staticmethod
    def tell_supervisor() -> None:
        """Tell whoever started this process, as systemd wants it, that no worker is frozen."""
        if address := os.environ.get("NOTIFY_SOCKET"):
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as words:
                words.sendto(b"WATCHDOG=1", socket.MSG_DONTWAIT, address.replace("@", "\0", 1))

    @classmethod
    def remove_ended(cls) -> None:
        """Remove the rows of this node's processes that have ended, so that nobody takes them for stuck ones."""
        rows = cls.objects.filter(node=settings.NODE)
        rows.filter(
            process__in=[pid for pid in rows.values_list("process", flat=True) if not _runs(pid)]
        ).delete()

    @classmethod
    def is_fresh(cls, within: timedelta, node: str = "") -> bool:
        """Whether a process of that node, or of any, made progress within that time."""
        return cls.objects.fresh(within, node).exists()


def _runs(pid: int) -> bool:
    """Whether a process of this machine exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
