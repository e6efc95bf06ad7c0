"""A pretend Lever and CodeScreen that answer each call after a while, for any number of accounts.

The sandbox keeps books of each account and reads them out slowly. A benchmark needs only the answers, the time that
they take, and when each call came.
"""

import asyncio
import itertools
import json
import re
import sys
import time
from contextlib import suppress
from email.utils import formatdate

STAGES = [
    {"id": f"stage-{number}", "text": name}
    for number, name in enumerate(
        ("New applicant", "Phone screen", "CodeScreen Assessment", "On-site interview", "Offer")
    )
]
TRIGGER_STAGE = "stage-2"
POSTINGS = [
    {"id": f"role-{number}", "text": f"Role {number}", "state": "published", "tags": []}
    for number in range(20)
]
ASSESSMENTS = [
    {"assessmentId": f"assessment-{number}", "assessmentName": f"Assessment {number}"} for number in range(5)
]
#: When every candidate came into the trigger stage, in milliseconds since 1970. It is after Lever was connected: the
#: portal only offers candidates who were there before.
ENTERED_AT = int(time.time() * 1000)
AUTHOR = {"id": "author", "name": "Author", "email": "author@acme.example", "accessRole": "super admin"}
#: What the last part of a path answers; Lever wraps its answers in an object.
ANSWERS: dict[str, object] = {
    "stages": {"data": STAGES, "hasNext": False},
    "postings": {"data": POSTINGS, "hasNext": False},
    "opportunities": {"data": [], "hasNext": False},
    "webhooks": {"data": [], "hasNext": False},
    "users": {"data": [AUTHOR], "hasNext": False},
    "author": {"data": AUTHOR},
}
#: Answers the calls noted so far, as a list of [seconds since 1970, method, path, body].
NOTES_PATH = "/notes-of-calls"

type Call = tuple[float, str, str, str]
_instances = itertools.count(1)


def answer_to(method: str, path: str) -> object:
    """Return the decoded JSON of an answer, None for a path that neither platform has."""
    parts = path.strip("/").split("/")
    if parts[-1] == "assessments":
        return {"assessmentInstanceId": f"instance-{next(_instances)}"} if method == "POST" else ASSESSMENTS
    if parts[-1] in {"addTags", "removeTags"}:
        return {"data": {**opportunity(parts[-2]), "tags": ["CodeScreen: Candidate Invited"]}}
    if len(parts) > 1 and parts[-2] == "opportunities":
        return {"data": opportunity(parts[-1])}
    if len(parts) > 1 and parts[-2] == "postings":
        return {"data": {**POSTINGS[0], "id": parts[-1]}}
    return next((ANSWERS[part] for part in reversed(parts) if part in ANSWERS), None)


def opportunity(opportunity_id: str) -> dict[str, object]:
    """Return an opportunity that is in the trigger stage."""
    return {
        "id": opportunity_id,
        "name": f"Candidate {opportunity_id}",
        "contact": f"contact-{opportunity_id}",
        "emails": [f"{opportunity_id}@example.com"],
        "stage": TRIGGER_STAGE,
        "stageChanges": [{"toStageId": TRIGGER_STAGE, "updatedAt": ENTERED_AT}],
        "tags": [],
        "links": [],
        "applications": [{"id": "application", "posting": "role-0", "postingHiringManager": None}],
        "archived": None,
        "isAnonymized": False,
        "dataProtection": None,
        "owner": AUTHOR,
        "followers": [],
        "urls": {"show": f"https://hire.lever.example/candidates/{opportunity_id}"},
    }


class Platforms:
    """Both platforms: what they were asked, and the seconds after which they answer."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._calls: list[Call] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one after another."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1])) if length else b""
                method, target, _ = head.split(" ", 2)
                found = await self._found(method, target.partition("?")[0], body.decode())
                writer.write(_response(found))
        writer.close()

    async def _found(self, method: str, path: str, body: str) -> object:
        if path == NOTES_PATH:
            return self._calls
        self._calls.append((time.time(), method, path, body))
        await asyncio.sleep(self._seconds)
        return answer_to(method, path)


_LENGTH = re.compile(r"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)


def _response(found: object) -> bytes:
    body = json.dumps(found).encode()
    status = "404 Not Found" if found is None else "200 OK"
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nDate: {formatdate(usegmt=True)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def serve(port: int, seconds: float) -> None:
    """Answer on a port of this machine until the process is ended."""
    server = await asyncio.start_server(Platforms(seconds).serve, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
