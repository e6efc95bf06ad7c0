"""LeverClient: one method per endpoint that the portal uses.

Source: https://hire.lever.co/developer/documentation
"""

from collections.abc import Iterator, Mapping, Sequence

from integrations.http.connections import Params, Upload
from integrations.http.json_values import JsonObject
from integrations.http.session import PlatformError, PlatformSession
from integrations.lever.lookups import LeverFile, LeverUser, PipelineStage, Posting, RegisteredWebhook
from integrations.lever.payloads import FeedbackForm, Opportunity, json_object, json_objects, text, texts
from integrations.lever.transport import LeverTransport, Page, TokenSource, path_of, unwrap

_WITH_APPLICATIONS = (("expand", "applications"),)
#: What is read together with opportunities, in the same call; the second where the grant refuses the first.
_EXPANDED: tuple[Params, ...] = (
    (*_WITH_APPLICATIONS, ("expand", "owner"), ("expand", "followers")),
    _WITH_APPLICATIONS,
)
#: How Lever answers when a grant doesn't let something expand.
_REFUSED = frozenset({400, 403})


class LeverClient:
    """Lever's API for one customer. Every method raises PlatformError when Lever doesn't do as asked.

    `perform_as` is the id of the Lever user that writes are attributed to; empty means the app itself.
    """

    def __init__(self, session: PlatformSession, tokens: TokenSource) -> None:
        self._api = LeverTransport(session, tokens)

    # opportunities

    def opportunity(self, opportunity_id: str) -> Opportunity:
        """Read one opportunity, with its application and the people on it where the grant allows that."""
        path = path_of("opportunities", opportunity_id)
        data = self._expanded_opportunity(path)
        applications = data.get("applications")
        is_list = isinstance(applications, list) and bool(applications)
        if is_list and not json_objects(applications):  # of each the id alone
            data = {**data, "applications": self._applications(path)}
        return Opportunity.from_api(data)

    def _expanded_opportunity(self, path: str) -> JsonObject:
        """Read an opportunity with what the grant lets expand: each may need a scope of its own."""
        for params in _EXPANDED:
            try:
                return self._api.json_object("GET", path, params=params)
            except PlatformError as error:
                # an unreadable opportunity answers the same without expanding
                if error.status not in _REFUSED:
                    raise
        return self._api.json_object("GET", path)

    def _applications(self, opportunity_path: str) -> list[JsonObject]:
        """Read an opportunity's applications; an empty list where the grant doesn't show them."""
        try:
            return list(self._api.rows(f"{opportunity_path}/applications"))
        except PlatformError as error:
            if error.status not in {400, 403, 404}:
                raise
            return []

    def opportunities(self, **filters: str | Sequence[str]) -> Iterator[Opportunity]:
        """Yield the opportunities that match Lever's own filters, with postings and people where expanding works."""
        for page in self.opportunity_pages(filters):
            yield from page.items

    def opportunity_pages(
        self, filters: Mapping[str, str | Sequence[str]], offset: str = ""
    ) -> Iterator[Page[Opportunity]]:
        """Yield the same opportunities page by page, from the page that `offset` is the token of."""
        params: list[tuple[str, str]] = []
        for name, value in filters.items():
            params += [(name, item) for item in ([value] if isinstance(value, str) else value)]
        for expanded in _EXPANDED:
            has_begun = False
            try:
                for page in self._opportunity_pages([*expanded, *params], offset):
                    has_begun = True
                    yield page
            except PlatformError as error:
                if has_begun or error.status not in _REFUSED:
                    raise
            else:
                return
        yield from self._opportunity_pages(params, offset)

    def _opportunity_pages(self, params: Params, offset: str) -> Iterator[Page[Opportunity]]:
        for page in self._api.pages("/opportunities", params, offset):
            yield Page([Opportunity.from_api(row) for row in page.items], page.next)

    def deleted_pages(self, start: str, end: str, offset: str = "") -> Iterator[Page[Opportunity]]:
        """Yield the opportunities deleted between two times in milliseconds, at most 30 days apart.

        Lever may show nothing of them but their ids and contacts. They come page by page, from the page that `offset`
        is the token of.
        """
        window = [("deleted_at_start", start), ("deleted_at_end", end)]
        for page in self._api.pages("/opportunities/deleted", window, offset):
            deleted = [Opportunity.from_api(row) for row in page.items]
            yield Page([one for one in deleted if one.id], page.next)

    def add_tags(
        self, opportunity_id: str, tags: Sequence[str], perform_as: str = ""
    ) -> tuple[str, ...] | None:
        """Add tags. Return the tags it has now, None when the answer doesn't contain them."""
        return self._change_tags("addTags", opportunity_id, tags, perform_as)

    def remove_tags(
        self, opportunity_id: str, tags: Sequence[str], perform_as: str = ""
    ) -> tuple[str, ...] | None:
        """Remove tags. Return the tags it has now, None when the answer doesn't contain them."""
        return self._change_tags("removeTags", opportunity_id, tags, perform_as)

    def _change_tags(
        self, verb: str, opportunity_id: str, tags: Sequence[str], perform_as: str
    ) -> tuple[str, ...] | None:
        path = path_of("opportunities", opportunity_id, verb)
        payload = {"tags": list(tags)}
        answer = self._api.call("POST", path, params=_as(perform_as), payload=payload)
        present = json_object(unwrap(answer)).get("tags")
        return texts(present) if isinstance(present, list) else None

    def add_links(self, opportunity_id: str, links: Sequence[str], perform_as: str = "") -> None:
        path = path_of("opportunities", opportunity_id, "addLinks")
        self._api.call("POST", path, params=_as(perform_as), payload={"links": list(links)})

    def move_stage(self, opportunity_id: str, stage_id: str, perform_as: str = "") -> None:
        """Move the opportunity to a stage; Lever moves an archived one too."""
        path = path_of("opportunities", opportunity_id, "stage")
        self._api.call("PUT", path, params=_as(perform_as), payload={"stage": stage_id})

    def interviewers(self, opportunity_id: str) -> Iterator[str]:
        """Yield the e-mail addresses of the people who interview the candidate, in interviews not cancelled."""
        path = path_of("opportunities", opportunity_id, "interviews")
        for interview in self._api.rows(path):
            if not interview.get("canceledAt"):
                for interviewer in json_objects(interview.get("interviewers")):
                    yield text(interviewer.get("email"))

    # notes

    def notes(self, opportunity_id: str) -> Iterator[str]:
        """Yield the texts of an opportunity's notes, without those that were deleted; a note may have several."""
        for note in self._api.rows(path_of("opportunities", opportunity_id, "notes")):
            if not note.get("deletedAt"):
                for field in json_objects(note.get("fields")):
                    yield text(field.get("value"))

    def add_note(self, opportunity_id: str, value: str, perform_as: str = "") -> str:
        """Leave a note. Return its id."""
        path = path_of("opportunities", opportunity_id, "notes")
        note = self._api.json_object("POST", path, params=_as(perform_as), payload={"value": value})
        return text(note.get("id") or note.get("noteId"))

    # feedback

    def feedback_templates(self) -> Iterator[FeedbackForm]:
        return map(FeedbackForm.from_api, self._api.rows("/feedback_templates"))

    def feedback_template(self, template_id: str) -> FeedbackForm:
        path = path_of("feedback_templates", template_id)
        return FeedbackForm.from_api(self._api.json_object("GET", path))

    def create_feedback_template(self, template: JsonObject) -> FeedbackForm:
        created = self._api.json_object("POST", "/feedback_templates", payload=template)
        return FeedbackForm.from_api(created)

    def feedback_list(self, opportunity_id: str) -> Iterator[FeedbackForm]:
        path = path_of("opportunities", opportunity_id, "feedback")
        rows = self._api.rows(path)
        return map(FeedbackForm.from_api, rows)

    def feedback(self, opportunity_id: str, feedback_id: str) -> FeedbackForm:
        """Read one feedback form, also a deleted one."""
        path = path_of("opportunities", opportunity_id, "feedback", feedback_id)
        return FeedbackForm.from_api(self._api.json_object("GET", path))

    def create_feedback(self, opportunity_id: str, form: JsonObject, perform_as: str) -> FeedbackForm:
        """Submit a feedback form as a Lever user. Return it as Lever has it now."""
        path = path_of("opportunities", opportunity_id, "feedback")
        created = self._api.json_object("POST", path, params=_as(perform_as), payload=form)
        submitted = FeedbackForm.from_api(created)
        if not submitted.id:
            raise PlatformError("Lever accepted the feedback without saying its id", ambiguous=True)
        return submitted

    def update_feedback(
        self, opportunity_id: str, feedback_id: str, form: JsonObject, perform_as: str
    ) -> None:
        path = path_of("opportunities", opportunity_id, "feedback", feedback_id)
        self._api.call("PUT", path, params=_as(perform_as), payload=form)

    # files

    def files(self, opportunity_id: str) -> Iterator[LeverFile]:
        """Yield the files on an opportunity; the documentation prints this list without its wrapper."""
        path = path_of("opportunities", opportunity_id, "files")
        return map(LeverFile.from_api, self._api.rows(path, may_be_bare=True))

    def upload_file(self, opportunity_id: str, upload: Upload, perform_as: str) -> str:
        """Attach a file to an opportunity as a Lever user; return its id. A repetition attaches it a second time."""
        path = path_of("opportunities", opportunity_id, "files")
        created = self._api.json_object("POST", path, params=_as(perform_as), upload=upload)
        file = LeverFile.from_api(created)
        if not file.id:
            raise PlatformError("Lever accepted the file without saying its id", ambiguous=True)
        return file.id

    def delete_file(self, opportunity_id: str, file_id: str, perform_as: str) -> None:
        path = path_of("opportunities", opportunity_id, "files", file_id)
        self._api.call("DELETE", path, params=_as(perform_as))

    # lookups

    def stages(self) -> list[PipelineStage]:
        """Read the pipeline's stages, in order."""
        rows = self._api.rows("/stages")
        return [stage for stage in map(PipelineStage.from_api, rows) if stage.id]

    def postings(self) -> Iterator[Posting]:
        rows = self._api.rows("/postings")
        return (posting for posting in map(Posting.from_api, rows) if posting.id)

    def posting(self, posting_id: str) -> Posting:
        path = path_of("postings", posting_id)
        return Posting.from_api(self._api.json_object("GET", path))

    def users(self, **filters: str) -> Iterator[LeverUser]:
        """Yield the users that match Lever's own filters."""
        rows = self._api.rows("/users", list(filters.items()))
        return (user for user in map(LeverUser.from_api, rows) if user.id)

    def active_users(self) -> list[LeverUser]:
        return sorted(
            (user for user in self.users() if user.is_active), key=lambda user: user.name.casefold()
        )

    def user(self, user_id: str) -> LeverUser:
        """Read one user, also a deactivated one."""
        return LeverUser.from_api(self._api.json_object("GET", path_of("users", user_id)))

    def first_id(self, path: str) -> str:
        """Read a list's first row, or one row; return its id, empty where there is none."""
        answer = unwrap(self._api.call("GET", path, params=[("limit", "1")]))
        rows = answer if isinstance(answer, list) else [answer]
        return text(json_object(rows[0]).get("id")) if rows else ""

    # webhooks

    def webhooks(self) -> list[RegisteredWebhook]:
        """Read the account's webhooks; Lever leaves their signature tokens out."""
        return list(map(RegisteredWebhook.from_api, self._api.rows("/webhooks")))

    def create_webhook(self, url: str, event: str) -> RegisteredWebhook:
        """Make a webhook; only this answer contains its signature token."""
        payload = {"url": url, "event": event}
        created = self._api.json_object("POST", "/webhooks", payload=payload)
        return RegisteredWebhook.from_api(created)

    def move_webhook(self, webhook: RegisteredWebhook, url: str) -> None:
        """Give a webhook that was made through the API another address; its signature token stays.

        Source: https://hire.lever.co/developer/documentation#webhooks (Update webhooks, which takes several).
        """
        changed: JsonObject = {"id": webhook.id, "url": url}
        if webhook.configuration:
            changed["configuration"] = webhook.configuration
        self._api.call("PUT", "/webhooks", payload={"data": [changed]})

    def delete_webhook(self, webhook_id: str) -> None:
        """Remove a webhook that was made through the API."""
        self._api.call("DELETE", path_of("webhooks", webhook_id))


def _as(user_id: str) -> Params:
    return [("perform_as", user_id)] if user_id else []
