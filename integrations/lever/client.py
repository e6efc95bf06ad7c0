"""LeverClient: one method per endpoint the portal uses.

Source: https://hire.lever.co/developer/documentation
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from integrations.http.errors import PlatformError
from integrations.http.session import PlatformSession
from integrations.lever.payloads import Opportunity

PAGE = 100


class TokenSource(Protocol):
    """Where access tokens come from."""

    def current(self) -> str:
        """Return an access token that should work now."""
        ...

    def renew(self, refused: str) -> str:
        """Return another access token after Lever refused this one; raises PlatformError when there is none."""
        ...

    def give_up(self, refused: str) -> None:
        """Take note that Lever refused the other token as well."""
        ...


def unwrap(body: Any) -> Any:
    """Return what a response holds: Lever wraps it in `data` once, sometimes twice, sometimes not at all."""
    for _ in range(2):
        if isinstance(body, Mapping) and "data" in body and not ({"id", "fields"} & body.keys()):
            body = body["data"]
    return body


def _path(*parts: str) -> str:
    return "".join("/" + quote(part, safe="") for part in parts)


class LeverClient:
    """Lever's API for one customer. Every method raises PlatformError when Lever doesn't do as asked."""

    def __init__(self, session: PlatformSession, tokens: TokenSource) -> None:
        self._session = session
        self._tokens = tokens

    def _call(self, method: str, path: str, *, params: Any = None, payload: Any = None) -> Any:
        token = self._tokens.current()
        try:
            return self._authorized(token, method, path, params, payload)
        except PlatformError as error:
            if error.status != 401:
                raise
        try:
            token = self._tokens.renew(token)
            return self._authorized(token, method, path, params, payload)
        except PlatformError as error:
            if error.status == 401:
                self._tokens.give_up(token)
            raise

    def _authorized(self, token: str, method: str, path: str, params: Any, payload: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return self._session.request(method, path, params=params, payload=payload, headers=headers)

    def _object(self, method: str, path: str, *, params: Any = None, payload: Any = None) -> dict[str, Any]:
        found = unwrap(self._call(method, path, params=params, payload=payload))
        if not isinstance(found, dict):
            raise PlatformError(
                f"Lever answered {method} {path} without an object", ambiguous=method != "GET"
            )
        return found

    def _list(self, path: str, params: Sequence[tuple[str, str]] = ()) -> Iterator[dict[str, Any]]:
        offset = None
        while True:
            query = [*params, ("limit", str(PAGE)), *([("offset", offset)] if offset else [])]
            body = self._call("GET", path, params=query)
            rows = body.get("data") if isinstance(body, Mapping) else None
            if not isinstance(rows, list):
                raise PlatformError(f"Lever answered GET {path} without a list")
            yield from (row for row in rows if isinstance(row, dict))
            following = body.get("next") if body.get("hasNext") else None
            if not isinstance(following, str) or following == offset:
                return
            offset = following

    # opportunities

    def opportunity(self, opportunity_id: str) -> Opportunity:
        """Read one opportunity, with the posting of its application where the grant allows that."""
        path = _path("opportunities", opportunity_id)
        try:
            data = self._object("GET", path, params=[("expand", "applications")])
        except PlatformError as error:
            # expanding may need a scope of its own; an unreadable opportunity answers the same without it
            if error.status not in {400, 403}:
                raise
            data = self._object("GET", path)
        if _names_applications_only(data):
            data = {**data, "applications": self._applications(path)}
        return Opportunity.from_api(data)

    def _applications(self, path: str) -> list[dict[str, Any]]:
        """Read an opportunity's applications by themselves; none where the grant doesn't show them."""
        try:
            return list(self._list(f"{path}/applications"))
        except PlatformError as error:
            if error.status not in {400, 403, 404}:
                raise
            return []

    def opportunities(self, **filters: str | Sequence[str]) -> Iterator[Opportunity]:
        """Read the opportunities that match Lever's own filters, page by page; the postings where expanding works."""
        params: list[tuple[str, str]] = []
        for name, value in filters.items():
            params += [(name, item) for item in ([value] if isinstance(value, str) else value)]
        began = False
        try:
            for row in self._list("/opportunities", [("expand", "applications"), *params]):
                began = True
                yield Opportunity.from_api(row)
        except PlatformError as error:
            if began or error.status not in {400, 403}:
                raise
            yield from (Opportunity.from_api(row) for row in self._list("/opportunities", params))

    def add_tags(
        self, opportunity_id: str, tags: Sequence[str], perform_as: str = ""
    ) -> tuple[str, ...] | None:
        """Add tags; the tags it has now, None when the answer doesn't say."""
        return self._tags("addTags", opportunity_id, tags, perform_as)

    def remove_tags(
        self, opportunity_id: str, tags: Sequence[str], perform_as: str = ""
    ) -> tuple[str, ...] | None:
        """Remove tags; the tags it has now, None when the answer doesn't say."""
        return self._tags("removeTags", opportunity_id, tags, perform_as)

    def _tags(
        self, verb: str, opportunity_id: str, tags: Sequence[str], perform_as: str
    ) -> tuple[str, ...] | None:
        path = _path("opportunities", opportunity_id, verb)
        body = unwrap(self._call("POST", path, params=_as(perform_as), payload={"tags": list(tags)}))
        found = body.get("tags") if isinstance(body, Mapping) else None
        return tuple(str(tag) for tag in found) if isinstance(found, list) else None

    def add_links(self, opportunity_id: str, links: Sequence[str], perform_as: str = "") -> None:
        """Add links to the opportunity's contact."""
        path = _path("opportunities", opportunity_id, "addLinks")
        self._call("POST", path, params=_as(perform_as), payload={"links": list(links)})

    def move_stage(self, opportunity_id: str, stage_id: str, perform_as: str = "") -> None:
        """Move the opportunity to a stage; Lever moves an archived one too."""
        path = _path("opportunities", opportunity_id, "stage")
        self._call("PUT", path, params=_as(perform_as), payload={"stage": stage_id})

    # notes

    def notes(self, opportunity_id: str) -> Iterator[dict[str, Any]]:
        """Read an opportunity's notes."""
        return self._list(_path("opportunities", opportunity_id, "notes"))

    def add_note(self, opportunity_id: str, text: str, perform_as: str = "") -> str:
        """Leave a note; its id."""
        path = _path("opportunities", opportunity_id, "notes")
        note = self._object("POST", path, params=_as(perform_as), payload={"value": text})
        return str(note.get("id") or note.get("noteId") or "")

    # feedback

    def feedback_templates(self) -> Iterator[dict[str, Any]]:
        """Read the active feedback templates."""
        return self._list("/feedback_templates")

    def feedback_template(self, template_id: str) -> dict[str, Any]:
        """Read one feedback template."""
        return self._object("GET", _path("feedback_templates", template_id))

    def create_feedback_template(self, template: Mapping[str, Any]) -> dict[str, Any]:
        """Make a feedback template."""
        return self._object("POST", "/feedback_templates", payload=template)

    def feedback_list(self, opportunity_id: str) -> Iterator[dict[str, Any]]:
        """Read the feedback of an opportunity."""
        return self._list(_path("opportunities", opportunity_id, "feedback"))

    def feedback(self, opportunity_id: str, feedback_id: str) -> dict[str, Any]:
        """Read one feedback form; Lever still answers after it was deleted, with `deletedAt`."""
        return self._object("GET", _path("opportunities", opportunity_id, "feedback", feedback_id))

    def create_feedback(self, opportunity_id: str, form: Mapping[str, Any], perform_as: str) -> str:
        """Submit a feedback form as a Lever user; its id."""
        path = _path("opportunities", opportunity_id, "feedback")
        created = self._object("POST", path, params=_as(perform_as), payload=form)
        if not created.get("id"):
            raise PlatformError("Lever accepted the feedback without saying its id", ambiguous=True)
        return str(created["id"])

    def update_feedback(
        self, opportunity_id: str, feedback_id: str, form: Mapping[str, Any], perform_as: str
    ) -> None:
        """Change values of a feedback form."""
        path = _path("opportunities", opportunity_id, "feedback", feedback_id)
        self._call("PUT", path, params=_as(perform_as), payload=form)

    # lookups

    def stages(self) -> list[dict[str, Any]]:
        """Read the pipeline's stages, in order."""
        return list(self._list("/stages"))

    def postings(self) -> Iterator[dict[str, Any]]:
        """Read the postings."""
        return self._list("/postings")

    def posting(self, posting_id: str) -> dict[str, Any]:
        """Read one posting."""
        return self._object("GET", _path("postings", posting_id))

    def users(self, **filters: str) -> Iterator[dict[str, Any]]:
        """Read the active users."""
        return self._list("/users", list(filters.items()))

    def user(self, user_id: str) -> dict[str, Any]:
        """Read one user, also one who was deactivated."""
        return self._object("GET", _path("users", user_id))

    # webhooks

    def webhooks(self) -> list[dict[str, Any]]:
        """Read the account's webhooks; Lever never tells their signature tokens again."""
        return list(self._list("/webhooks"))

    def create_webhook(self, url: str, event: str) -> dict[str, Any]:
        """Make a webhook; the only answer that holds its signature token."""
        return self._object("POST", "/webhooks", payload={"url": url, "event": event})

    def delete_webhook(self, webhook_id: str) -> None:
        """Remove a webhook made through the API."""
        self._call("DELETE", _path("webhooks", webhook_id))


def _as(user_id: str) -> list[tuple[str, str]]:
    return [("perform_as", user_id)] if user_id else []


def _names_applications_only(data: Mapping[str, Any]) -> bool:
    """Whether an opportunity says that it has applications, and nothing about them."""
    applications = data.get("applications")
    return (
        isinstance(applications, list)
        and bool(applications)
        and not any(isinstance(application, Mapping) for application in applications)
    )
