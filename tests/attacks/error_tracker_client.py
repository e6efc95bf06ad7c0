# ruff: noqa: E402, G004 - Django is set up before its models are imported; other people's loggers fill texts in
"""Fails in many ways with secrets at hand; run by test_error_tracker.py in a process of its own.

The process has SENTRY_DSN, an empty database, and PLANTED, the text that every secret contains.
"""

import logging
import os
import subprocess
import sys
from unittest import mock

import django

django.setup()

import requests
import sentry_sdk
from allauth.account.views import PasswordResetFromKeyView
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.middleware.csrf import CsrfViewMiddleware
from django.test import Client as DjangoClient
from django.views.generic import View
from werkzeug.test import Client

from integrations.core import correlation
from integrations.pages.access import OrganizationMixin
from integrations.webhooks.views import WebhookView
from portal.process import startup

PLANTED = os.environ["PLANTED"]
FORM = {
    "username": f"user{PLANTED}",
    "password": f"password{PLANTED}",
    "password1": f"new{PLANTED}",
    "lever_signature_token": f"token{PLANTED}",
    "codescreen_api_key": f"key{PLANTED}",
    "codescreen_webhook_secret": f"whsec_{PLANTED}",
    "email": f"{PLANTED}@acme.example",
}
HEADERS = {
    "Authorization": f"Bearer {PLANTED}",
    "X-Forwarded-For": PLANTED,
    "Referer": f"http://127.0.0.1/accounts/password/reset/key/2-{PLANTED}/",
    "sentry-trace": "0123456789abcdef0123456789abcdef-0123456789abcdef-1",
    "baggage": f"sentry-transaction={PLANTED},sentry-user_id={PLANTED}",
}


class Broken(Exception):
    pass


def fail(*args: object, **kwargs: object) -> None:
    """Raise an exception whose message, cause, notes and local variables hold the secret."""
    secret = f"local-{PLANTED}"
    try:
        int(secret)
    except ValueError as cause:
        error = Broken(f"cannot use {secret}", {"api_key": secret})
        error.add_note(f"note {secret}")
        raise error from cause


def leave_breadcrumbs() -> None:
    """Call, log and run things whose addresses, messages and arguments hold the secret."""
    logging.getLogger("integrations.test").warning("told %s", PLANTED, extra={"detail": PLANTED})
    requests.get(f"{os.environ['SINK']}/v1/opportunities?email={PLANTED}", headers=HEADERS, timeout=30)
    subprocess.run([sys.executable, "-c", "", PLANTED], check=True, env={**os.environ, "KEY": PLANTED})
    list(User.objects.filter(email=PLANTED))
    sentry_sdk.set_user({"id": PLANTED, "email": f"{PLANTED}@acme.example"})
    sentry_sdk.set_tag("planted", PLANTED)
    sentry_sdk.set_context("planted", {"key": PLANTED})


settings.MIGRATION_MODULES = {
    app.label: None for app in apps.get_app_configs()
}  # the tables alone, in little time
call_command("migrate", run_syncdb=True, verbosity=0)
startup.collect_static()
user = User.objects.create_user(f"name{PLANTED}", f"{PLANTED}@acme.example", f"password{PLANTED}")
signed_in = DjangoClient()
signed_in.force_login(user, backend="portal.accounts.backend.PasswordBackend")
session_key = signed_in.session.session_key or ""
UserSession.objects.create(user=user, session_key=session_key, ip="127.0.0.1")
client = Client(get_wsgi_application())
client.set_cookie("sessionid", session_key)
client.set_cookie("planted", PLANTED)

leave_breadcrumbs()
with (
    mock.patch.object(View, "dispatch", fail),
    mock.patch.object(WebhookView, "dispatch", fail),
    mock.patch.object(OrganizationMixin, "dispatch", fail),
    mock.patch.object(PasswordResetFromKeyView, "dispatch", fail),
    mock.patch.object(CsrfViewMiddleware, "_check_token"),
):
    for address in (
        f"/settings/?code={PLANTED}&state={PLANTED}",
        f"/unsubscribe/{PLANTED}/",
        f"/accounts/password/reset/key/2-{PLANTED}/",
        f"/activity/{PLANTED}/",
        f"/webhooks/lever/{PLANTED}/",
    ):
        client.get(address, headers=HEADERS)
        client.post(address, data=FORM, headers=HEADERS)
        client.post(
            address,
            headers=HEADERS,
            data=f'{{"token": "{PLANTED}", "data": {{}}}}',
            content_type="application/json",
        )
with mock.patch(
    "django.contrib.sessions.backends.base.SessionBase.__init__", fail
):  # before the address is resolved
    client.post(f"/oauth/complete/lever/?code={PLANTED}&state={PLANTED}", data=FORM)
    client.post(f"/webhooks/codescreen/{PLANTED}/", data=f'"{PLANTED}"', content_type="application/json")
client.get("/accounts/login/", headers={"Host": f"{PLANTED}.example"})

with correlation.use("delivery-17"):
    logging.getLogger("integrations.test").error("effect %s crashed\n%s", PLANTED, PLANTED)
logging.getLogger("django-q").error(f"Failed task - {PLANTED}")
sentry_sdk.capture_message(f"free text {PLANTED}")
sentry_sdk.flush(10)
