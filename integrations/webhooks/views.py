"""The webhook endpoints: verify, store one row, answer after the commit. All work happens in the workers."""

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views import View

from integrations.clients.hooks import record_deviations
from integrations.codescreen import client as codescreen_shapes
from integrations.core.vocabulary import Platform
from integrations.health.webhook_rejections import record_rejection
from integrations.http.json_types import JsonObject
from integrations.http.shapes import Endpoint
from integrations.lever import shapes as lever_shapes
from integrations.lever.payloads import dedupe_key, is_test_request, opportunity_id_in
from integrations.store.database import on_a_live_connection
from integrations.webhooks.addressee import Addressee, find_addressee, find_anew
from integrations.webhooks.authentication import Unreadable, Unverified, verify_codescreen, verify_lever
from integrations.webhooks.parsing import (
    Refusal,
    parse,
    read_body,
    require_codescreen_types,
    require_lever_types,
)
from integrations.webhooks.store import store_delivery

logger = logging.getLogger(__name__)

#: The signature of a Lever body, which isn't stored with the delivery.
PROOF_FIELDS = frozenset({"token", "signature"})


def known(addressee: Addressee | None) -> Addressee:
    """Return the addressee. Raises Refusal when the key is unknown."""
    if addressee is None:
        raise Refusal(HTTPStatus.NOT_FOUND, "not_found", "No webhooks are taken in at this address.")
    return addressee


class WebhookView(View):
    """What both endpoints share: the checks before the signature, and the answer to a rejected request."""

    platform: ClassVar[Platform]
    addressee: Addressee
    began_at: float
    body: bytes

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check address, method, size and media type in the contract's order, then take the delivery in."""
        self.began_at = time.monotonic()
        try:
            self.addressee = on_a_live_connection(lambda: known(find_addressee(kwargs["key"])))
            if request.method != "POST":
                detail = f"Method {request.method} is not allowed."
                raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", detail, {"Allow": "POST"})
            self.body = read_body(request)
            return HttpResponse(b"{}", "application/json", self.take_in(request))
        except Refusal as refusal:
            return refusal.answer()

    def take_in(self, request: HttpRequest) -> HTTPStatus:
        """Store the delivery and return the status of the answer. Raises Refusal."""
        raise NotImplementedError

    def verified[Proof](
        self,
        verify: Callable[[Addressee], Proof | Unverified | Unreadable],
        payload: Mapping[str, Any] | None = None,
    ) -> Proof:
        """Verify by what is remembered of the addressee; before a refusal, by what the database has now.

        Raises Refusal. The payload serves to find the likely mistake, and isn't stored.
        """
        proof = verify(self.addressee)
        if isinstance(proof, Unverified | Unreadable) and self.addressee.read_at < self.began_at:
            self.addressee = known(find_anew(self.kwargs["key"]))
            proof = verify(self.addressee)
        if isinstance(proof, Unverified | Unreadable):
            raise self.rejection(proof, payload)
        return proof

    def store(self, *, event: str, dedupe_key: str, opportunity_id: str, payload: JsonObject) -> bool:
        """Store the delivery; False when it was stored before. Raises Refusal when the organization is gone."""
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

    def rejection(self, reason: Unverified | Unreadable, payload: Mapping[str, Any] | None) -> Refusal:
        """Count the rejection, and return the refusal with 401.

        When a secret can't be read it is 503: the request may be genuine, and 401 would tell its sender not to try
        again.
        """
        if isinstance(reason, Unreadable):
            logger.error(
                "a webhook for %s can't be verified: no key in FIELD_ENCRYPTION_KEYS opens a stored secret",
                self.platform,
            )
            detail, later = "The signature can't be checked now; try again later.", {"Retry-After": "60"}
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, later)
        record_rejection(self.addressee.organization, self.platform, reason.code, payload)
        scheme = {"WWW-Authenticate": "Signature"}
        return Refusal(HTTPStatus.UNAUTHORIZED, reason.code, reason.detail, scheme)

    def accepted(self, is_new: bool) -> HTTPStatus:
        """Note the use of a former address. Return the status of a delivery that is stored: 202 when it is new."""
        if self.addressee.former_key is not None:
            self.addressee.former_key.mark_used()
        return HTTPStatus.ACCEPTED if is_new else HTTPStatus.OK

    def check_shape(self, endpoint: Endpoint, payload: JsonObject) -> None:
        """Record how a verified body differs from what the portal relies on, also one that is then refused."""
        deviations = endpoint.deviations(payload)
        record_deviations(self.addressee.organization, self.platform, endpoint.name, deviations)


class LeverWebhookView(WebhookView):
    """The endpoint that Lever posts its webhooks to."""

    platform = Platform.LEVER

    def take_in(self, request: HttpRequest) -> HTTPStatus:
        """Store a delivery; 202 when it is new, 200 when it was stored before or is Lever's test request."""
        payload = parse(self.body)
        proof = self.verified(partial(verify_lever, payload=payload), payload)
        self.check_shape(lever_shapes.webhook(payload), payload)
        require_lever_types(payload)
        data = payload.get("data") or {}
        is_new = self.store(
            event=payload["event"],
            dedupe_key=dedupe_key(payload),
            opportunity_id=opportunity_id_in(data),
            payload={name: value for name, value in payload.items() if name not in PROOF_FIELDS},
        )
        is_test = is_test_request(payload)
        proof.webhook.mark_received(is_test, proof.is_previous_token)
        return self.accepted(is_new and not is_test)


class CodeScreenWebhookView(WebhookView):
    """The endpoint that CodeScreen posts its webhooks to, if the account has them."""

    platform = Platform.CODESCREEN

    def take_in(self, request: HttpRequest) -> HTTPStatus:
        """Store a delivery; 202 when it is new, 200 when it was stored before."""
        proof = self.verified(partial(verify_codescreen, headers=request.headers, body=self.body))
        payload = parse(self.body)
        self.check_shape(codescreen_shapes.WEBHOOK, payload)
        require_codescreen_types(payload)
        is_new = self.store(
            event=payload["type"],
            dedupe_key=f"id:{proof.message_id}",
            opportunity_id="",
            payload=payload,
        )
        proof.connection.mark_received()
        return self.accepted(is_new)
