"""The accounts that the pretend CodeScreen begins with."""

from portal.devtools.sandbox.codescreen.state import Assessment, CodeScreenAccount, CodeScreenSettings
from portal.devtools.sandbox.values import stable_id

#: Names, days to start and to finish, and unit tests.
ASSESSMENTS = (
    ("Backend", 7, 3, 20),
    ("Frontend Developer", 7, 3, 24),
    ("Data Engineer", 5, 4, 18),
    ("Mobile iOS", 7, 2, 16),
    ("Mobile Android", 7, 2, 16),
    ("SRE Troubleshooting", 3, 1, 0),
)


def key_of(slug: str) -> str:
    """Return the API key that an account begins with."""
    return stable_id(slug, "codescreen-key")


def new_account(slug: str, assessments: int = len(ASSESSMENTS)) -> CodeScreenAccount:
    """Return an account as CodeScreen publishes it: its key, the first so many assessments, no extension."""
    account = CodeScreenAccount(slug, slug.title(), key_of(slug), CodeScreenSettings())
    for name, start, finish, tests in ASSESSMENTS[:assessments]:
        made = Assessment(stable_id(slug, "assessment", name), name, start, finish, tests)
        account.assessments[made.id] = made
    return account
