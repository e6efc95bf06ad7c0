"""A pretend Lever and CodeScreen that answer every reading call after a while, for any number of accounts.

The sandbox keeps books of each account; a run of thousands of organizations needs only the time that a call takes.
"""

import asyncio
import json
import sys
from email.utils import formatdate
from functools import partial

STAGES = [
    {"id": f"stage-{number}", "text": name}
    for number, name in enumerate(
        ("New applicant", "Phone screen", "CodeScreen Assessment", "On-site interview", "Offer")
    )
]
POSTINGS = [
    {"id": f"role-{number}", "text": f"Role {number}", "state": "published", "tags": []}
    for number in range(20)
]
ASSESSMENTS = [{"id": f"assessment-{number}", "name": f"Assessment {number}"} for number in range(5)]
#: What the last part of a path answers; Lever wraps lists in an object.
ANSWERS: dict[str, object] = {
    "stages": {"data": STAGES, "hasNext": False},
    "postings": {"data": POSTINGS, "hasNext": False},
    "opportunities": {"data": [], "hasNext": False},
    "webhooks": {"data": [], "hasNext": False},
    "users": {
        "data": {"id": "author", "name": "Author", "email": "author@acme.example", "deactivatedAt": None}
    },
    "assessments": ASSESSMENTS,
}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Answer the requests of one connection, each after so many seconds."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            parts = head.split(" ", 2)[1].partition("?")[0].strip("/").split("/")
            found = next((ANSWERS[part] for part in reversed(parts) if part in ANSWERS), None)
            body = json.dumps(found).encode()
            await asyncio.sleep(seconds)
            status = "200 OK" if found is not None else "404 Not Found"
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nDate: {formatdate(usegmt=True)}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve(port: int, seconds: float) -> None:
    """Answer on a port of this machine until the process is ended."""
    server = await asyncio.start_server(partial(answer, seconds=seconds), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
