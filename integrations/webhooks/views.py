"""The webhook endpoints: verify, store one row, answer after the commit. All work happens in the workers."""

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from rest_framework import status
from rest_framework.exceptions import APIException, MethodNotAllowed
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.clients.deviations import record_deviations
from integrations.codescreen import shapes as codescreen_shapes
from integrations.http.json_types import JsonObject
from integrations.http.shapes import Endpoint
from integrations.lever import shapes as lever_shapes
from integrations.lever.payloads import dedupe_key, is_test_request, opportunity_id_in
from integrations.models.db_retry import on_a_live_connection
from integrations.vocabulary import Platform
from integrations.webhooks.addressee import Addressee, find_addressee, find_anew
from integrations.webhooks.authentication import Unreadable, Unverified, verify_codescreen, verify_lever
from integrations.webhooks.body import read_body
from integrations.webhooks.parsing import CODESCREEN_ENVELOPE, LEVER_ENVELOPE, parse
from integrations.webhooks.store import store_delivery
from integrations.workflow.health.webhook_rejections import record_rejection

logger = logging.getLogger(__name__)

#: The signature of a Lever body, which isn't stored with the delivery.
PROOF_FIELDS = frozenset({"token", "signature"})


def known(addressee: Addressee | None) -> Addressee:
    """Return the addressee. Raises Http404 when the key is unknown."""
    if addressee is None:
        raise Http404
    return addressee


class AnyAccept(BaseContentNegotiation):
    """Answer JSON whatever the Accept header says: a webhook sender only reads the status."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the only parser."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the only renderer."""
        return renderers[0], renderers[0].media_type


class WebhookView(APIView):
    """What both endpoints share: the checks before the signature, and the answer to a rejected request."""

    authentication_classes = []  # the signature is checked in post(), in the contract's order
    permission_classes = []
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AnyAccept
    platform: ClassVar[Platform]
    addressee: Addressee
    began_at: float
    body: bytes

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Keep the request as Django made it: its body is read as it came."""
        super().setup(request, *args, **kwargs)
        self.received = request

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 404, 405, 413 and 415 before the body is parsed."""
        self.began_at = time.monotonic()
        self.addressee = on_a_live_connection(lambda: known(find_addressee(kwargs["key"])))
        if request.method != "POST":
            raise MethodNotAllowed(str(request.method))
        self.body = read_body(self.received)
        super().initial(request, *args, **kwargs)

    @property
    def allowed_methods(self) -> list[str]:
        """POST alone; OPTIONS is refused too."""
        return ["POST"]

    def verified[Proof](
        self, verify: Callable[[Addressee], Proof | Unverified | Unreadable]
    ) -> Proof | Unverified | Unreadable:
        """Verify by what is remembered of the addressee; before a refusal, by what the database has now."""
        proof = verify(self.addressee)
        if isinstance(proof, Unverified | Unreadable) and self.addressee.read_at < self.began_at:
            self.addressee = known(find_anew(self.kwargs["key"]))
            proof = verify(self.addressee)
        return proof

    def store(self, *, event: str, dedupe_key: str, opportunity_id: str, payload: JsonObject) -> bool:
        """Store the delivery; False when it was stored before. Raises Http404 when the organization is gone."""
        try:
            return store_delivery(
                self.addressee.organization,
                self.platform,
                event=event,
                dedupe_key=dedupe_key,
                opportunity_id=opportunity_id,
                payload=payload,
            )
        except IntegrityError:
            known(find_anew(self.kwargs["key"]))
            raise

    def refuse(self, reason: Unverified | Unreadable, payload: Mapping[str, Any] | None = None) -> Response:
        """Answer 401 and count the rejection; the payload serves to find the likely mistake, and isn't stored.

        When a secret can't be read the answer is 503: the request may be genuine, and 401 would tell its sender not
        to try again.
        """
        if isinstance(reason, Unreadable):
            logger.error(
                "a webhook for %s can't be verified: no key in FIELD_ENCRYPTION_KEYS opens a stored secret",
                self.platform,
            )
            body = {"detail": "The signature can't be checked now; try again later.", "code": "unavailable"}
            return Response(body, status.HTTP_503_SERVICE_UNAVAILABLE, headers={"Retry-After": "60"})
        record_rejection(self.addressee.organization, self.platform, reason.code, payload)
        return Response(
            {"detail": reason.detail, "code": reason.code},
            status.HTTP_401_UNAUTHORIZED,
            headers={"WWW-Authenticate": "Signature"},
        )

    def accept(self, is_new: bool) -> JsonResponse:
        """Answer that the delivery is stored: 202 when it is new; note the use of a former address."""
        if self.addressee.former_key is not None:
            self.addressee.former_key.mark_used()
        return JsonResponse({}, status=status.HTTP_202_ACCEPTED if is_new else status.HTTP_200_OK)

    def check_shape(self, endpoint: Endpoint, payload: JsonObject) -> None:
        """Record how a verified body differs from what the portal relies on, also one that is then refused."""
        deviations = endpoint.deviations(payload)
        record_deviations(self.addressee.organization, self.platform, endpoint.name, deviations)

    def handle_exception(self, exc: Exception) -> Response:
        """Give every refusal a code beside its detail."""
        response: Response = super().handle_exception(exc)
        if isinstance(exc, APIException) and isinstance(response.data, Mapping) and "detail" in response.data:
            detail = response.data["detail"]
            response.data = {"detail": detail, "code": getattr(detail, "code", exc.default_code)}
        return response


class LeverWebhookView(WebhookView):
    """The endpoint that Lever posts its webhooks to."""

    platform = Platform.LEVER

    def post(self, request: Request, key: str) -> HttpResponseBase:
        """Store a delivery; 202 when it is new, 200 when it was stored before or is Lever's test request."""
        payload = parse(self.body)
        proof = self.verified(partial(verify_lever, payload=payload))
        if isinstance(proof, Unverified | Unreadable):
            return self.refuse(proof, payload)
        self.check_shape(lever_shapes.webhook(payload), payload)
        LEVER_ENVELOPE.run_validation(payload)
        data = payload.get("data") or {}
        is_new = self.store(
            event=payload["event"],
            dedupe_key=dedupe_key(payload),
            opportunity_id=opportunity_id_in(data),
            payload={name: value for name, value in payload.items() if name not in PROOF_FIELDS},
        )
        is_test = is_test_request(payload)
        proof.webhook.mark_received(is_test, proof.is_previous_token)
        return self.accept(is_new and not is_test)


class CodeScreenWebhookView(WebhookView):
    """The endpoint that CodeScreen posts its webhooks to, if the account has them."""

    platform = Platform.CODESCREEN

    def post(self, request: Request, key: str) -> HttpResponseBase:
        """Store a delivery; 202 when it is new, 200 when it was stored before."""
        proof = self.verified(partial(verify_codescreen, headers=request.headers, body=self.body))
        if isinstance(proof, Unverified | Unreadable):
            return self.refuse(proof)
        payload = parse(self.body)
        self.check_shape(codescreen_shapes.WEBHOOK, payload)
        CODESCREEN_ENVELOPE.run_validation(payload)
        is_new = self.store(
            event=payload["type"],
            dedupe_key=f"id:{proof.message_id}",
            opportunity_id="",
            payload=payload,
        )
        proof.connection.mark_received()
        return self.accept(is_new)
