"""Read everything new of an organization into SQLite: python3 read_api.py https://portal.example TOKEN FILE."""

import json
import sqlite3
import sys
from contextlib import closing

import requests
from requests.adapters import HTTPAdapter, Retry


def read(portal: str, token: str, file: str) -> None:
    """Store each row that is new or changed since the last time as JSON. May be ended and run again at any time."""
    with requests.Session() as session, closing(sqlite3.connect(file)) as database:
        session.headers["Authorization"] = f"Bearer {token}"
        session.mount(
            portal, HTTPAdapter(max_retries=Retry(9, status_forcelist=[429, 503], backoff_factor=1))
        )
        database.execute("CREATE TABLE IF NOT EXISTS found (list, id, content, PRIMARY KEY (list, id))")
        database.execute("CREATE TABLE IF NOT EXISTS progress (list PRIMARY KEY, until)")
        for name in ("candidates", "invitations", "results", "verdicts"):
            since = database.execute("SELECT until FROM progress WHERE list = ?", (name,)).fetchone()
            url = f"{portal}/api/v1/{name}/?limit=1000" + (f"&updated_since={since[0]}" if since else "")
            while url:
                answer = session.get(url, timeout=60)
                answer.raise_for_status()
                page = answer.json()
                rows = [(name, row["id"], json.dumps(row)) for row in page["results"]]
                database.executemany("INSERT OR REPLACE INTO found VALUES (?, ?, ?)", rows)
                url = page["next"]
            database.execute("INSERT OR REPLACE INTO progress VALUES (?, ?)", (name, page["updated_until"]))
            database.commit()


if __name__ == "__main__":
    read(*sys.argv[1:])
