"""Every kind of answer has every header, and every cookie its flags."""

from collections.abc import Callable
from http.cookies import Morsel
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client

from integrations.organizations.models.organization import Organization
from portal.middleware import HEADERS
from tests.support import factories, payloads
from tests.support.metrics import TOKEN


@pytest.fixture(autouse=True)
def _https(settings) -> None:
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 3600
    settings.METRICS_TOKEN = TOKEN


class Visitor:
    """Makes requests over HTTPS as somebody."""

    def __init__(self, user: User | None, organization: Organization) -> None:
        self.organization = organization
        self.client = Client(raise_request_exception=False)
        if user:
            self.client.force_login(user, backend="portal.accounts.backend.PasswordBackend")

    def get(self, path: str, **options) -> Any:
        return self.client.get(path, secure=True, **options)

    def post(self, path: str, data: object = None, **options) -> Any:
        return self.client.post(path, data, secure=True, **options)

    def send_webhook(self, token: str = factories.SIGNATURE_TOKEN) -> HttpResponse:
        body = payloads.sign(payloads.load("lever/candidate_stage_change"), token)
        path = f"/webhooks/lever/{self.organization.webhook_key}/"
        return self.post(path, body, content_type="application/json")


def _csrf_refusal(visitor: Visitor) -> Any:
    return Client(enforce_csrf_checks=True).post("/accounts/login/", secure=True)


def _sign_in(visitor: Visitor) -> HttpResponse:
    User.objects.create_user("someone", password="a-password-of-tests")
    return visitor.post("/accounts/login/", {"login": "someone", "password": "a-password-of-tests"})


def _failure(error: Exception) -> Callable[[Visitor], HttpResponse]:
    def request(visitor: Visitor) -> HttpResponse:
        with mock.patch("allauth.account.views.LoginView.get_context_data", side_effect=error):
            return visitor.get("/accounts/login/", headers={"Accept": "text/html"})

    return request


#: Who asks, the status, and the request.
KINDS: dict[str, tuple[str, int, Callable[[Visitor], HttpResponse]]] = {
    "page, signed in": ("owner", 200, lambda visitor: visitor.get("/settings/")),
    "sign-in": ("", 302, _sign_in),
    "400": ("", 400, lambda visitor: visitor.get("/accounts/login/", headers={"Host": "bad host"})),
    "403 of CSRF": ("", 403, _csrf_refusal),
    "413": ("", 413, lambda visitor: visitor.post("/accounts/login/", {"login": "x" * 600_000})),
    "500": ("", 500, _failure(ValueError())),
    "503": ("", 503, _failure(OperationalError())),
    "static file": ("", 200, lambda visitor: visitor.get("/static/portal.css")),
    "webhook 202": ("", 202, lambda visitor: visitor.send_webhook()),
    "webhook 401": ("", 401, lambda visitor: visitor.send_webhook("another")),
    "CSV export": ("owner", 200, lambda visitor: visitor.get("/audit/export/")),
    "probe, live": ("", 200, lambda visitor: visitor.get("/healthz/live")),
    "metrics": (
        "",
        200,
        lambda visitor: visitor.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_has_every_header_and_no_cookie_for_others(
    kind, ready_organization, super_admin
) -> None:
    who, status, make = KINDS[kind]
    answer = make(Visitor(super_admin if who == "owner" else None, ready_organization))
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert len(answer.headers["X-Request-ID"]) == 32
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert answer["Strict-Transport-Security"] == "max-age=3600"
    assert "Server" not in answer.headers
    is_public = kind == "static file"
    assert ("public" in answer["Cache-Control"]) is is_public
    assert ("no-store" in answer["Cache-Control"]) is not is_public
    for cookie in answer.cookies.values():
        assert_for_this_host_alone(cookie)
    assert ("__Host-sessionid" in answer.cookies) is (kind == "sign-in")
    answer.close()


def assert_for_this_host_alone(cookie: Morsel[str]) -> None:
    """Check the flags of a cookie."""
    assert cookie.key.startswith("__Host-")
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert cookie["secure"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_the_cookies_of_messages_and_of_the_time_zone_are_for_this_host_alone(super_admin) -> None:
    visitor = Visitor(super_admin, Organization.objects.get())
    visitor.client.cookies["__Host-time_zone"] = "Asia/Tokyo"
    visitor.client.cookies["time_zone"] = "Europe/Rome"  # as another host of the domain could set it
    answer = visitor.post("/account/e-mails/", {})
    assert {"__Host-messages"} <= answer.cookies.keys()
    page = visitor.get("/account/")
    assert "Your e-mails are saved." in page.content.decode()
    assert page.wsgi_request.time_zone == "Asia/Tokyo"


def test_without_https_browsers_are_not_told_to_insist_on_it() -> None:
    assert "Strict-Transport-Security" not in Client().get("/healthz/live").headers
