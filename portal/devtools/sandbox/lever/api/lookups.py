"""What an account hires for, who hires, and along which steps: users, stages, archive reasons, tags, postings."""

from portal.devtools.sandbox.http.messages import HttpError, Response
from portal.devtools.sandbox.lever.api.calls import Call, Endpoint, data
from portal.devtools.sandbox.lever.api.lists import page, time_span
from portal.devtools.sandbox.lever.api.serializers import posting_json, reason_json, stage_json, user_json
from portal.devtools.sandbox.lever.state.records import Posting, canonical_email
from portal.devtools.sandbox.values import JsonObject


def list_stages(call: Call) -> Response:
    """Answer the stages in pipeline order."""
    account = call.account
    stages = list(account.stages.values())
    return page(call.request, stages, lambda stage: (account.rank(stage.id),), stage_json)


def list_reasons(call: Call) -> Response:
    """Answer the archive reasons, of one type if asked."""
    reason_type = call.request.args.get("type", "")
    reasons = [reason for reason in call.account.archive_reasons.values() if reason_type in ("", reason.type)]
    return page(call.request, reasons, lambda reason: (reason.text, reason.id), reason_json)


def list_tags(call: Call) -> Response:
    """Answer every tag in use and how often."""
    counts = [(text, count) for text, count in call.account.tag_counts.items() if count > 0]
    return page(
        call.request, counts, lambda pair: (pair[0],), lambda pair: {"text": pair[0], "count": pair[1]}
    )


def list_users(call: Call) -> Response:
    """Answer the users; deactivated ones only if asked for."""
    query = call.request.args
    emails = {canonical_email(email) for email in query.getlist("email")}
    roles = query.getlist("accessRole")
    include_deactivated = query.get("includeDeactivated") == "true"
    users = [
        user
        for user in call.account.users.values()
        if (include_deactivated or user.deactivated_at is None)
        and (not emails or canonical_email(user.email) in emails)
        and (not roles or user.role in roles)
    ]
    return page(call.request, users, lambda user: (user.created_at, user.id), user_json)


def get_user(call: Call) -> Response:
    """Answer one user."""
    return data(user_json(call.find("user", "users", call.account.users)))


def list_postings(call: Call) -> Response:
    """Answer a page of the postings that pass every filter."""
    confidentiality = call.request.args.get("confidentiality", "non-confidential")
    if confidentiality != "non-confidential" and not call.allows("confidential:access"):
        raise HttpError(403, "The token lacks the scope confidential:access:admin", "Forbidden")
    postings = [
        posting
        for posting in call.account.postings.values()
        if confidentiality in ("all", posting.confidentiality) and _passes_filters(call, posting)
    ]
    return page(
        call.request,
        postings,
        lambda posting: (posting.created_at, posting.id),
        lambda p: _serialize(call, p),
    )


def get_posting(call: Call) -> Response:
    """Answer one posting."""
    posting = call.find("posting", "postings", call.account.postings)
    if posting.confidentiality == "confidential" and not call.allows("confidential:access"):
        raise HttpError(403, "You do not have access to this confidential posting", "Forbidden")
    return data(_serialize(call, posting))


def _serialize(call: Call, posting: Posting) -> JsonObject:
    return posting_json(call.account, posting, call.base_url)


def _passes_filters(call: Call, posting: Posting) -> bool:
    query = call.request.args
    exact = {
        "state": posting.state,
        "team": posting.team,
        "department": posting.department,
        "location": posting.location,
        "commitment": posting.commitment,
    }
    tags = query.getlist("tag")
    span = time_span(call.request, "updated_at")
    return (
        all(name not in query or value in query.getlist(name) for name, value in exact.items())
        and (not tags or any(tag in posting.tags for tag in tags))
        and (span is None or span[0] <= posting.updated_at <= span[1])
    )


ENDPOINTS = [
    Endpoint("GET", "/stages", "stages:read", list_stages),
    Endpoint("GET", "/archive_reasons", "archive_reasons:read", list_reasons),
    Endpoint("GET", "/tags", "tags:read", list_tags),
    Endpoint("GET", "/users", "users:read", list_users),
    Endpoint("GET", "/users/<user>", "users:read", get_user),
    Endpoint("GET", "/postings", "postings:read", list_postings),
    Endpoint("GET", "/postings/<posting>", "postings:read", get_posting),
]
