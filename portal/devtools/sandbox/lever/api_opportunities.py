"""GET /opportunities and its kin: reading, filtering, expanding; and POST, which creates one."""

from collections.abc import Callable

from portal.devtools.sandbox.http import Refusal, Response, json_response
from portal.devtools.sandbox.ids import Json, new_id, now_ms, pick, text_list
from portal.devtools.sandbox.lever import moves
from portal.devtools.sandbox.lever.account import canonical
from portal.devtools.sandbox.lever.api import Call, Table, data
from portal.devtools.sandbox.lever.filters import candidates, checks, time_checks
from portal.devtools.sandbox.lever.paging import page
from portal.devtools.sandbox.lever.serializers import application_json, expanded, opportunity_json
from portal.devtools.sandbox.lever.state import Contact, Opportunity


def list_opportunities(call: Call) -> Response:
    """Answer a page of the opportunities that pass every filter."""
    wanted = call.request.arg("confidentiality", "non-confidential")
    if wanted not in ("non-confidential", "confidential", "all"):
        raise Refusal(400, f"confidentiality {wanted} is not known", "BadRequestError")
    if wanted != "non-confidential" and not call.allows("confidential:access"):
        raise Refusal(403, "The token lacks the scope confidential:access:admin", "Forbidden")
    account, rank = call.account, call.account.rank
    named = checks(account, call.request)
    chosen = [item for item in candidates(account, call.request) if all(check(item) for check in named)]
    key = lambda item: (rank(item.stage), item.created_at, item.id)  # noqa: E731
    return json_response(page(call.request, chosen, key, _shaper(call)))


def list_deleted(call: Call) -> Response:
    """Answer a page of the deleted opportunities."""
    named = time_checks(call.request)
    chosen = [item for item in call.account.deleted.values() if all(check(item) for check in named)]
    return json_response(page(call.request, chosen, lambda item: (item.created_at, item.id), _shaper(call)))


def get_opportunity(call: Call) -> Response:
    """Answer one opportunity."""
    return data(_shaper(call)(call.opportunity()))


def list_applications(call: Call) -> Response:
    """Answer the application of an opportunity, as a list."""
    item = call.opportunity()
    found = [application_json(call.account, item)] if item.posting_id else []
    return json_response({"data": found, "hasNext": False})


def create_opportunity(call: Call) -> Response:
    """Create an opportunity; a known e-mail address ties it to the existing contact."""
    actor = call.actor(required=True)
    body = _sent(call)
    account = call.account
    postings = text_list(body.get("postings"))
    if len(postings) > 1:
        raise Refusal(400, "postings: exactly one posting is allowed", "BadRequestError")
    stage = pick(body, "stage", str, "lead-new")
    if stage not in account.stages:
        raise Refusal(400, f"stages {stage} was not found", "BadRequestError")
    for posting in postings:
        if posting not in account.postings:
            raise Refusal(400, f"postings {posting} was not found", "BadRequestError")
    contact, deduped = _contact(call, body)
    made = Opportunity(
        new_id(),
        contact.id,
        stage,
        tags=list(dict.fromkeys(text_list(body.get("tags")))),
        sources=text_list(body.get("sources")),
        origin=pick(body, "origin", str, "sourced"),
        owner=pick(body, "owner", str, actor.id if actor else None),
        followers=text_list(body.get("followers")),
        posting_id=postings[0] if postings else None,
        created_at=pick(body, "createdAt", int, now_ms()),
    )
    moves.create(account, made)
    made.writes["create"] += 1
    shape = opportunity_json(account, made, call.base_url)
    return json_response({"deduped": deduped, "data": shape}, 201)


def _sent(call: Call) -> Json:
    if call.request.content_type != "multipart/form-data":
        return call.body()
    several = ("emails", "tags", "sources", "postings", "links", "followers")
    form = call.request.form
    body: Json = {name.removesuffix("[]"): values[0] for name, values in form.items()}
    return body | {name: form.get(f"{name}[]") or form.get(name, []) for name in several}


def _contact(call: Call, body: Json) -> tuple[Contact, bool]:
    account = call.account
    emails = text_list(body.get("emails"))
    named = pick(body, "contact", str, "")
    if named:
        if named not in account.contacts:
            raise Refusal(400, f"contacts {named} was not found", "BadRequestError")
        return account.contacts[named], True
    for email in emails:
        known = account.contact_by_email.get(canonical(email))
        if known is not None:
            return known, True
    phones = [item for item in pick(body, "phones", list, []) if isinstance(item, dict)]
    contact = Contact(
        new_id(),
        pick(body, "name", str, ""),
        pick(body, "headline", str, ""),
        pick(body, "location", str, ""),
        emails,
        phones,
        text_list(body.get("links")),
    )
    account.add_contact(contact)
    return contact, False


def _shaper(call: Call) -> Callable[[Opportunity], Json]:
    expand, include = call.request.args("expand"), call.request.args("include")

    def shape(item: Opportunity) -> Json:
        whole = opportunity_json(call.account, item, call.base_url)
        if include:
            whole = {name: whole[name] for name in whole if name in include or name == "id"}
        return expanded(call.account, item, whole, expand)

    return shape


TABLE: Table = [
    ("GET", "/opportunities", "opportunities:read", list_opportunities),
    ("GET", "/opportunities/deleted", "opportunities:read", list_deleted),
    ("POST", "/opportunities", "opportunities:write", create_opportunity),
    ("GET", "/opportunities/<opportunity>", "opportunities:read", get_opportunity),
    ("GET", "/opportunities/<opportunity>/applications", "applications:read", list_applications),
]
