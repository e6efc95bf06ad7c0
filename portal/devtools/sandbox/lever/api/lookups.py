"""What an account hires for, who hires, and along which steps, and the webhooks made through the API."""

from portal.devtools.sandbox.lever.account import EVENT_LABELS, Webhook
from portal.devtools.sandbox.lever.api.calls import Call, Endpoint, data, not_found, page
from portal.devtools.sandbox.lever.api.serializers import posting_json, stage_json, user_json, webhook_json
from portal.devtools.sandbox.lever.records import canonical_email
from portal.devtools.sandbox.messages import HttpError, Response
from portal.devtools.sandbox.values import JsonObject, new_id, pick

#: The webhook of CodeScreen's own integration; nothing is sent there.
NEIGHBOUR = Webhook(
    "neighbour", "candidateStageChange", "https://app.codescreen.com/api/lever/candidate_stage_changed"
)


def list_stages(call: Call) -> Response:
    """Answer the stages in pipeline order."""
    account = call.account
    stages = list(account.stages.values())
    return page(call.request, stages, lambda stage: (account.rank(stage.id),), stage_json)


def list_users(call: Call) -> Response:
    """Answer the users, or those with an address that is asked for; deactivated ones only if asked for."""
    query = call.request.args
    emails = {canonical_email(email) for email in query.getlist("email")}
    everybody = query.get("includeDeactivated") == "true"
    users = [
        user
        for user in call.account.users.values()
        if (everybody or user.deactivated_at is None)
        and (not emails or canonical_email(user.email) in emails)
    ]
    return page(call.request, users, lambda user: (user.created_at, user.id), user_json)


def get_user(call: Call) -> Response:
    """Answer one user."""
    return data(user_json(call.find("user", "users", call.account.users)))


def list_postings(call: Call) -> Response:
    """Answer a page of the postings; confidential ones are left out."""
    every = call.account.postings.values()
    postings = [posting for posting in every if posting.confidentiality != "confidential"]
    return page(call.request, postings, lambda posting: (posting.created_at, posting.id), posting_json)


def get_posting(call: Call) -> Response:
    """Answer one posting."""
    posting = call.find("posting", "postings", call.account.postings)
    if posting.confidentiality == "confidential" and not call.allows("confidential:access"):
        raise HttpError(403, "You do not have access to this confidential posting", "Forbidden")
    return data(posting_json(posting))


def list_webhooks(call: Call) -> Response:
    """Answer every webhook, without tokens and without hasNext."""
    account = call.account
    listed = list(account.events.webhooks.values())
    if account.settings.neighbour:
        listed.append(NEIGHBOUR)
    return data([webhook_json(webhook) for webhook in listed])


def create_webhook(call: Call) -> Response:
    """Create a webhook and answer its signature token, this once; two alike are allowed."""
    body = call.body()
    event = body.get("event")
    if event not in EVENT_LABELS:
        raise HttpError(400, f"event {event} is not known", "BadRequestError")
    webhook = Webhook(new_id(), str(event), _url(body), by_api=True)
    call.account.events.webhooks[webhook.id] = webhook
    return data(webhook_json(webhook, with_token=True), 201)


def update_webhooks(call: Call) -> Response:
    """Change the addresses of webhooks made through the API; the tokens stay and aren't answered."""
    webhooks = call.account.events.webhooks
    changed: list[Webhook] = []
    for row in pick(call.body(), "data", list, []):
        webhook = webhooks.get(str(row.get("id"))) if isinstance(row, dict) else None
        if webhook is None:
            raise not_found("webhook", "in data")
        _expect_by_api(webhook)
        webhook.url = _url(row | {"url": row.get("url", webhook.url)})
        changed.append(webhook)
    return data([webhook_json(webhook) for webhook in changed])


def delete_webhook(call: Call) -> Response:
    """Delete a webhook made through the API."""
    webhook = call.find("webhook", "webhooks", call.account.events.webhooks)
    _expect_by_api(webhook)
    del call.account.events.webhooks[webhook.id]
    return Response(status=204)


def _expect_by_api(webhook: Webhook) -> None:
    """Raise a 403 HttpError for a webhook that a person made."""
    if not webhook.by_api:
        raise HttpError(403, "Webhooks made in the settings can only be changed there", "Forbidden")


def _url(body: JsonObject) -> str:
    """Return the address in a body. Lever insists on HTTPS; here everything is on the loopback."""
    url = body.get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise HttpError(400, "url must be an absolute address", "BadRequestError")
    return url


ENDPOINTS = [
    Endpoint("GET", "/stages", "stages:read", list_stages),
    Endpoint("GET", "/users", "users:read", list_users),
    Endpoint("GET", "/users/<user>", "users:read", get_user),
    Endpoint("GET", "/postings", "postings:read", list_postings),
    Endpoint("GET", "/postings/<posting>", "postings:read", get_posting),
    Endpoint("GET", "/webhooks", "webhooks:read", list_webhooks),
    Endpoint("POST", "/webhooks", "webhooks:write", create_webhook),
    Endpoint("PUT", "/webhooks", "webhooks:write", update_webhooks),
    Endpoint("DELETE", "/webhooks/<webhook>", "webhooks:write", delete_webhook),
]
