"""Forms with files write nothing to the disk, from any sender and of any size."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client


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
