"""A NUL character is answered 400 wherever it stands: on PostgreSQL a query with one would fail."""

import pytest
from django.test import Client
from django.urls import reverse

PATHS = [
    "/activity/a%00b/",
    "/activity/?q=a%00b",
    "/mappings/?%00=a",
]


@pytest.mark.parametrize("path", PATHS)
def test_nul_in_an_address_is_a_malformed_request(super_admin_client, path) -> None:
    answer = super_admin_client.get(path)
    assert answer.status_code == 400
    assert "can't be read" in answer.content.decode()


@pytest.mark.parametrize("data", [{"organization": "a\x00b"}, {"a\x00": "b"}, {"next": ["/", "/\x00"]}])
def test_nul_in_a_form_is_a_malformed_request(super_admin_client, data) -> None:
    assert super_admin_client.post(reverse("rules"), data).status_code == 400


def test_every_other_control_character_is_taken(super_admin_client, db) -> None:
    assert super_admin_client.get("/activity/", {"q": "".join(map(chr, range(1, 32)))}).status_code == 200
    assert Client().post("/accounts/login/", {"login": "\x01\x7f", "password": "\x1f"}).status_code == 200
