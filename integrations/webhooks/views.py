"""The webhook endpoints: parse, verify, store one row, answer after the commit. All work happens in the workers.

A body's size and media type are checked first, then strict JSON and the signature, then the types of what is read.
"""

import json
import logging
import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http import HTTPMethod, HTTPStatus
from typing import IO, Any, ClassVar, cast

from django.db import IntegrityError
from django.http import HttpResponse, UnreadablePostError
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, MethodNotAllowed, UnsupportedMediaType
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
from integrations.webhooks.schema import (
    ANSWERS,
    CODESCREEN_BODY,
    LEVER_BODY,
    MAX_BYTES,
    malformed,
    require_types,
)

logger = logging.getLogger(__name__)

DISCARD_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
JSON = "application/json"
UTF8_NAMES = frozenset({"utf-8", "utf8"})
MAX_DEPTH = 100
#: A webhook has some dozens of values. To decode 87,000 takes a second of a body that nobody has signed yet, so what
#: separates values is counted first, also inside texts; prose that fills a whole body has less than half of this.
MOST_SEPARATORS = 10_000
_SEPARATORS = (b"{", b"[", b",", b":")
#: The signature of a Lever body, which isn't stored with the delivery.
PROOF_FIELDS = frozenset({"token", "signature"})


class TooLarge(APIException):
    """The body is larger than any webhook."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is larger than 256 KiB."
    default_code = "too_large"


class StrictJSONParser(BaseParser):
    """Parses a body as `parse` does."""

    media_type = JSON

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return parse(stream.read())


def parse(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body. Raises ParseError for what can't be stored or is ambiguous.

    Refused besides malformed JSON: NaN and Infinity, duplicate keys, NUL, lone surrogates, nesting over MAX_DEPTH,
    bytes that aren't UTF-8. PostgreSQL can't store some of these, and none has one clear meaning. A body of very many
    values is refused before it is decoded.
    """
    if sum(body.count(separator) for separator in _SEPARATORS) > MOST_SEPARATORS:
        raise malformed("The body holds more values than any webhook.")
    try:
        document = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
        # only an escape makes a NUL or a lone surrogate, and what is nested deeply has many brackets
        if b"\\u" in body or body.count(b"{") + body.count(b"[") > MAX_DEPTH:
            _check(document, 1)
    except (ValueError, RecursionError) as error:
        raise malformed("The body is not a JSON object that can be stored.") from error
    if not isinstance(document, dict):
        raise malformed("The body is not a JSON object that can be stored.")
    return document


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("duplicate key")
    return document


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def _check(value: Any, depth: int) -> None:
    if isinstance(value, dict | list) and depth > MAX_DEPTH:
        raise ValueError("too deep")
    if isinstance(value, str):
        value.encode("utf-8")  # a lone surrogate has no encoding
        if "\x00" in value:
            raise ValueError("NUL")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth + 1)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


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


def _read_json(request: Request) -> None:
    """Read the body. Raises TooLarge, then ParseError when it broke off, then UnsupportedMediaType."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    try:
        if length > MAX_BYTES:
            # read and dropped: else the sender would see a broken connection instead of the answer
            left = min(length, DISCARD_BYTES)
            while left > 0 and (chunk := request.read(min(left, CHUNK_BYTES))):
                left -= len(chunk)
            raise TooLarge
        _ = request.body  # Django keeps it
    except UnreadablePostError as error:
        raise malformed("The body broke off.") from error
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    charset = (request.content_params or {}).get("charset", "utf-8").strip(" '").lower()
    if media_type != JSON or charset not in UTF8_NAMES:
        raise UnsupportedMediaType(media_type, "The body's media type must be application/json, in UTF-8.")


class WebhookView(APIView):
    """What both endpoints share: the checks before the signature, how a delivery is stored, and the answers."""

    http_method_names = ["post"]
    parser_classes = [StrictJSONParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = JSONAlone
    platform: ClassVar[Platform]
    addressee: Addressee

    @property
    def payload(self) -> JsonObject:
        """The JSON object in the body, which is parsed once. Raises ParseError as `parse` does."""
        # DRF takes an empty body for an empty object
        return cast(JsonObject, self.request.data) if self.request.body else parse(b"")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check address, method, size and media type in the contract's order, then the signature."""
        self.addressee = find_addressee(kwargs["key"])
        if request.method != HTTPMethod.POST:
            raise MethodNotAllowed(str(request.method))
        _read_json(request)
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


class LeverWebhookView(WebhookView):
    """The endpoint that Lever posts its webhooks to."""

    platform = Platform.LEVER
    authentication_classes = [LeverSignature]

    @extend_schema(operation_id="lever_webhook", request=LEVER_BODY, responses=ANSWERS, auth=[])
    def post(self, request: Request, key: str) -> HttpResponse:
        """Store what Lever tells of a candidate, signed as its documentation says: HMAC-SHA256 of token and time."""
        payload, proof = self.payload, cast(LeverProof, request.auth)
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
        payload, proof = self.payload, cast(CodeScreenProof, request.auth)
        require_types(CODESCREEN_BODY, payload)
        stored = self.store(
            event=payload["type"], dedupe_key=f"id:{proof.message_id}", opportunity_id="", payload=payload
        )
        mark_now(proof.connection, "last_received_at")
        return accepted(stored)
