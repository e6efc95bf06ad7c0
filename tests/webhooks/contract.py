"""The contract that both webhook endpoints fulfil; a platform's tests inherit it and sign as that platform does."""

import json
from typing import Any, ClassVar
from unittest import mock

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import UnreadablePostError
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings

from integrations.audit.models.entry import AuditEntry
from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization
from integrations.webhooks import authentication
from tests.support.append_only import lifted
from tests.support.factories import OrganizationFactory
from tests.webhooks.hostile_bodies import HOSTILE_BODIES, HOSTILE_VALUES, JSON_VALUES

JSON = "application/json"
MAX_BYTES = 256 * 1024

#: Hypothesis runs its examples inside one test's transaction: nothing that is stored leaks into the next test.
EXAMPLES = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.differing_executors,  # each platform's class runs the inherited test
        HealthCheck.too_slow,
    ],
)


class WebhookContract:
    """What the endpoints promise to any sender. Subclasses name the endpoint and sign."""

    url_name: ClassVar[str]
    secret: ClassVar[str]
    other_secret: ClassVar[str]
    #: The field that names the event.
    event_field: ClassVar[str]
    #: The fields that are read, and values of a wrong type for each: path → values.
    wrong_types: ClassVar[dict[str, list[Any]]]
    #: The status of an unparsable unsigned body: Lever's signature is in the body, CodeScreen's in the headers.
    unparsable_unsigned: ClassVar[int]

    # what a platform's tests define

    def accept(self, organization: Organization, secret: str) -> None:
        """Store a secret."""
        raise NotImplementedError

    def payload(self, **changes: Any) -> dict[str, Any]:
        """Return a delivery, new each time."""
        raise NotImplementedError

    def signed(self, payload: dict[str, Any], secret: str = "") -> tuple[bytes, dict[str, str]]:
        """Return the body and headers of a signed request."""
        raise NotImplementedError

    def signed_text(self, member: str) -> tuple[bytes, dict[str, str]]:
        """Return a signed request whose body holds `"extra": <member>`, written as given."""
        raise NotImplementedError

    def signed_body(self, body: bytes) -> tuple[bytes, dict[str, str]]:
        """Return a request with this very body, signed if the platform can sign any body."""
        raise NotImplementedError

    def tampered(self) -> dict[str, tuple[bytes, dict[str, str]]]:
        """Return requests whose signature is wrong, by what is wrong with it."""
        raise NotImplementedError

    # how a request is made

    @pytest.fixture
    def endpoint(self, organization: Organization) -> str:
        """The address of an organization that has stored its secret."""
        self.accept(organization, self.secret)
        return reverse(self.url_name, args=[organization.webhook_key])

    @pytest.fixture
    def sender(self) -> Client:
        """A client without a session, for which CSRF is enforced."""
        return Client(enforce_csrf_checks=True)

    def send(self, sender: Client, endpoint: str, request: tuple[bytes, dict[str, str]], **more: Any) -> Any:
        """Post a request."""
        body, headers = request
        content_type = more.pop("content_type", JSON)
        # the client leaves the type out of a request without a body
        return sender.generic(
            "POST", endpoint, body, content_type, headers=headers, CONTENT_TYPE=content_type, **more
        )

    # accepting

    def test_the_address_that_is_shown_is_the_endpoint(self, sender, endpoint, organization):
        shown = {
            "lever-webhook": organization.lever_webhook_url,
            "codescreen-webhook": organization.codescreen_webhook_url,
        }
        address = shown[self.url_name].removeprefix("http://testserver")
        assert address.endswith("/")
        for form in (address, address.removesuffix("/")):
            assert self.send(sender, form, self.signed(self.payload())).status_code == 202

    def test_the_openapi_document_describes_the_endpoint_and_every_status(self, sender, endpoint):
        paths = sender.get("/api/v1/schema/").json()["paths"].values()
        described = {one["operationId"]: one for methods in paths for one in methods.values()}
        one = described[self.url_name.replace("-", "_")]
        assert set(one["responses"]) == {"200", "202", "400", "401", "404", "405", "413", "415", "503"}
        assert list(one["requestBody"]["content"]) == [JSON]

    def test_a_signed_request_is_stored_and_answered_202(self, sender, endpoint, organization):
        answer = self.send(sender, endpoint, self.signed(self.payload()))
        assert (answer.status_code, answer.json()) == (202, {})
        assert answer["Content-Type"].startswith(JSON)
        assert not answer.cookies
        delivery = Delivery.objects.get()
        assert delivery.organization == organization
        assert delivery.verdict == ""
        assert delivery.due_at is not None

    def test_a_repeated_request_is_stored_once(self, sender, endpoint):
        request = self.signed(self.payload())
        answers = [self.send(sender, endpoint, request).status_code for _ in range(3)]
        assert answers == [202, 200, 200]
        assert Delivery.objects.get().repeats == 2

    @pytest.mark.parametrize("accept", ["text/html", "image/png", "application/xml;q=0.5", "nonsense"])
    def test_any_accept_header_is_answered(self, sender, endpoint, accept):
        body, headers = self.signed(self.payload())
        assert self.send(sender, endpoint, (body, headers | {"Accept": accept})).status_code == 202

    def test_what_a_later_version_may_send_is_stored(self, sender, endpoint):
        event = self.signed(self.payload(**{self.event_field: "somethingNew.of_tomorrow"}))
        assert self.send(sender, endpoint, event).status_code == 202
        assert Delivery.objects.get().event == "somethingNew.of_tomorrow"
        field = self.signed(self.payload(new_field={"of": ["tomorrow", 1, None, True, 1.5]}))
        for request in (field, self.signed_text("[" * 99 + "]" * 99)):
            assert self.send(sender, endpoint, request).status_code == 202

    # refusing: which address, how, how much, of what kind

    @pytest.mark.parametrize("method", ["POST", "GET", "HEAD", "OPTIONS", "PUT"])
    def test_an_unknown_key_is_404_whatever_is_sent(self, sender, endpoint, method):
        address = reverse(self.url_name, args=["nobody-has-this-key"])
        answer = sender.generic(method, address, b"x" * (MAX_BYTES + 1), "text/plain")
        assert answer.status_code == 404
        assert Delivery.objects.count() == 0

    @pytest.mark.parametrize(
        "method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"]
    )
    def test_other_methods_are_405(self, sender, endpoint, method):
        body, headers = self.signed(self.payload())
        for content_type, content in ((JSON, body), ("text/plain", b"x" * (MAX_BYTES + 1))):
            answer = sender.generic(method, endpoint, content, content_type, headers=headers)
            assert answer.status_code == 405
            assert answer["Allow"] == "POST"
        assert Delivery.objects.count() == 0

    def test_over_256_kib_is_413_before_its_type_and_signature_are_read(self, sender, endpoint):
        body, headers = self.signed(self.payload(filler="x" * MAX_BYTES))
        for content_type in (JSON, "text/plain", ""):
            answer = self.send(sender, endpoint, (body, headers), content_type=content_type)
            assert answer.status_code == 413
        assert self.send(sender, endpoint, (b"[" * (MAX_BYTES + 1), {})).status_code == 413
        assert Delivery.objects.count() == 0

    def test_256_kib_to_the_byte_is_accepted(self, sender, endpoint):
        payload = self.payload(filler="")
        room = MAX_BYTES - len(self.signed(payload)[0])
        request = self.signed(payload | {"filler": "x" * room})
        assert len(request[0]) == MAX_BYTES
        assert self.send(sender, endpoint, request).status_code == 202

    @pytest.mark.parametrize(
        "content_type",
        [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json5",
            "multipart/form-data; boundary=x",
            *(
                f"application/json; charset={charset}"
                for charset in ("klingon", "latin-1", "utf-16", "utf-8-sig", '"ascii"', "")
            ),
        ],
    )
    def test_another_type_or_charset_is_415_before_body_and_signature_are_read(
        self, sender, endpoint, content_type
    ):
        for request in (self.signed(self.payload()), (b"not json", {}), (b"", {})):
            assert self.send(sender, endpoint, request, content_type=content_type).status_code == 415
        assert Delivery.objects.count() == 0

    @pytest.mark.parametrize(
        "content_type",
        [
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=utf8",
            'application/json;charset="UTF-8"',
            "application/json;CHARSET='UTF8'",
            "application/json;version=1",
        ],
    )
    def test_json_in_utf8_is_accepted_however_it_is_spelled(self, sender, endpoint, content_type):
        answer = self.send(sender, endpoint, self.signed(self.payload()), content_type=content_type)
        assert answer.status_code == 202

    # refusing: who sent it

    def test_a_wrong_signature_is_401_with_a_code_that_reveals_nothing(self, sender, endpoint, organization):
        for name, request in self.tampered().items():
            answer = self.send(sender, endpoint, request)
            assert answer.status_code == 401, name
            assert answer["WWW-Authenticate"]
            assert answer.json()["code"] in {
                "signature_missing",
                "signature_malformed",
                "signature_mismatch",
            }, name
            assert set(answer.json()) == {"detail", "code"}
            assert self.secret not in answer.content.decode()
            assert organization.webhook_key not in answer.content.decode()
        assert Delivery.objects.count() == 0

    def test_without_a_stored_secret_everything_is_401(self, sender, organization):
        self.accept(organization, "")
        endpoint = reverse(self.url_name, args=[organization.webhook_key])
        answer = self.send(sender, endpoint, self.signed(self.payload()))
        assert answer.status_code == 401
        assert answer.json()["code"] in {"no_signature_token", "no_webhook_secret"}
        for name, request in self.tampered().items():  # one is signed with an empty secret
            assert self.send(sender, endpoint, request).status_code == 401, name
        assert Delivery.objects.count() == 0

    def test_another_organizations_secret_verifies_nothing(self, sender, endpoint):
        other = OrganizationFactory()
        self.accept(other, self.other_secret)
        payload = self.payload()
        request = self.signed(payload, self.other_secret)
        assert self.send(sender, endpoint, request).status_code == 401
        address = reverse(self.url_name, args=[other.webhook_key])
        assert self.send(sender, address, request).status_code == 202
        # the same delivery for both is one of each
        assert self.send(sender, endpoint, self.signed(payload)).status_code == 202

    # refusing: what is in it

    def test_an_unparsable_body_is_refused(self, sender, endpoint):
        for name, body in HOSTILE_BODIES.items():
            assert self.send(sender, endpoint, (body, {})).status_code == self.unparsable_unsigned, name
            answer = self.send(sender, endpoint, self.signed_body(body))
            assert answer.status_code == 400, name
            assert answer.json()["code"]
        assert Delivery.objects.count() == 0

    @pytest.mark.parametrize("name", HOSTILE_VALUES)
    def test_hostile_json_is_400(self, sender, endpoint, name):
        answer = self.send(sender, endpoint, self.signed_text(HOSTILE_VALUES[name]))
        assert answer.status_code == 400
        assert Delivery.objects.count() == 0

    def test_a_wrong_type_of_a_field_that_is_read_is_refused(self, sender, endpoint):
        for path, values in self.wrong_types.items():
            for value in values:
                request = self.signed(self.payload_with(path, value))
                assert self.send(sender, endpoint, request).status_code in (400, 401), (path, value)
        assert Delivery.objects.count() == 0

    def payload_with(self, path: str, value: Any) -> dict[str, Any]:
        """Return a delivery with that value in a field."""
        payload = self.payload()
        target, *rest = path.split(".")
        payload[target] = payload[target] | {rest[0]: value} if rest else value
        return payload

    @pytest.mark.slow
    @given(value=JSON_VALUES)
    @EXAMPLES
    def test_arbitrary_json_never_breaks_the_endpoint(self, sender, endpoint, value):
        text = json.dumps(value)
        for request in (self.signed_text(text), self.signed_body(text.encode()), (text.encode(), {})):
            assert self.send(sender, endpoint, request).status_code in (200, 202, 400, 401)

    # when something breaks

    @pytest.mark.parametrize("error", [OperationalError, InterfaceError])
    @pytest.mark.parametrize(
        "call", ["integrations.webhooks.views.insert_once", "integrations.webhooks.authentication.find_anew"]
    )
    def test_a_webhook_is_503_when_the_database_is_unreachable(self, sender, endpoint, error, call):
        with (
            mock.patch(call, side_effect=error("the server closed the connection")),
            # it would close the connection that holds this test's transaction
            mock.patch("django.db.backends.base.base.BaseDatabaseWrapper.close_if_unusable_or_obsolete"),
        ):
            answer = self.send(sender, endpoint, self.signed(self.payload()))
        assert answer.status_code == 503
        assert int(answer["Retry-After"]) > 0
        assert "server closed" not in answer.content.decode()
        assert Delivery.objects.count() == 0

    def test_a_failed_insert_is_not_answered_as_a_repeat(self, sender, endpoint):
        sender.raise_request_exception = False
        failure = IntegrityError("another constraint")
        with mock.patch("integrations.webhooks.views.insert_once", side_effect=failure):
            answer = self.send(sender, endpoint, self.signed(self.payload()))
        assert answer.status_code >= 500
        assert Delivery.objects.count() == 0

    def test_a_webhook_of_an_organization_that_was_just_deleted_is_not_found(self, sender, endpoint):
        assert self.send(sender, endpoint, self.signed(self.payload())).status_code == 202
        with (
            mock.patch.object(authentication.memory, "forget"),
            lifted(),
        ):  # as in a process that hasn't deleted it
            AuditEntry.objects.all()._raw_delete("default")
            Organization.objects.all().delete()
        failure = IntegrityError(
            "no such organization"
        )  # at the commit, which this test's transaction postpones
        with mock.patch("integrations.webhooks.views.insert_once", side_effect=failure):
            assert self.send(sender, endpoint, self.signed(self.payload())).status_code == 404

    def test_a_body_that_breaks_off_is_refused(self, sender, endpoint):
        with mock.patch(
            "django.http.request.HttpRequest.read", side_effect=UnreadablePostError("connection reset")
        ):
            assert self.send(sender, endpoint, self.signed(self.payload())).status_code == 400
        assert Delivery.objects.count() == 0

    def test_a_webhook_is_accepted_when_the_workers_cannot_be_notified(
        self, sender, endpoint, django_capture_on_commit_callbacks
    ):
        away = OperationalError("it went away")
        with (
            mock.patch("integrations.queue.notify.broker", side_effect=away) as asked,
            mock.patch("integrations.queue.notify._next_at", 0.0),
            django_capture_on_commit_callbacks(execute=True),
        ):
            answer = self.send(sender, endpoint, self.signed(self.payload()))
        assert answer.status_code == 202
        asked.assert_called_once()
