"""Look-ups: stages, archive reasons, tags, sources, users, postings."""

from portal.devtools.sandbox.http import Refusal, Response, json_response
from portal.devtools.sandbox.ids import Json
from portal.devtools.sandbox.lever.account import canonical
from portal.devtools.sandbox.lever.api import Call, Table, data, not_found
from portal.devtools.sandbox.lever.filters import milliseconds
from portal.devtools.sandbox.lever.paging import page
from portal.devtools.sandbox.lever.serializers_lookups import posting_json, user_json
from portal.devtools.sandbox.lever.state import ArchiveReason, Posting, Stage


def list_stages(call: Call) -> Response:
    """Answer the stages in pipeline order."""
    account = call.account
    return json_response(
        page(call.request, list(account.stages.values()), lambda s: (account.rank(s.id),), _stage)
    )


def get_stage(call: Call) -> Response:
    """Answer one stage."""
    name = call.request.params["stage"]
    if name not in call.account.stages:
        raise not_found("stages", name)
    return data(_stage(call.account.stages[name]))


def disposition_stages(call: Call) -> Response:
    """Answer stages and archive reasons together, as an undocumented call of Lever's does."""
    account = call.account
    stages = [
        _stage(stage) | {"pipeline": "standard", "rank": rank, "hasInterview": False}
        for rank, stage in enumerate(account.stages.values())
    ]
    return data({"stages": stages, "archiveReasons": [_reason(r) for r in account.archive_reasons.values()]})


def list_reasons(call: Call) -> Response:
    """Answer the archive reasons, of one type if asked."""
    wanted = call.request.arg("type")
    reasons = [r for r in call.account.archive_reasons.values() if wanted in ("", r.type)]
    return json_response(page(call.request, reasons, lambda r: (r.text, r.id), _reason))


def get_reason(call: Call) -> Response:
    """Answer one archive reason."""
    name = call.request.params["reason"]
    if name not in call.account.archive_reasons:
        raise not_found("archive_reasons", name)
    return data(_reason(call.account.archive_reasons[name]))


def list_tags(call: Call) -> Response:
    """Answer every tag in use and how often."""
    return _counts(call, call.account.tag_counts)


def list_sources(call: Call) -> Response:
    """Answer every source in use and how often."""
    return _counts(call, call.account.source_counts)


def list_users(call: Call) -> Response:
    """Answer the users; deactivated ones only if asked for."""
    request = call.request
    emails = {canonical(email) for email in request.args("email")}
    roles = request.args("accessRole")
    everyone = request.arg("includeDeactivated") == "true"
    users = [
        user
        for user in call.account.users.values()
        if (everyone or user.deactivated_at is None)
        and (not emails or canonical(user.email) in emails)
        and (not roles or user.role in roles)
    ]
    return json_response(page(request, users, lambda u: (u.created_at, u.id), user_json))


def get_user(call: Call) -> Response:
    """Answer one user."""
    name = call.request.params["user"]
    if name not in call.account.users:
        raise not_found("users", name)
    return data(user_json(call.account.users[name]))


def list_postings(call: Call) -> Response:
    """Answer a page of the postings that pass every filter."""
    wanted = call.request.arg("confidentiality", "non-confidential")
    if wanted != "non-confidential" and not call.allows("confidential:access"):
        raise Refusal(403, "The token lacks the scope confidential:access:admin", "Forbidden")
    postings = [
        p for p in call.account.postings.values() if wanted in ("all", p.confidentiality) and _listed(call, p)
    ]
    return json_response(
        page(call.request, postings, lambda p: (p.created_at, p.id), lambda p: _posting(call, p))
    )


def get_posting(call: Call) -> Response:
    """Answer one posting."""
    name = call.request.params["posting"]
    posting = call.account.postings.get(name)
    if posting is None:
        raise not_found("postings", name)
    if posting.confidentiality == "confidential" and not call.allows("confidential:access"):
        raise Refusal(403, "You do not have access to this confidential posting", "Forbidden")
    return data(_posting(call, posting))


def _posting(call: Call, posting: Posting) -> Json:
    return posting_json(call.account, posting, call.base_url)


def _listed(call: Call, posting: Posting) -> bool:
    request = call.request
    exact = {
        "state": posting.state,
        "team": posting.team,
        "department": posting.department,
        "location": posting.location,
        "commitment": posting.commitment,
    }
    tags = request.args("tag")
    start = milliseconds(request, "updated_at_start") or 0
    end = milliseconds(request, "updated_at_end")
    return (
        all(not request.args(name) or value in request.args(name) for name, value in exact.items())
        and (not tags or any(tag in posting.tags for tag in tags))
        and start <= posting.updated_at
        and (end is None or posting.updated_at <= end)
    )


def _counts(call: Call, counts: dict[str, int]) -> Response:
    used = [(text, count) for text, count in counts.items() if count > 0]
    return json_response(
        page(call.request, used, lambda pair: (pair[0],), lambda pair: {"text": pair[0], "count": pair[1]})
    )


def _stage(stage: Stage) -> Json:
    return {"id": stage.id, "text": stage.text}


def _reason(reason: ArchiveReason) -> Json:
    return {"id": reason.id, "text": reason.text, "status": reason.status, "type": reason.type}


TABLE: Table = [
    ("GET", "/stages", "stages:read", list_stages),
    ("GET", "/stages/<stage>", "stages:read", get_stage),
    ("GET", "/disposition_stages", "stages:read", disposition_stages),
    ("GET", "/archive_reasons", "archive_reasons:read", list_reasons),
    ("GET", "/archive_reasons/<reason>", "archive_reasons:read", get_reason),
    ("GET", "/tags", "tags:read", list_tags),
    ("GET", "/sources", "sources:read", list_sources),
    ("GET", "/users", "users:read", list_users),
    ("GET", "/users/<user>", "users:read", get_user),
    ("GET", "/postings", "postings:read", list_postings),
    ("GET", "/postings/<posting>", "postings:read", get_posting),
]
