"""Forms with files write nothing to the disk, from any sender and of any size."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.attacks.serving import ServedPortal, served_portal

MEGABYTES = 60


@pytest.fixture
def temporary_folder(settings, tmp_path: Path) -> Path:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    return tmp_path


def form(size: int) -> dict[str, object]:
    return {"username": "x", "file": SimpleUploadedFile("a.bin", b"x" * size)}


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/accounts/password/reset/", "/nothing/", "/admin/login/", "/settings/"]
)
@pytest.mark.parametrize("size", [1, 400_000])
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


@pytest.mark.parametrize("path", ["/accounts/login/", "/nothing/"])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("&".join(f"a{number}=1" for number in range(2000)), "application/x-www-form-urlencoded"),
        ("--x\r\nnonsense", "multipart/form-data; boundary=x"),
        ("nonsense", "multipart/form-data"),
        ("a=1", "multipart/form-data; boundary=\u00e9"),
    ],
)
def test_a_malformed_form_is_no_error_of_the_portal(db, path: str, body: str, content_type: str) -> None:
    answer = Client(enforce_csrf_checks=True).post(path, body, content_type=content_type)
    assert answer.status_code in {400, 403, 404}


def test_a_form_without_a_file_is_read_in_this_encoding_too(db) -> None:
    answer = Client().post("/accounts/login/", {"login": "nobody", "password": "wrong"})
    assert answer.status_code == 200


def test_what_is_too_large_is_refused_by_its_stated_size(db) -> None:
    answer = Client().generic("POST", "/accounts/login/", b"a=1", CONTENT_LENGTH="62914560")
    assert answer.status_code == 413
    assert "too much at once" in answer.content.decode()
    assert Client().generic("POST", "/accounts/login/", b"a=1", CONTENT_LENGTH="x").status_code == 200


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPortal]:
    with served_portal(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_flood_of_uploads_leaves_the_disk_alone(portal: ServedPortal, is_chunked: bool) -> None:
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {MEGABYTES * 2**20}"
    head = (
        "POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"{length}\r\n\r\n"
    ).encode()
    file = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    part = file + b"y" * (2**20 - len(file))
    part = f"{2**20:x}\r\n".encode() + part + b"\r\n" if is_chunked else part
    before = space_used(portal)
    with socket.create_connection(("127.0.0.1", portal.port), timeout=20) as client:
        client.sendall(head)
        try:
            for _ in range(MEGABYTES):
                client.sendall(part)
                assert not list(portal.temporary_folder.rglob("*upload*"))
            client.sendall(b"0\r\n\r\n" if is_chunked else b"")  # shut down for writing, it gets no answer
            assert client.recv(100).startswith(b"HTTP/1.1 413 ")
        except ConnectionError:
            pass  # the sender may be too slow to read the answer
    time.sleep(0.2)
    assert space_used(portal) - before < 2**20
    assert portal.status("/healthz/live", 2) == 200


def space_used(portal: ServedPortal) -> int:
    return sum(path.stat().st_size for path in portal.temporary_folder.rglob("*") if path.is_file())
