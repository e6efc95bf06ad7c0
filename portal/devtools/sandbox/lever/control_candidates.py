"""The control door: candidates are moved, archived, deleted, anonymized, tagged."""

from typing import TYPE_CHECKING

from portal.devtools.sandbox.http import Refusal, Request, Response, json_response
from portal.devtools.sandbox.ids import pick, text_list
from portal.devtools.sandbox.lever import moves
from portal.devtools.sandbox.lever.control_common import Door

if TYPE_CHECKING:
    from portal.devtools.sandbox.lever.server import LeverSandbox


class CandidateDoor(Door):
    """What a recruiter does, without the pages."""

    def __init__(self, server: "LeverSandbox") -> None:
        super().__init__(server)
        self.add(
            (
                ("POST", "move", self.move),
                ("POST", "archive", self.archive),
                ("POST", "delete", self.delete),
                ("POST", "anonymize", self.anonymize),
                ("POST", "tags", self.tags),
            )
        )

    def move(self, request: Request) -> Response:
        """Move opportunities to a stage, as the Stage button does."""
        body = request.json_object()
        account = self.account(body)
        with account.lock:
            stage = account.find_stage(pick(body, "stage", str, ""))
            if stage is None:
                raise Refusal(400, "no such stage")
            moved = [
                item.id
                for item in self.opportunities(account, body)
                if moves.change_stage(account, item, stage.id, account.actor())
            ]
        return json_response({"stage": stage.id, "moved": moved})

    def archive(self, request: Request) -> Response:
        """Archive opportunities for a reason by id or text; null un-archives."""
        body = request.json_object()
        account = self.account(body)
        with account.lock:
            wanted = body.get("reason")
            reasons = [r.id for r in account.archive_reasons.values() if wanted in (r.id, r.text)]
            if wanted is not None and not reasons:
                raise Refusal(400, "no such archive reason")
            items = self.opportunities(account, body)
            for item in items:
                moves.set_archived(account, item, reasons[0] if reasons else None)
        return json_response({"archived": [item.id for item in items]})

    def delete(self, request: Request) -> Response:
        """Delete opportunities."""
        body = request.json_object()
        account = self.account(body)
        with account.lock:
            items = self.opportunities(account, body)
            for item in items:
                moves.delete(account, item, account.actor())
        return json_response({"deleted": [item.id for item in items]})

    def anonymize(self, request: Request) -> Response:
        """Anonymize the people behind opportunities."""
        body = request.json_object()
        account = self.account(body)
        with account.lock:
            items = self.opportunities(account, body)
            for item in items:
                moves.anonymize(account, account.contact_of(item))
        return json_response({"anonymized": [item.id for item in items]})

    def tags(self, request: Request) -> Response:
        """Add and remove tags on opportunities or on a posting."""
        body = request.json_object()
        account = self.account(body)
        add, remove = text_list(body.get("add")), text_list(body.get("remove"))
        with account.lock:
            posting = account.find_posting(pick(body, "posting", str, ""))
            if posting is not None:
                for tag in add:
                    moves.tag_posting(account, posting, tag)
                for tag in remove:
                    moves.untag_posting(account, posting, tag)
                return json_response({"posting": posting.id, "tags": posting.tags})
            items = self.opportunities(account, body)
            for item in items:
                moves.add_tags(account, item, add)
                moves.remove_tags(account, item, remove)
            return json_response({"tags": {item.id: item.tags for item in items}})
