"""Ports for servers that start a moment later, claimed so that two runs at once don't choose the same one."""

import fcntl
import os
import socket
import tempfile
from pathlib import Path

HOST = "127.0.0.1"


def free_port() -> int:
    """Return a port that nothing listens on, and claim it."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        if claim_port(port):
            return port


def claim_port(port: int) -> bool:
    """Claim a port for this process, also after exec; False when it is in use or claimed by another run.

    The servers bind it only later: without the claim, two runs that start at once would both find it free.
    """
    lock = os.open(
        Path(tempfile.gettempdir()) / f"codescreen-lever-port-{port}.lock", os.O_CREAT | os.O_RDWR, 0o666
    )
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except OSError:
        os.close(lock)
        return False
    os.set_inheritable(lock, True)  # held until the process ends, which re-executes itself on the way
    return True
