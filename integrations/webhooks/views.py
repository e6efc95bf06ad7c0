"""The doors for both platforms: one base view, one authentication class per platform.

A door verifies, stores one row, and answers after the commit; all work happens behind it.
"""

import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.http import Http404, UnreadablePostError
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    MethodNotAllowed,
    ParseError,
    UnsupportedMediaType,
)
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.codescreen import signature as codescreen_signature
from integrations.lever import signature as lever_signature
from integrations.lever.payloads import dedupe_key, is_test_request
from integrations.models import CodeScreenConnection, Delivery, LeverWebhook, Organization
from integrations.queue import notify
from integrations.webhooks.parsing import CodeScreenEnvelope, LeverEnvelope, parse
from integrations.workflow.health import webhook_rejections
from integrations.workflow.operations import connections

MAX_BYTES = 256 * 1024
DISCARD_BYTES = 64 * 1024 * 1024


class TooLarge(APIException):
    """The body is over MAX_BYTES."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is larger than 256 KiB."


class AnyAccept(BaseContentNegotiation):
    """Answer JSON whatever the sender says it accepts: a webhook reads the status alone."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the only parser."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the only renderer."""
        return renderers[0], renderers[0].media_type


# proving who sent it


class LeverSignature(BaseAuthentication):
    """Prove that a request came from the Lever account of the organization in the address."""

    def authenticate(self, request: Request) -> tuple[None, LeverWebhook]:
        """Return the webhook whose token proves the body. Raises ParseError, AuthenticationFailed."""
        view: Any = request.parser_context["view"]
        view.payload = parse(view.body)
        missing = [name for name in ("token", "triggeredAt", "signature") if name not in view.payload]
        if missing:
            raise AuthenticationFailed("The signature is missing.", "signature_missing")
        tokens = LeverWebhook.objects.filter(organization=view.organization).active_tokens()
        if not tokens:
            raise AuthenticationFailed("No signature token is stored yet.", "no_signature_token")
        found = lever_signature.matching_token(view.payload, [token for token, _ in tokens])
        if found is None:
            raise AuthenticationFailed("The signature does not match.", "signature_mismatch")
        webhook = next(webhook for token, webhook in tokens if token == found)
        view.is_previous_token = found != webhook.signature_token
        return None, webhook

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme; without it DRF answers 403 instead of 401."""
        return "Signature"


class CodeScreenSignature(BaseAuthentication):
    """Prove that a request came from the CodeScreen account of the organization in the address."""

    def authenticate(self, request: Request) -> tuple[None, str]:
        """Return the message id of a proven body. Raises AuthenticationFailed."""
        view: Any = request.parser_context["view"]
        connection = CodeScreenConnection.objects.filter(organization=view.organization).first()
        if connection is None or not connection.webhook_secret:
            raise AuthenticationFailed("No webhook secret is stored yet.", "no_webhook_secret")
        try:
            message_id = codescreen_signature.verify(
                request.headers, view.body, connection.webhook_secret, time.time()
            )
        except codescreen_signature.BadSignature as error:
            raise AuthenticationFailed("The signature does not match.", error.code) from error
        return None, message_id

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme; without it DRF answers 403 instead of 401."""
        return "Signature"


# the doors


class WebhookView(APIView):
    """Check in the contract's order, store one row, answer."""

    permission_classes = []
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AnyAccept
    platform: str
    organization: Organization
    body: bytes
    payload: dict[str, Any]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """404, 405, 413, 415 come before anything is read or proven."""
        found = Organization.objects.filter(webhook_key=kwargs["key"]).only("pk").first()
        if found is None:
            raise Http404
        self.organization = found
        if request.method != "POST":
            raise MethodNotAllowed(str(request.method))
        try:
            self.body = self._read(request)
        except UnreadablePostError as error:
            raise ParseError("The body broke off.") from error
        media_type = request.content_type.split(";")[0].strip().lower() if request.content_type else ""
        if media_type != "application/json":
            raise UnsupportedMediaType(media_type or "nothing")
        super().initial(request, *args, **kwargs)

    @property
    def allowed_methods(self) -> list[str]:
        """POST alone, OPTIONS too is refused."""
        return ["POST"]

    def _read(self, request: Request) -> bytes:
        raw = request._request
        try:
            length = int(raw.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > MAX_BYTES:
            # read it off the wire, or the sender sees a broken connection instead of the answer
            left = min(length, DISCARD_BYTES)
            while left > 0 and (chunk := raw.read(min(left, 65536))):
                left -= len(chunk)
            raise TooLarge
        return bytes(raw.body)

    def store(self, event: str, key: str, opportunity_id: str = "") -> bool:
        """Commit the delivery; False when it was there already."""
        identity = {"organization": self.organization, "platform": self.platform, "dedupe_key": key}
        # by itself the statement is its own transaction; within one a refusal must not spoil the rest
        savepoint = transaction.atomic() if connection.in_atomic_block else nullcontext()
        try:
            with savepoint:
                Delivery.objects.create(
                    **identity, event=event, opportunity_id=opportunity_id, payload=self.kept_payload()
                )
        except IntegrityError:
            # any other constraint stored nothing, and must not be answered as if the row were there
            if not Delivery.objects.filter(**identity).update(repeats=F("repeats") + 1):
                raise
            return False
        notify.notify_workers()
        return True

    def refused_body(self) -> dict[str, Any] | None:
        """Return what a refusal is explained by; None where nothing of the body tells."""
        return None

    def kept_payload(self) -> dict[str, Any]:
        """Return what is stored of the body."""
        return self.payload

    def handle_exception(self, exc: Exception) -> Response:
        """Give every refusal a code beside its sentence."""
        response: Response = super().handle_exception(exc)
        if isinstance(exc, AuthenticationFailed):
            code = str(getattr(exc.detail, "code", exc.default_code))
            webhook_rejections.record_rejection(self.organization, self.platform, code, self.refused_body())
        if isinstance(exc, APIException) and isinstance(response.data, Mapping) and "detail" in response.data:
            detail = response.data["detail"]
            response.data = {"detail": detail, "code": getattr(detail, "code", exc.default_code)}
        return response


class LeverWebhookView(WebhookView):
    """Where Lever posts its webhooks."""

    authentication_classes = [LeverSignature]
    platform = Delivery.Platform.LEVER
    is_previous_token = False

    def post(self, request: Request, key: str) -> Response:
        """Store a delivery of Lever's."""
        LeverEnvelope(data=self.payload).is_valid(raise_exception=True)
        is_test = is_test_request(self.payload)
        data = self.payload.get("data") or {}
        is_new = self.store(self.payload["event"], dedupe_key(self.payload), data.get("opportunityId") or "")
        webhook: Any = request.auth
        webhook.mark_received(is_test, self.is_previous_token)
        is_accepted = is_new and not is_test
        return Response({}, status.HTTP_202_ACCEPTED if is_accepted else status.HTTP_200_OK)

    def refused_body(self) -> dict[str, Any] | None:
        """Return the body, whose signature may be an earlier token's."""
        return self.payload

    def kept_payload(self) -> dict[str, Any]:
        """Return the body without its proof, which is of no use to anybody who reads the inbox."""
        return {name: value for name, value in self.payload.items() if name not in {"token", "signature"}}


class CodeScreenWebhookView(WebhookView):
    """Where CodeScreen posts its webhooks, where an account has them."""

    authentication_classes = [CodeScreenSignature]
    platform = Delivery.Platform.CODESCREEN

    def post(self, request: Request, key: str) -> Response:
        """Store a delivery of CodeScreen's."""
        self.payload = parse(self.body)
        CodeScreenEnvelope(data=self.payload).is_valid(raise_exception=True)
        is_new = self.store(self.payload["type"], f"id:{request.auth}")
        connections.mark_codescreen_webhook_received(self.organization)
        return Response({}, status.HTTP_202_ACCEPTED if is_new else status.HTTP_200_OK)
