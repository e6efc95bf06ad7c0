"""Connections to the platforms stay open between calls; none serves two customers, and none is used too late."""

import multiprocessing
import ssl

import pytest

from integrations.http import connections, deadlines
from integrations.http.session import PlatformError, PlatformSession
from portal.devtools.certificates import write_certificate
from portal.devtools.processes import wait_until
from tests.http.keep_alive_server import KeepAliveServer


@pytest.fixture(autouse=True)
def _no_connections():
    connections.forget_sessions()
    yield
    connections.forget_sessions()


@pytest.fixture
def server():
    """A platform that keeps connections open."""
    with KeepAliveServer() as running:
        yield running


def call(server, method="GET", customer=1, path="/things"):
    """Make one call by a client of its own, as each step does."""
    session = PlatformSession("lever", server.url, customer=customer)
    return session.request(method, path, headers={"Authorization": f"Bearer token-of-{customer}"})


# one connection for many calls


def test_the_calls_of_many_steps_share_one_connection(server):
    for number in range(20):
        call(server, "POST" if number % 2 else "GET")
    assert [len(seen.methods) for seen in server.connections] == [20]


def test_a_connection_serves_one_customer_alone(server):
    for number in range(12):
        call(server, customer=number % 3)
    assert sorted(seen.authorizations for seen in server.connections) == [
        {"Bearer token-of-0"},
        {"Bearer token-of-1"},
        {"Bearer token-of-2"},
    ]


def test_no_cookies_are_kept(server):
    server.headers["Set-Cookie"] = "session=of-the-former-account; Path=/"
    call(server)
    call(server)
    assert [seen.cookies for seen in server.connections] == [["", ""]]


def test_a_forked_process_opens_connections_of_its_own(server):
    call(server)
    process = multiprocessing.get_context("fork").Process(target=call, args=(server,))
    process.start()
    process.join(30)
    assert process.exitcode == 0
    call(server)
    assert [len(seen.methods) for seen in server.connections] == [2, 1]


# a connection that the platform closes


def test_a_read_is_repeated_when_the_platform_closes_the_kept_connection(server):
    call(server)
    server.answers_on_each = 1
    assert call(server) == "/things"
    assert [seen.methods for seen in server.connections] == [["GET", "GET"], ["GET"]]


def test_a_read_is_repeated_once_alone(server):
    server.answers_on_each = 0
    with pytest.raises(PlatformError):
        call(server)
    assert [seen.methods for seen in server.connections] == [["GET"], ["GET"]]


def test_a_write_is_ambiguous_and_not_repeated_when_the_platform_closes_the_kept_connection(server):
    call(server)
    server.answers_on_each = 1
    with pytest.raises(PlatformError) as raised:
        call(server, "POST")
    assert raised.value.ambiguous
    assert [seen.methods for seen in server.connections] == [["GET", "POST"]]


def test_a_write_gets_a_new_connection_when_the_platform_has_closed_the_kept_one(server):
    call(server)
    server.close_connections()
    wait_until(lambda: server.open_connections == 0, 5, "the connection stays open")
    call(server, "POST")
    assert [seen.methods for seen in server.connections] == [["GET"], ["POST"]]


def test_a_write_gets_a_new_connection_when_the_kept_one_was_at_rest(server, monkeypatch):
    monkeypatch.setattr(deadlines, "REST_SECONDS_FOR_WRITES", 0.0)
    call(server)
    call(server)
    call(server, "POST")
    assert [seen.methods for seen in server.connections] == [["GET", "GET"], ["POST"]]


def test_few_connections_stay_open_when_there_are_many_customers(server):
    for customer in range(connections.MOST_SESSIONS + 10):
        call(server, customer=customer)
    wait_until(lambda: server.open_connections == connections.MOST_SESSIONS, 5, "they stay open")


# TLS


@pytest.fixture
def tls_server(tmp_path):
    """The platform over TLS, with a certificate that signs itself and its key in the same file."""
    path = tmp_path / "localhost.pem"
    write_certificate(path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with KeepAliveServer(context) as running:
        yield running


def test_a_call_is_refused_when_the_certificate_is_not_trusted(tls_server):
    with pytest.raises(PlatformError) as raised:
        call(tls_server, "POST")
    assert not raised.value.ambiguous
    assert not any(seen.methods for seen in tls_server.connections)
    assert connections.tls_context().check_hostname
