"""The file that tells researchers where to report a problem (RFC 9116)."""

from datetime import datetime, timedelta

from django.test import Client
from django.utils import timezone

ADDRESS = "/.well-known/security.txt"


def test_the_file_names_contact_end_and_its_own_address(settings) -> None:
    settings.SECURITY_CONTACT = "mailto:security@portal.example"
    settings.PORTAL_URL = "https://portal.example"
    answer = Client().get(ADDRESS)
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    assert fields["Contact"] == "mailto:security@portal.example"
    assert fields["Canonical"] == f"https://portal.example{ADDRESS}"
    assert fields["Expires"].endswith("Z")
    left = datetime.fromisoformat(fields["Expires"]) - timezone.now()
    assert timedelta(days=90) < left < timedelta(days=365)


def test_there_is_no_file_without_a_contact(settings) -> None:
    settings.SECURITY_CONTACT = ""
    assert Client().get(ADDRESS).status_code == 404


def test_it_is_only_read(settings) -> None:
    settings.SECURITY_CONTACT = "mailto:security@portal.example"
    assert Client().post(ADDRESS).status_code == 405
