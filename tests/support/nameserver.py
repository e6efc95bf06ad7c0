"""A name server on a port of this machine: answers questions for TXT records from a dictionary."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest


class NameServer:
    """`records` has the texts of each name; a name that isn't there doesn't exist. Without `is_answering`, errors."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.is_answering = True
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))

    def serve(self) -> None:
        """Answer until the socket is closed."""
        while True:
            try:
                wire, sender = self.socket.recvfrom(4096)
            except OSError:
                return
            if not wire:
                return
            self.socket.sendto(self._answer(dns.message.from_wire(wire)).to_wire(), sender)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        name = query.question[0].name.to_text(omit_final_dot=True)
        if not self.is_answering:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in self.records:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif texts := self.records[name]:
            quoted = [f'"{text}"' for text in texts]
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "TXT", *quoted))
        return answer


@contextmanager
def serving_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """Let the portal's look-ups ask this server."""
    server = NameServer()
    address, port = server.socket.getsockname()

    def use_it(self: dns.resolver.Resolver, _: object) -> None:
        self.nameservers, self.port = [address], port

    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", use_it)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.socket.sendto(b"", server.socket.getsockname())
        thread.join()
        server.socket.close()
