"""The webhook endpoints: parse, verify, store one row, answer after the commit. All work happens in the workers.

A body's size and media type are checked first, then strict JSON and the signature, then the types of what is read.
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPMethod, HTTPStatus
from typing import Any, ClassVar, cast

from django.db import IntegrityError
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, MethodNotAllowed
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from integrations.core import correlation
from integrations.core.vocabulary import Platform
from integrations.health.checks.webhooks import record_rejection
from integrations.http.json_values import JsonObject
from integrations.inbox.models.delivery import Stored, insert_once, kept_of_payload
from integrations.lever.payloads import dedupe_key, is_test_request, opportunity_id_in
from integrations.queue.notify import notify_workers
from integrations.store.database import mark_now
from integrations.webhooks.authentication import (
    Addressee,
    CodeScreenProof,
    CodeScreenSignature,
    LeverProof,
    LeverSignature,
    Unreadable,
    Unverified,
    find_addressee,
    find_anew,
)
from integrations.webhooks.bodies import (
    CODESCREEN_BODY,
    JSON,
    LEVER_BODY,
    StrictJSONParser,
    payload_of,
    require_json,
    require_types,
)

logger = logging.getLogger(__name__)

#: The signature of a Lever body, which isn't stored with the delivery.
PROOF_FIELDS = frozenset({"token", "signature"})


class JSONAlone(BaseContentNegotiation):
    """Reads and answers JSON, whatever a request accepts."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


def answer_refusal(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return a refusal's answer, a sentence and a code; None for other errors, which are raised."""
    response = exception_handler(error, context)
    if response is not None and isinstance(error, APIException):
        response.data = {"detail": error.detail, "code": error.get_codes()}
    return response


class WebhookView(APIView):
    """What both endpoints share: the checks before the signature, how a delivery is stored, and the answers."""

    http_method_names = ["post"]
    parser_classes = [StrictJSONParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = JSONAlone
    platform: ClassVar[Platform]
    addressee: Addressee

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check address, method, size and media type in the contract's order, then the signature."""
        self.addressee = find_addressee(kwargs["key"])
        if request.method != HTTPMethod.POST:
            raise MethodNotAllowed(str(request.method))
        require_json(request)
        super().initial(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer a refusal; what isn't verified is counted, or logged where the operator has to act."""
        if isinstance(exc, Unverified):
            record_rejection(self.addressee.organization, self.platform, exc.reason, exc.payload)
        elif isinstance(exc, Unreadable):
            logger.error(
                "a webhook for %s can't be verified: no key in FIELD_ENCRYPTION_KEYS opens a stored secret",
                self.platform,
            )
        return super().handle_exception(exc)

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return answer_refusal

    def store(
        self, *, event: str, dedupe_key: str, opportunity_id: str, payload: JsonObject
    ) -> Stored | None:
        """Commit the delivery and notify the workers.

        Of somebody whose data was erased, only ids and times are stored; None where a body of theirs has none. Raises
        NotFound when the organization is gone.
        """
        insert = partial(
            insert_once,
            self.addressee.organization.pk,
            self.platform,
            event=event,
            dedupe_key=dedupe_key,
            opportunity_id=opportunity_id,
        )
        try:
            stored = insert(payload=payload)
            if stored is None:  # the person's data was erased
                impersonal = kept_of_payload(payload)
                stored = insert(payload=impersonal, is_impersonal=True)
        except IntegrityError:
            find_anew(self.kwargs["key"])
            raise
        if stored is not None and stored.is_new:
            notify_workers()
            # the line has the request's id too, so that one id leads to the other
            delivery_id, slug = correlation.of_delivery(stored.pk), self.addressee.organization.slug
            logger.info("%s of %s: received", delivery_id, slug)
        return stored


def accepted(stored: Stored | None, *, is_test: bool = False) -> HttpResponse:
    """Return the answer to a delivery that is stored, as it is sent: 202 when it is new and no test, else 200."""
    is_new = stored is not None and stored.is_new and not is_test
    headers = {"X-Correlation-ID": correlation.of_delivery(stored.pk)} if stored is not None else None
    status = HTTPStatus.ACCEPTED if is_new else HTTPStatus.OK
    return HttpResponse(b"{}", JSON, status, headers=headers)


class Refusal(serializers.Serializer[Any]):
    """Why a webhook isn't accepted."""

    detail = serializers.CharField()
    code = serializers.CharField()


NOTHING = {"type": "object", "maxProperties": 0}
ANSWERS = {
    HTTPStatus.OK: OpenApiResponse(NOTHING, "Stored before, or Lever's test request."),
    HTTPStatus.ACCEPTED: OpenApiResponse(NOTHING, "Stored."),
    HTTPStatus.BAD_REQUEST: OpenApiResponse(Refusal, "Not a JSON object with fields of the right types."),
    HTTPStatus.UNAUTHORIZED: OpenApiResponse(Refusal, "Not verified; `code` is the reason."),
    HTTPStatus.NOT_FOUND: OpenApiResponse(Refusal, "No organization has this key."),
    HTTPStatus.METHOD_NOT_ALLOWED: OpenApiResponse(Refusal, "Only POST."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: OpenApiResponse(Refusal, "Over 256 KiB."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: OpenApiResponse(Refusal, "Not application/json in UTF-8."),
    HTTPStatus.SERVICE_UNAVAILABLE: OpenApiResponse(Refusal, "Nothing can be stored now; send it again."),
}


class LeverWebhookView(WebhookView):
    """The endpoint that Lever posts its webhooks to."""

    platform = Platform.LEVER
    authentication_classes = [LeverSignature]

    @extend_schema(operation_id="lever_webhook", request=LEVER_BODY, responses=ANSWERS, auth=[])
    def post(self, request: Request, key: str) -> HttpResponse:
        """Store what Lever tells of a candidate, signed as its documentation says: HMAC-SHA256 of token and time."""
        payload, proof = payload_of(request), cast(LeverProof, request.auth)
        require_types(LEVER_BODY, payload)
        data = payload.get("data") or {}
        stored = self.store(
            event=payload["event"],
            dedupe_key=dedupe_key(payload),
            opportunity_id=opportunity_id_in(data),
            payload={name: value for name, value in payload.items() if name not in PROOF_FIELDS},
        )
        is_test = is_test_request(payload)
        proof.webhook.mark_received(is_test, proof.is_previous_token)
        return accepted(stored, is_test=is_test)


class CodeScreenWebhookView(WebhookView):
    """The endpoint that CodeScreen posts its webhooks to, if the account has them."""

    platform = Platform.CODESCREEN
    authentication_classes = [CodeScreenSignature]

    @extend_schema(operation_id="codescreen_webhook", request=CODESCREEN_BODY, responses=ANSWERS, auth=[])
    def post(self, request: Request, key: str) -> HttpResponse:
        """Store what CodeScreen tells of an assessment, signed by the headers of Standard Webhooks."""
        payload, proof = payload_of(request), cast(CodeScreenProof, request.auth)
        require_types(CODESCREEN_BODY, payload)
        stored = self.store(
            event=payload["type"], dedupe_key=f"id:{proof.message_id}", opportunity_id="", payload=payload
        )
        mark_now(proof.connection, "last_received_at")
        return accepted(stored)
