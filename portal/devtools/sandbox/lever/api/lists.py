"""Lever's lists: a limit, an opaque offset, and the filters of opportunities and postings."""

import json
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import quote, unquote

from portal.devtools.sandbox.http.messages import HttpError, Request, Response, json_response
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.records import Opportunity, canonical_email
from portal.devtools.sandbox.values import JsonObject

MAX_LIMIT = 100

type SortKey = tuple[str | int, ...]


def page[T](
    request: Request,
    items: Sequence[T],
    key: Callable[[T], SortKey],
    serialize: Callable[[T], JsonObject],
) -> Response:
    """Return the page of items that a request asks for, in the order of their keys, as Lever wraps it."""
    limit = _read_limit(request)
    ordered = sorted(items, key=key)
    offset = request.args.get("offset", "")
    if offset:
        after = _read_offset(offset)
        try:
            ordered = [item for item in ordered if key(item) > after]
        except TypeError:
            raise _bad_offset() from None
    chosen = ordered[:limit]
    has_next = len(ordered) > limit
    answer: JsonObject = {"data": [serialize(item) for item in chosen], "hasNext": has_next}
    if has_next:
        answer["next"] = _write_offset(key(chosen[-1]))
    return json_response(answer)


def _read_limit(request: Request) -> int:
    """Return the limit asked for; raises a 400 HttpError outside 1 to 100."""
    text = request.args.get("limit", str(MAX_LIMIT))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_LIMIT:
        raise HttpError(400, "limit must be between 1 and 100", "BadRequestError")
    return int(text)


def _write_offset(key: SortKey) -> str:
    """Return the token of what follows a key: a percent-encoded JSON array, as Lever's are today."""
    return quote(json.dumps(key, separators=(",", ":")), safe="")


def _read_offset(token: str) -> SortKey:
    """Return the key in a token; raises a 400 HttpError."""
    try:
        key = json.loads(unquote(token))
    except ValueError:
        raise _bad_offset() from None
    if not isinstance(key, list) or not key:
        raise _bad_offset()
    return tuple(key)


def _bad_offset() -> HttpError:
    """Return the error that answers a token Lever didn't give out."""
    return HttpError(400, "Invalid offset token", "BadRequestError")


LATEST_MS = 1 << 62

type Filter = Callable[[Opportunity], bool]
type ReadTime = Callable[[Opportunity], int | None]
type ValuesTest = Callable[[Opportunity, frozenset[str]], bool]

TIMES: dict[str, ReadTime] = {
    "created_at": lambda item: item.created_at,
    "updated_at": lambda item: item.updated_at,
    "advanced_at": lambda item: item.last_advanced_at,
    "archived_at": lambda item: item.archived["archivedAt"] if item.archived else None,
    "deleted_at": lambda item: item.deleted_at,
}


def indexed_candidates(account: LeverAccount, request: Request) -> Iterable[Opportunity]:
    """Return the smallest set of opportunities an index offers; the filters do the rest."""
    contact_ids, emails = set(request.args.getlist("contact_id")), request.args.getlist("email")
    if emails and not contact_ids:
        contacts = [account.contact_by_email.get(canonical_email(email)) for email in emails]
        contact_ids = {contact.id for contact in contacts if contact is not None}
    if contact_ids or emails:
        return [item for contact_id in contact_ids for item in account.by_contact[contact_id].values()]
    if request.args.getlist("stage_id"):
        return account.in_stages(set(request.args.getlist("stage_id")))
    posting_ids = set(request.args.getlist("posting_id"))
    if posting_ids:
        return [item for posting_id in posting_ids for item in account.by_posting[posting_id].values()]
    return account.opportunities.values()


def opportunity_filters(account: LeverAccount, request: Request) -> list[Filter]:
    """Return one filter per parameter the request names; values of one parameter form a union."""
    filters: list[Filter] = []
    confidentiality = request.args.get("confidentiality", "non-confidential")
    if confidentiality != "all":
        filters.append(lambda item: item.confidentiality == confidentiality)
    for name, test in _tests(account).items():
        values = frozenset(request.args.getlist(name))
        if values:
            filters.append(_one_of(test, values))
    for name, read_time in TIMES.items():
        span = time_span(request, name)
        if span is not None:
            filters.append(_between(read_time, span))
    return filters


def time_span(request: Request, name: str) -> tuple[int, int] | None:
    """Return the times between a filter's `…_start` and `…_end`, both inclusive, or None for neither.

    Raises a 400 HttpError for what isn't a time in milliseconds.
    """
    start, end = _milliseconds(request, f"{name}_start"), _milliseconds(request, f"{name}_end")
    if start is None and end is None:
        return None
    return start or 0, LATEST_MS if end is None else end


def _milliseconds(request: Request, name: str) -> int | None:
    text = request.args.get(name, "")
    if text and not (text.isascii() and text.isdigit()):
        raise HttpError(400, f"{name} must be milliseconds", "BadRequestError")
    return int(text) if text else None


def _one_of(test: ValuesTest, values: frozenset[str]) -> Filter:
    return lambda item: test(item, values)


def _between(read_time: ReadTime, span: tuple[int, int]) -> Filter:
    start, end = span

    def is_between(item: Opportunity) -> bool:
        at = read_time(item)
        return at is not None and start <= at <= end

    return is_between


def _tests(account: LeverAccount) -> dict[str, ValuesTest]:
    """Return how each parameter's values are compared with an opportunity."""

    def has_email(item: Opportunity, values: frozenset[str]) -> bool:
        wanted = {canonical_email(value) for value in values}
        return any(canonical_email(email) in wanted for email in account.contact_of(item).emails)

    return {
        "tag": lambda item, values: not values.isdisjoint(item.tags),
        "email": has_email,
        "origin": lambda item, values: item.origin in values,
        "source": lambda item, values: not values.isdisjoint(item.sources),
        "stage_id": lambda item, values: item.stage in values,
        "posting_id": lambda item, values: item.posting_id in values,
        "archived_posting_id": lambda item, values: bool(item.archived) and item.posting_id in values,
        "archived": lambda item, values: ("true" if item.archived else "false") in values,
        "archive_reason_id": lambda item, values: bool(item.archived) and item.archived["reason"] in values,
        "snoozed": lambda _item, values: "false" in values,
        "contact_id": lambda item, values: item.contact_id in values,
        "location": lambda item, values: account.contact_of(item).location in values,
    }
