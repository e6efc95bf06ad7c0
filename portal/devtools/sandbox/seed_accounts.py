"""Seed documents of single accounts, with everything but candidates. Every id follows from a name."""

from portal.devtools.sandbox.ids import stable_id
from portal.devtools.sandbox.json_values import JsonObject

BUILT_IN_STAGES = {
    "lead-new": "New lead",
    "lead-reached-out": "Reached out",
    "lead-responded": "Responded",
    "applicant-new": "New applicant",
    "offer": "Offer",
}
CUSTOM_STAGES = ("Phone screen", "CodeScreen Assessment", "CodeScreen Take-home", "On-site interview")
ARCHIVE_REASONS = ("Hired", "Underqualified", "Withdrew", "Position closed")
ASSESSMENTS = (
    ("Backend", 7, 3, 20),
    ("Frontend Developer", 7, 3, 24),
    ("Data Engineer", 5, 4, 18),
    ("Mobile iOS", 7, 2, 16),
    ("Mobile Android", 7, 2, 16),
    ("SRE Troubleshooting", 3, 1, 0),
)


def lever_account(slug: str, name: str) -> JsonObject:
    """Return a Lever account with its users, stages and archive reasons, and nobody in it yet."""
    return {
        "name": name,
        "users": [
            _user(slug, f"{name} Super Admin", "super-admin", "super admin"),
            _user(slug, f"{name} Admin", "admin", "admin"),
            _user(slug, f"{name} Interviewer", "interviewer", "interviewer"),
            _user(slug, f"{name} Former Interviewer", "former", "interviewer") | {"active": False},
        ],
        "stages": [{"id": stage_id(slug, stage), "text": text} for stage, text in _stages()],
        "archive_reasons": [
            {
                "id": stable_id(slug, "archive-reason", text),
                "text": text,
                "type": "hired" if text == "Hired" else "non-hired",
            }
            for text in ARCHIVE_REASONS
        ],
        "postings": [],
        "candidates": [],
    }


def codescreen_account(
    slug: str, name: str, assessments: tuple[tuple[str, int, int, int], ...]
) -> JsonObject:
    """Return a CodeScreen account: its key, its extensions, its assessments."""
    return {
        "name": name,
        "api_key": stable_id(slug, "codescreen-key"),
        "metadata": True,
        "idempotency": False,
        "conflict_409": False,
        "assessments": [
            {
                "id": stable_id(slug, "assessment", text),
                "name": text,
                "days_to_start": start,
                "days_to_finish": finish,
                "unit_tests": tests,
            }
            for text, start, finish, tests in assessments
        ],
    }


def stage_id(slug: str, stage: str) -> str:
    """Return a stage's id: built-in ones have words for ids, the others UUIDs."""
    return stage if stage in BUILT_IN_STAGES else stable_id(slug, "stage", stage)


def _stages() -> list[tuple[str, str]]:
    built_in = list(BUILT_IN_STAGES.items())
    return [*built_in[:-1], *((text, text) for text in CUSTOM_STAGES), built_in[-1]]


def _user(slug: str, name: str, word: str, role: str) -> JsonObject:
    return {
        "id": stable_id(slug, "user", word),
        "name": name,
        "email": f"{word}@{slug}.example",
        "role": role,
        "active": True,
    }
