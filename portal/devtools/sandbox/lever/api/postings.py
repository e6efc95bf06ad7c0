"""Postings."""

from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.responses import Response
from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.lever.api.calls import Call, Endpoint, data
from portal.devtools.sandbox.lever.api.filters import time_span
from portal.devtools.sandbox.lever.api.paging import page
from portal.devtools.sandbox.lever.api.serializers.lookups import posting_json
from portal.devtools.sandbox.lever.state.pipeline import Posting


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
    Endpoint("GET", "/postings", "postings:read", list_postings),
    Endpoint("GET", "/postings/<posting>", "postings:read", get_posting),
]
