"""Control calls about candidates: they are moved, archived, deleted, anonymized, tagged."""

from portal.devtools.sandbox.http.messages import (
    HttpError,
    Request,
    Response,
    Route,
    control_route,
    json_response,
)
from portal.devtools.sandbox.lever.behaviour import candidacies
from portal.devtools.sandbox.lever.control.base import LeverControl
from portal.devtools.sandbox.values import pick, text_list


class CandidateControl(LeverControl):
    """Acts as a recruiter would on the pages."""

    def routes(self) -> list[Route]:
        """Return the calls' routes."""
        return [
            control_route("POST", "move", self.move),
            control_route("POST", "archive", self.archive),
            control_route("POST", "delete", self.delete),
            control_route("POST", "anonymize", self.anonymize),
            control_route("POST", "tags", self.change_tags),
            control_route("POST", "people", self.change_people),
        ]

    def move(self, request: Request) -> Response:
        """Move opportunities to a stage, as the Stage button does."""
        body = request.json_object()
        account = self.account(body)
        with account.lock:
            stage = account.find_stage(pick(body, "stage", str, ""))
            if stage is None:
                raise HttpError(400, "no such stage")
            moved = [
                item.id
                for item in self.opportunities(account, body)
                if candidacies.change_stage(account, item, stage.id, account.actor())
            ]
        return json_response({"stage": stage.id, "moved": moved})

    def archive(self, request: Request) -> Response:
        """Archive opportunities for a reason by id or text; null un-archives."""
        body = request.json_object()
        account = self.account(body)
        with account.lock:
            named = body.get("reason")
            reasons = [r.id for r in account.archive_reasons.values() if named in (r.id, r.text)]
            if named is not None and not reasons:
                raise HttpError(400, "no such archive reason")
            items = self.opportunities(account, body)
            for item in items:
                candidacies.set_archived(account, item, reasons[0] if reasons else None)
        return json_response({"archived": [item.id for item in items]})

    def delete(self, request: Request) -> Response:
        """Delete opportunities."""
        body = request.json_object()
        account = self.account(body)
        with account.lock:
            items = self.opportunities(account, body)
            for item in items:
                candidacies.delete(account, item, account.actor())
        return json_response({"deleted": [item.id for item in items]})

    def anonymize(self, request: Request) -> Response:
        """Anonymize the contacts of opportunities."""
        body = request.json_object()
        account = self.account(body)
        with account.lock:
            items = self.opportunities(account, body)
            for item in items:
                candidacies.anonymize(account, account.contact_of(item))
        return json_response({"anonymized": [item.id for item in items]})

    def change_people(self, request: Request) -> Response:
        """Set by user id who owns, follows and interviews opportunities, and who hires for their posting."""
        body = request.json_object()
        account = self.account(body)
        with account.lock:
            items = self.opportunities(account, body)
            for item in items:
                item.owner = pick(body, "owner", str, item.owner)
                if "followers" in body:
                    item.followers = text_list(body["followers"])
                if "interviewers" in body:
                    item.interviewers = text_list(body["interviewers"])
                posting = account.postings.get(item.posting_id or "")
                if posting is not None:
                    posting.hiring_manager = pick(body, "hiring_manager", str, posting.hiring_manager)
                item.mark_updated()
        return json_response({"changed": [item.id for item in items]})

    def change_tags(self, request: Request) -> Response:
        """Add and remove tags on opportunities or on a posting."""
        body = request.json_object()
        account = self.account(body)
        add, remove = text_list(body.get("add")), text_list(body.get("remove"))
        with account.lock:
            posting = account.find_posting(pick(body, "posting", str, ""))
            if posting is not None:
                for tag in add:
                    candidacies.tag_posting(account, posting, tag)
                for tag in remove:
                    candidacies.untag_posting(account, posting, tag)
                return json_response({"posting": posting.id, "tags": posting.tags})
            items = self.opportunities(account, body)
            for item in items:
                candidacies.add_tags(account, item, add)
                candidacies.remove_tags(account, item, remove)
            return json_response({"tags": {item.id: item.tags for item in items}})
