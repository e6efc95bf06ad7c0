"""Bodies that cost: of very many values they are refused before they are decoded, and files are dropped unread."""

import json
from pathlib import Path
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.exceptions import ParseError

from integrations.webhooks.views import MOST_SEPARATORS, parse

# a body that nobody has signed


@pytest.mark.parametrize("part", ["{}", "[]", '{"a":1}', "1", '""'])
def test_a_body_of_very_many_values_is_not_decoded(part):
    body = f'{{"data": [{",".join([part] * MOST_SEPARATORS)}]}}'.encode()
    with mock.patch("integrations.webhooks.views.json.loads") as loads, pytest.raises(ParseError):
        parse(body)
    assert not loads.called


def test_a_body_full_of_prose_is_decoded():
    text = "A sentence of some length, as people write it: with a comma and a colon. " * 3400
    body = json.dumps({"data": {"comment": text}}).encode()
    assert 230_000 < len(body) < 256 * 1024
    assert parse(body)["data"]["comment"] == text


# forms with files write nothing to the disk, from any sender and of any size


@pytest.fixture
def temporary_folder(settings, tmp_path: Path) -> Path:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    return tmp_path


def form(size: int) -> dict[str, object]:
    return {"username": "x", "file": SimpleUploadedFile("a.bin", b"x" * size)}


@pytest.mark.parametrize(
    ("path", "size"), [("/accounts/login/", 1), ("/nothing/", 400_000), ("/admin/login/", 400_000)]
)
def test_a_file_of_a_stranger_is_dropped_unread(
    db, temporary_folder: Path, monkeypatch: pytest.MonkeyPatch, path: str, size: int
) -> None:
    monkeypatch.setattr("tempfile._TemporaryFileCloser", None)  # to make a temporary file fails
    client = Client(enforce_csrf_checks=True)
    assert client.post(path, form(size)).status_code in {403, 404}
    client.get("/accounts/login/")  # for the cookie, with which the form is read to compare the token
    assert client.post(path, form(size)).status_code in {403, 404}
    assert list(temporary_folder.iterdir()) == []


def test_a_file_of_a_member_is_dropped_too(super_admin_client: Client, temporary_folder: Path) -> None:
    assert super_admin_client.post("/settings/", form(5000)).status_code < 500
    assert list(temporary_folder.iterdir()) == []


def test_what_is_too_large_is_refused_by_its_stated_size(db) -> None:
    answer = Client().generic("POST", "/accounts/login/", b"a=1", CONTENT_LENGTH="62914560")
    assert answer.status_code == 413
    assert "too much at once" in answer.content.decode()
    assert Client().generic("POST", "/accounts/login/", b"a=1", CONTENT_LENGTH="x").status_code == 200
