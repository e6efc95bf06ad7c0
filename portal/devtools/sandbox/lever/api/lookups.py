"""The lists that applications choose from: stages, archive reasons, tags, users."""

from portal.devtools.sandbox.http.responses import Response
from portal.devtools.sandbox.lever.api.calls import Call, Endpoint, data
from portal.devtools.sandbox.lever.api.paging import page
from portal.devtools.sandbox.lever.api.serializers.lookups import reason_json, stage_json, user_json
from portal.devtools.sandbox.lever.state.people import canonical_email


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


ENDPOINTS = [
    Endpoint("GET", "/stages", "stages:read", list_stages),
    Endpoint("GET", "/archive_reasons", "archive_reasons:read", list_reasons),
    Endpoint("GET", "/tags", "tags:read", list_tags),
    Endpoint("GET", "/users", "users:read", list_users),
    Endpoint("GET", "/users/<user>", "users:read", get_user),
]
