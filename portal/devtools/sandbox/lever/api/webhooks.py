"""Webhooks made through the API; silent until a Super Admin switches their event on."""

from portal.devtools.sandbox.http.messages import HttpError, Response
from portal.devtools.sandbox.lever.api.calls import Call, Endpoint, data, not_found
from portal.devtools.sandbox.lever.api.serializers import webhook_json
from portal.devtools.sandbox.lever.state.events import EVENTS, ORIGINS, Webhook
from portal.devtools.sandbox.values import JsonObject, new_id, now_ms, pick, text_list


def list_webhooks(call: Call) -> Response:
    """Answer every webhook, without tokens and without hasNext."""
    return data([webhook_json(webhook) for webhook in call.account.events.webhooks.values()])


def create_webhook(call: Call) -> Response:
    """Create a webhook and answer its signature token, this once; two alike are allowed."""
    body = call.body()
    event, url = body.get("event"), body.get("url")
    if event not in EVENTS:
        raise HttpError(400, f"event {event} is not known", "BadRequestError")
    # Lever insists on HTTPS; here everything is on the loopback, where nothing has a certificate.
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise HttpError(400, "url must be an absolute address", "BadRequestError")
    webhook = Webhook(new_id(), str(event), url, _origins(body), by_api=True)
    call.account.events.webhooks[webhook.id] = webhook
    return data(webhook_json(webhook, with_token=True), 201)


def update_webhooks(call: Call) -> Response:
    """Change address and conditions of webhooks made through the API; the tokens stay and aren't answered."""
    webhooks = call.account.events.webhooks
    changed: list[Webhook] = []
    for row in pick(call.body(), "data", list, []):
        webhook = webhooks.get(str(row.get("id"))) if isinstance(row, dict) else None
        if webhook is None:
            raise not_found("webhook", "in data")
        if not webhook.by_api:
            raise HttpError(403, "Webhooks made in the settings can only be changed there", "Forbidden")
        url = row.get("url", webhook.url)
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise HttpError(400, "url must be an absolute address", "BadRequestError")
        webhook.url, webhook.updated_at = url, now_ms()
        if "configuration" in row:
            webhook.origins = _origins(row)
        changed.append(webhook)
    return data([webhook_json(webhook) for webhook in changed])


def delete_webhook(call: Call) -> Response:
    """Delete a webhook made through the API."""
    webhook = call.find("webhook", "webhooks", call.account.events.webhooks)
    if not webhook.by_api:
        raise HttpError(403, "Webhooks made in the settings can only be changed there", "Forbidden")
    del call.account.events.webhooks[webhook.id]
    return Response(status=204)


def _origins(body: JsonObject) -> list[str]:
    conditions = pick(pick(body, "configuration", dict, {}), "conditions", dict, {})
    return text_list(conditions.get("origins")) or list(ORIGINS)


ENDPOINTS = [
    Endpoint("GET", "/webhooks", "webhooks:read", list_webhooks),
    Endpoint("POST", "/webhooks", "webhooks:write", create_webhook),
    Endpoint("PUT", "/webhooks", "webhooks:write", update_webhooks),
    Endpoint("DELETE", "/webhooks/<webhook>", "webhooks:write", delete_webhook),
]
