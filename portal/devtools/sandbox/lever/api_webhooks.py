"""Webhooks made through the API; silent until a Super Admin switches their event on."""

from portal.devtools.sandbox.http import Refusal, Response
from portal.devtools.sandbox.ids import Json, new_id, now_ms, pick, text_list
from portal.devtools.sandbox.lever.api import Call, Table, data, not_found
from portal.devtools.sandbox.lever.serializers_lookups import webhook_json
from portal.devtools.sandbox.lever.state import EVENTS, ORIGINS, Webhook


def list_webhooks(call: Call) -> Response:
    """Answer every webhook, without tokens and without hasNext."""
    return data([webhook_json(webhook) for webhook in call.account.events.webhooks.values()])


def create_webhook(call: Call) -> Response:
    """Create a webhook and tell its signature token this once; the same one twice is fine."""
    body = call.body()
    event, url = body.get("event"), body.get("url")
    if event not in EVENTS:
        raise Refusal(400, f"event {event} is not known", "BadRequestError")
    made = Webhook(new_id(), str(event), _url(url), _origins(body), by_api=True)
    call.account.events.webhooks[made.id] = made
    return data(webhook_json(made, with_token=True), 201)


def put_webhooks(call: Call) -> Response:
    """Change several webhooks at once; those made by hand can't be."""
    changed = []
    for entry in pick(call.body(), "data", list, []):
        if not isinstance(entry, dict):
            raise Refusal(400, "data must be a list of objects", "BadRequestError")
        webhook = _own(call, str(entry.get("id", "")))
        webhook.url = _url(entry.get("url", webhook.url))
        if "configuration" in entry:
            webhook.origins = _origins(entry)
        webhook.updated_at = now_ms()
        changed.append(webhook_json(webhook))
    return data(changed)


def delete_webhook(call: Call) -> Response:
    """Delete a webhook made through the API."""
    webhook = _own(call, call.request.params["webhook"])
    del call.account.events.webhooks[webhook.id]
    return Response(204)


def _own(call: Call, name: str) -> Webhook:
    webhook = call.account.events.webhooks.get(name)
    if webhook is None:
        raise not_found("webhooks", name)
    if not webhook.by_api:
        raise Refusal(403, "Webhooks made in the settings can only be changed there", "Forbidden")
    return webhook


def _url(value: object) -> str:
    # Lever insists on HTTPS; here everything lives on the loopback, where nobody has a certificate.
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise Refusal(400, "url must be an absolute address", "BadRequestError")
    return value


def _origins(body: Json) -> list[str]:
    conditions = pick(pick(body, "configuration", dict, {}), "conditions", dict, {})
    return text_list(conditions.get("origins")) or list(ORIGINS)


TABLE: Table = [
    ("GET", "/webhooks", "webhooks:read", list_webhooks),
    ("POST", "/webhooks", "webhooks:write", create_webhook),
    ("PUT", "/webhooks", "webhooks:write", put_webhooks),
    ("DELETE", "/webhooks/<webhook>", "webhooks:write", delete_webhook),
]
