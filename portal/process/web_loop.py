"""Waits for what arrives on the web server's connections, at a cost that doesn't grow with those at rest.

waitress' own loop asks every connection what it waits for, before each wait, and each request's end wakes it to ask
again. Here the kernel remembers that (Linux' epoll): a connection is watched until its next event, and then again from
the moment at which it waits for something, by whichever thread ended its request.
"""

import select
from collections import deque
from contextlib import suppress

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.wasyncore import dispatcher as Item  # noqa: N812 - a socket that dispatches its own events

_TO_READ = select.POLLIN | select.POLLPRI


class EpollLoop(dict[int, Item]):
    """waitress' map of open descriptors, each of which is watched."""

    def __init__(self) -> None:
        super().__init__()
        self._epoll = select.epoll()
        #: Listening sockets, and what wakes the loop.
        self._always_watched: dict[int, Item] = {}
        self._changed: deque[HTTPChannel] = deque()

    def __setitem__(self, descriptor: int, item: Item) -> None:
        """Watch a new descriptor."""
        super().__setitem__(descriptor, item)
        if isinstance(item, HTTPChannel):
            self._epoll.register(descriptor, _TO_READ | select.EPOLLONESHOT)
        else:
            self._always_watched[descriptor] = item
            self._epoll.register(descriptor, _TO_READ)

    def __delitem__(self, descriptor: int) -> None:
        """Forget a descriptor before it is closed."""
        super().__delitem__(descriptor)
        self._always_watched.pop(descriptor, None)
        self._epoll.unregister(descriptor)

    def run_once(self, seconds: float) -> None:
        """Wait so many seconds for events, and handle those that there are."""
        for item in self._always_watched.values():
            item.readable()  # when it is asked, a server closes what is overdue
        while self._changed:
            self._watch(self._changed.popleft())
        for descriptor, events in self._epoll.poll(seconds):
            found = self.get(descriptor)
            if found is None:
                continue  # closed by an event before
            wasyncore.readwrite(found, events)
            if isinstance(found, HTTPChannel):
                self._watch(found)

    def take_back(self, channel: HTTPChannel) -> bool:
        """Watch for a connection's next request. Return False when there is more to do: then the loop must be woken.

        Called by the thread that serves the connection.
        """
        if not channel.requests and channel.readable():
            self._watch(channel)
            return True
        self._changed.append(channel)
        return False

    def _watch(self, channel: HTTPChannel) -> None:
        """Watch for the next event that the connection waits for; while it is served it may wait for none."""
        events = (_TO_READ if channel.readable() else 0) | (select.POLLOUT if channel.writable() else 0)
        descriptor = channel._fileno
        if events and descriptor is not None:
            with suppress(OSError):  # another thread is closing it
                self._epoll.modify(descriptor, events | select.EPOLLONESHOT)


class PollLoop(dict[int, Item]):
    """The same by waitress' own loop, for machines without epoll."""

    def run_once(self, seconds: float) -> None:
        """Wait so many seconds for events, and handle those that there are."""
        wasyncore.loop(timeout=seconds, use_poll=True, map=self, count=1)

    def take_back(self, channel: HTTPChannel) -> bool:
        """Return False: the loop is woken after each request."""
        return False


type WebLoop = EpollLoop | PollLoop


def new_loop() -> WebLoop:
    """Return a loop as the machine has it."""
    return EpollLoop() if hasattr(select, "epoll") else PollLoop()
