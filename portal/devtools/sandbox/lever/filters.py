"""The filters of GET /opportunities, read once per request and then asked about each opportunity."""

from collections.abc import Callable, Iterable

from portal.devtools.sandbox.http import Refusal, Request
from portal.devtools.sandbox.lever.account import LeverAccount, canonical
from portal.devtools.sandbox.lever.state import Opportunity

type Check = Callable[[Opportunity], bool]
type ReadTime = Callable[[Opportunity], int | None]

TIMES: dict[str, ReadTime] = {
    "created_at": lambda item: item.created_at,
    "updated_at": lambda item: item.updated_at,
    "advanced_at": lambda item: item.last_advanced_at,
    "archived_at": lambda item: item.archived["archivedAt"] if item.archived else None,
    "deleted_at": lambda item: item.deleted_at,
}


def candidates(account: LeverAccount, request: Request) -> Iterable[Opportunity]:
    """Return the smallest set an index can offer; the filters do the rest."""
    if request.args("contact_id"):
        return [item for key in set(request.args("contact_id")) for item in account.by_contact[key].values()]
    if request.args("email"):
        known = [account.contact_by_email.get(canonical(email)) for email in request.args("email")]
        ids = {contact.id for contact in known if contact is not None}
        return [item for key in ids for item in account.by_contact[key].values()]
    if request.args("stage_id"):
        return account.in_stages(set(request.args("stage_id")))
    if request.args("posting_id"):
        return [item for key in set(request.args("posting_id")) for item in account.by_posting[key].values()]
    return account.opportunities.values()


def checks(account: LeverAccount, request: Request) -> list[Check]:
    """Return one check per filter the request names; values of one filter form a union."""
    named: list[Check] = []
    wanted = request.arg("confidentiality", "non-confidential")
    if wanted != "all":
        named.append(lambda item: item.confidentiality == wanted)
    for name, test in _tests(account).items():
        values = frozenset(request.args(name))
        if values:
            named.append(lambda item, test=test, values=values: test(item, values))  # type: ignore[misc]
    return named + time_checks(request)


def time_checks(request: Request) -> list[Check]:
    """Return the checks of the `…_start` and `…_end` filters, both inclusive."""
    named: list[Check] = []
    for name, read in TIMES.items():
        start, end = (milliseconds(request, f"{name}_{edge}") for edge in ("start", "end"))
        if start is not None or end is not None:
            low, high = start or 0, end if end is not None else 1 << 62
            named.append(lambda item, read=read, low=low, high=high: _within(read(item), low, high))  # type: ignore[misc]
    return named


def _within(at: int | None, low: int, high: int) -> bool:
    return at is not None and low <= at <= high


def milliseconds(request: Request, name: str) -> int | None:
    """Return a time filter of the query string, or None; raises a 400 Refusal."""
    text = request.arg(name)
    if text and not (text.isascii() and text.isdigit()):
        raise Refusal(400, f"{name} must be milliseconds", "BadRequestError")
    return int(text) if text else None


def _tests(account: LeverAccount) -> dict[str, Callable[[Opportunity, frozenset[str]], bool]]:
    def has_email(item: Opportunity, values: frozenset[str]) -> bool:
        wanted = {canonical(value) for value in values}
        return any(canonical(email) in wanted for email in account.contact_of(item).emails)

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
