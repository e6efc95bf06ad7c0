"""Adding, testing and removing the addresses of alerts."""

import socket
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from integrations.audit.models.entry import AuditEntry
from integrations.notifications.acts import AddressSettings, add_address, remove_address, send_test
from integrations.notifications.models.preferences import AlertAddress
from integrations.outbox.models import Effect
from tests.support import factories
from tests.support.alert_receiver import receiving

PUBLIC = "https://1.1.1.1/services/T-SECRET-path"
HOSTILE = [
    "http://hooks.example/x",
    "https://127.0.0.1/x",
    "https://127.0.0.1:8443/x",
    "https://localhost/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0177.0.0.1/x",
    "https://127.1/x",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[::ffff:a00:1]/x",
    "https://[fe80::1]/x",
    "https://[fd00:ec2::254]/x",
    "https://[64:ff9b::a00:1]/x",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/x",
    "https://192.168.0.1/x",
    "https://172.16.0.1/x",
    "https://100.64.0.1/x",
    "https://224.0.0.1/x",
    "https://240.0.0.1/x",
    "https://0.0.0.0/x",
    "https://user:password@hooks.example/x",
    "https://hooks.example@127.0.0.1/x",
    "https://hooks.example:99999/x",
    "https://inside.example/x",
    "https://both.example/x",
    "https://unknown.example/x",
    "ftp://hooks.example/x",
    "file:///etc/passwd",
    "https://",
    "",
]


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Names that lead into a private network, with a public address beside it, and nowhere."""
    found: dict[str, list[str] | None] = {
        "inside.example": ["10.0.0.1"],
        "both.example": ["1.1.1.1", "10.0.0.1"],
        "unknown.example": None,
    }
    real = socket.getaddrinfo

    def look_up(host, port, *rest, **options):
        if host not in found:
            return real(host, port, *rest, **options)
        ips = found[host]
        if ips is None:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ips]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.fixture
def receiver(settings):
    settings.ALLOW_PRIVATE_ADDRESSES = True
    with receiving() as server:
        yield server


def room(**values: Any) -> AddressSettings:
    """Return what is entered of a new address."""
    return AddressSettings(**{"name": "Room", "url": PUBLIC, **values})


@pytest.mark.parametrize("url", HOSTILE)
def test_an_address_that_is_not_public_is_refused_at_its_field(organization, super_admin, url):
    with pytest.raises(ValidationError) as refused:
        add_address(organization, "slack", room(url=url), super_admin)
    assert list(refused.value.message_dict) == ["url"]
    assert not AlertAddress.objects.exists()


def test_an_address_is_stored_with_an_entry_without_its_secrets(organization, super_admin):
    address = add_address(organization, "signed", room(), super_admin)
    assert address.host == "1.1.1.1"
    assert address.secret.startswith("whsec_")
    [entry] = AuditEntry.objects.filter(action="add_alert_address").values()
    assert entry["changes"]["host"] == ["", "1.1.1.1"]
    assert "SECRET" not in str(entry)
    assert address.secret not in str(entry)


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        (room(name=""), "name"),
        (room(name="x" * 61), "name"),
        (room(wants_results=False, wants_held=False, wants_incidents=False), "wants_results"),
        (room(url=PUBLIC + "x" * 2000), "url"),
        (room(name="#hiring"), "name"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(organization, super_admin, wanted, where):
    factories.alert_address(organization)
    with pytest.raises(ValidationError) as refused:
        add_address(organization, "slack", wanted, super_admin)
    assert list(refused.value.message_dict) == [where]


def test_a_kind_that_is_not_known_is_refused_at_its_field(organization, super_admin):
    with pytest.raises(ValidationError) as refused:
        add_address(organization, "other", room(), super_admin)
    assert list(refused.value.message_dict) == ["kind"]


def test_a_sixth_address_is_refused(organization, super_admin):
    for number in range(5):
        factories.alert_address(organization, name=str(number))
    with pytest.raises(ValidationError, match="5 addresses"):
        add_address(organization, "slack", room(), super_admin)


def test_a_test_that_is_accepted_ends_a_stop_and_sends_what_failed(organization, super_admin, receiver):
    address = factories.alert_address(
        organization, url=receiver.url, host="127.0.0.1", stopped_at=factories.a_moment_ago()
    )
    failed = factories.EffectFactory.create(
        organization=organization,
        kind="send_alert",
        state="failed",
        due_at=None,
        opportunity_id="",
        payload={"address": address.pk, "type": "incident"},
    )
    assert send_test(address, super_admin) == ""
    assert "This is a test" in receiver.bodies[0]["text"]
    address.refresh_from_db()
    assert address.stopped_at is None
    failed.refresh_from_db()
    assert failed.state == "due"
    assert AuditEntry.objects.filter(action="test_alert_address").count() == 1


def test_a_test_that_is_refused_says_why_and_changes_no_stop(organization, super_admin, receiver):
    receiver.answers = [(404, {})]
    address = factories.alert_address(
        organization, url=receiver.url, host="127.0.0.1", stopped_at=factories.a_moment_ago()
    )
    assert send_test(address, super_admin) == "127.0.0.1 answered 404"
    address.refresh_from_db()
    assert address.stopped_at
    assert address.last_failure == "127.0.0.1 answered 404"


def test_what_a_removed_address_did_not_get_is_cancelled(organization, super_admin):
    address = factories.alert_address(organization)
    failed = factories.EffectFactory.create(
        organization=organization,
        kind="send_alert",
        state="failed",
        due_at=None,
        payload={"address": address.pk, "type": "incident"},
    )
    assert remove_address(address, super_admin)
    assert not remove_address(address, super_admin)
    failed.refresh_from_db()
    assert failed.state == Effect.State.CANCELLED
    assert AuditEntry.objects.filter(action="remove_alert_address").count() == 1
