"""The webhook endpoints: parse, verify, store one row, answer after the commit. All work happens in the workers.

A body's size and media type are checked first, then strict JSON and the signature, then the types of what is read.
"""

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views import View

from integrations.core import correlation
from integrations.core.vocabulary import Platform
from integrations.health.webhook_rejections import record_rejection
from integrations.http.json_values import JsonObject
from integrations.inbox.models.delivery import insert_once, kept_of_payload
from integrations.lever.payloads import dedupe_key, is_test_request, opportunity_id_in
from integrations.queue.notify import notify_workers
from integrations.store.database import mark_now
from integrations.webhooks.authentication import (
    Addressee,
    Unreadable,
    Unverified,
    find_addressee,
    find_anew,
    verify_codescreen,
    verify_lever,
)
from integrations.webhooks.bodies import (
    MAX_EVENT,
    Refusal,
    parse,
    read_body,
    require_ids,
    require_lever_types,
    require_text,
)

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
    #: What the answer to a stored delivery has.
    headers: dict[str, str]
    began_at: float
    body: bytes

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check address, method, size and media type in the contract's order, then take the delivery in."""
        self.began_at = time.monotonic()
        self.headers = {}
        try:
            self.addressee = known(find_addressee(kwargs["key"]))
            if request.method != "POST":
                detail = f"Method {request.method} is not allowed."
                raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", detail, {"Allow": "POST"})
            self.body = read_body(request)
            status = self.take_in(request)
            return HttpResponse(b"{}", "application/json", status, headers=self.headers)
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
        """Verify by what is remembered of the addressee; where that may be outdated, by what the database has now.

        Raises Refusal. The payload serves to find the likely mistake, and isn't stored.
        """
        proof = verify(self.addressee)
        is_remembered = self.addressee.read_at < self.began_at
        if is_remembered and isinstance(proof, Unverified | Unreadable) and proof.may_be_outdated:
            self.addressee = known(find_anew(self.kwargs["key"]))
            proof = verify(self.addressee)
        if isinstance(proof, Unverified | Unreadable):
            raise self.rejection(proof, payload)
        return proof

    def store(self, *, event: str, dedupe_key: str, opportunity_id: str, payload: JsonObject) -> bool:
        """Commit the delivery and notify the workers; False when it was stored before.

        Of somebody whose data was erased, only ids and times are stored. Raises Refusal when the organization is gone.
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
            known(find_anew(self.kwargs["key"]))
            raise
        if stored is None:  # only a body with a person in it is refused
            return False
        delivery_id = correlation.of_delivery(stored.pk)
        self.headers["X-Correlation-ID"] = delivery_id
        if stored.is_new:
            notify_workers()
            # the line has the request's id too, so that one id leads to the other
            logger.info("%s of %s: received", delivery_id, self.addressee.organization.slug)
        return stored.is_new

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
        """Return the status of a delivery that is stored: 202 when it is new."""
        return HTTPStatus.ACCEPTED if is_new else HTTPStatus.OK


class LeverWebhookView(WebhookView):
    """The endpoint that Lever posts its webhooks to."""

    platform = Platform.LEVER

    def take_in(self, request: HttpRequest) -> HTTPStatus:
        """Store a delivery; 202 when it is new, 200 when it was stored before or is Lever's test request."""
        payload = parse(self.body)
        proof = self.verified(partial(verify_lever, payload=payload), payload)
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
        require_text(payload, "type", MAX_EVENT)
        require_ids(payload.get("data"), ("assessmentInstanceId",), 300)
        is_new = self.store(
            event=payload["type"],
            dedupe_key=f"id:{proof.message_id}",
            opportunity_id="",
            payload=payload,
        )
        mark_now(proof.connection, "last_received_at")
        return self.accepted(is_new)
