"""The seed: two customers with everything the help article asks for, and candidates that are special cases.

It is one JSON document; a file of the same form takes its place on the command line.
"""

import json
from pathlib import Path

from portal.devtools.sandbox.ids import stable_id
from portal.devtools.sandbox.json_values import JsonObject, pick
from portal.devtools.sandbox.seed_accounts import ASSESSMENTS, codescreen_account, lever_account

TREES = (
    "Alder",
    "Birch",
    "Cedar",
    "Dogwood",
    "Elm",
    "Fir",
    "Ginkgo",
    "Hazel",
    "Ivy",
    "Juniper",
    "Katsura",
    "Larch",
)


def default_seed() -> JsonObject:
    """Return the document with the customers `acme` and `globex`."""
    return {
        "lever": {"accounts": {"acme": _acme(), "globex": _globex()}},
        "codescreen": {
            "accounts": {
                "acme": codescreen_account("acme", "Acme", ASSESSMENTS),
                "globex": codescreen_account("globex", "Globex", ASSESSMENTS[:3]),
            }
        },
    }


def read_seed(path: Path) -> JsonObject:
    """Return the document in a file."""
    document = json.loads(path.read_text())
    if not isinstance(document, dict):
        raise ValueError(f"{path} does not hold a JSON object")
    return document


def seeded_accounts(document: JsonObject | None, platform: str) -> JsonObject:
    """Return a platform's accounts by slug in a seed document, by default in the built-in one."""
    seed = default_seed() if document is None else document
    accounts: JsonObject = pick(pick(seed, platform, dict, {}), "accounts", dict, {})
    return accounts


def _posting(slug: str, text: str, tags: list[str], **more: str) -> JsonObject:
    return {"id": stable_id(slug, "posting", text), "text": text, "tags": tags, **more}


def _candidate(slug: str, word: str, posting: str, **more: object) -> JsonObject:
    document: JsonObject = {
        "id": stable_id(slug, "opportunity", word),
        "contact": stable_id(slug, "contact", word),
        "name": f"Candidate {word}",
        "emails": [f"{word.lower()}@candidates.example"],
        "stage": "applicant-new",
        "posting": posting,
    }
    return document | more


def _acme() -> JsonObject:
    slug = "acme"
    account = lever_account(slug, "Acme")
    account["postings"] = [
        _posting(slug, "Backend Engineer", ["CodeScreen Backend"]),
        _posting(slug, "Frontend Engineer", ["CodeScreen Frontend Developer"]),
        _posting(slug, "Data Engineer", ["CodeScreen Data Enginer"], team="Data"),
        _posting(slug, "Site Reliability Engineer", [], team="Platform"),
        _posting(
            slug, "Mobile Engineer", ["CodeScreen Mobile iOS", "CodeScreen Mobile Android"], team="Mobile"
        ),
        _posting(slug, "Principal Engineer", ["CodeScreen Backend"], confidentiality="confidential"),
    ]
    postings = ("Backend Engineer", "Frontend Engineer", "Data Engineer", "Site Reliability Engineer")
    plain = [
        _candidate(slug, word, postings[index % 4] if index > 3 else postings[index % 2])
        for index, word in enumerate(TREES)
    ]
    withdrew = stable_id(slug, "archive-reason", "Withdrew")
    no_contact = {
        "store": {"allowed": True, "expiresAt": None},
        "contact": {"allowed": False, "expiresAt": None},
    }
    odd = [
        _candidate(slug, "Maple", "Mobile Engineer"),
        _candidate(slug, "Nyssa", "Backend Engineer", emails=[]),
        _candidate(
            slug,
            "Oak",
            "Frontend Engineer",
            emails=["oak@candidates.example", "oak.work@candidates.example", "oak.old@candidates.example"],
        ),
        _candidate(slug, "Pine", "Backend Engineer", archived=withdrew),
        _candidate(slug, "Quince", "Principal Engineer", confidentiality="confidential"),
        _candidate(slug, "Rowan", "Backend Engineer", data_protection=no_contact),
        _candidate(
            slug, "Spruce", "Backend Engineer", name="Anonymized candidate", emails=[], anonymized=True
        ),
        _candidate(slug, "Sequoia", "Frontend Engineer", name="Sequoia"),
        _candidate(slug, "Olive", "Backend Engineer", name="Kandidat Ölbaum Świerk-Örnek 橄榄"),
        _candidate(slug, "Tamarack", "Backend Engineer"),
        _candidate(
            slug,
            "Tamarack again",
            "Frontend Engineer",
            name="Candidate Tamarack",
            contact=stable_id(slug, "contact", "Tamarack"),
            emails=["tamarack@candidates.example"],
        ),
        _candidate(slug, "Upas", "", stage="lead-new", origin="sourced", tags=["CodeScreen Backend"]),
    ]
    account["candidates"] = plain + odd
    return account


def _globex() -> JsonObject:
    slug = "globex"
    account = lever_account(slug, "Globex")
    account["postings"] = [
        _posting(slug, "Backend Developer", ["CodeScreen Backend"]),
        _posting(slug, "Web Developer", ["CodeScreen Frontend Developer"]),
    ]
    words = ("Willow", "Yew", "Zelkova", "Aspen", "Beech")
    titles = ("Backend Developer", "Web Developer")
    account["candidates"] = [_candidate(slug, word, titles[index % 2]) for index, word in enumerate(words)]
    return account
