"""The seed: two customers with everything the help article asks for, and candidates that are special cases."""

from portal.devtools.sandbox.values import JsonObject, stable_id

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
            _user(slug, f"{name} Recruiter", "recruiter", "team member"),
            _user(slug, f"{name} Sourcer", "sourcer", "team member"),
            _user(slug, f"{name} Hiring Manager", "hiring-manager", "limited team member"),
            _user(slug, f"{name} Former Recruiter", "former-recruiter", "team member") | {"active": False},
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
    """Return a CodeScreen account as CodeScreen publishes it: its key, its assessments, no extension."""
    return {
        "name": name,
        "api_key": stable_id(slug, "codescreen-key"),
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


def lever_accounts() -> dict[str, JsonObject]:
    """Return the customers' accounts in Lever by slug."""
    return {"acme": _acme(), "globex": _globex()}


def codescreen_accounts() -> dict[str, JsonObject]:
    """Return the customers' accounts in CodeScreen by slug."""
    return {
        "acme": codescreen_account("acme", "Acme", ASSESSMENTS),
        "globex": codescreen_account("globex", "Globex", ASSESSMENTS[:3]),
    }


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
        _posting(slug, "Site Reliability Engineer", [], department="Infrastructure"),
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
