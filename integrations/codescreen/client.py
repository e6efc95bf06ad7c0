"""CodeScreenClient: the three published calls and the names that CodeScreen requires."""

from itertools import takewhile
from typing import NamedTuple
from urllib.parse import quote

from integrations.codescreen.payloads import Progress, instance_id_in, listed_assessment
from integrations.core.rules.names import KnownAssessment
from integrations.http.session import PlatformError, PlatformSession

# From Lever's one name to the first and last name that CodeScreen requires and greets the person by.


#: In lower case and without dots, as the words are compared.
TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof"})
SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "phd", "md", "mba", "esq"})
NO_FIRST_NAME, NO_LAST_NAME = "Candidate", "-"


def split_name(name: str) -> tuple[str, str]:
    """Return a first and a last name, neither of them empty.

    The last word is the last name, with the suffixes after it (II, Jr.). A title in front is left out if at
    least two more words follow it. What follows a comma, such as a profession, is left out too, unless it is a suffix.
    """
    parts = [part.split() for part in name.split(",")]
    words = next((part for part in parts if part), [])
    after_comma = parts[parts.index(words) + 1 :]
    only_suffixes = takewhile(lambda part: all(_plain(word) in SUFFIXES for word in part), after_comma)
    suffixes = [word for part in only_suffixes for word in part]
    if len(words) > 2 and _plain(words[0]) in TITLES:
        words = words[1:]
    while len(words) > 2 and _plain(words[-1]) in SUFFIXES:
        suffixes.insert(0, words.pop())
    if not words:
        return NO_FIRST_NAME, NO_LAST_NAME
    if len(words) == 1:
        return words[0], " ".join(suffixes) or NO_LAST_NAME
    return " ".join(words[:-1]), " ".join([words[-1], *suffixes])


def _plain(word: str) -> str:
    return word.replace(".", "").casefold()


# CodeScreenClient: the three published calls.
#
# Source: https://docs.codescreen.com (API: authentication, list assessments, send assessment, get status).


#: By which names CodeScreen's documentation has the list of assessments, the likeliest first.
LIST_PATHS = ("/assessments", "/listAssessments", "/listTests")
NOT_CODESCREEN = (
    "This is not CodeScreen's API: its address answers 404 to each documented name of the list of assessments"
)


class AssessmentList(NamedTuple):
    """The assessments of an account, and the name by which CodeScreen answered the list."""

    assessments: list[KnownAssessment]
    path: str


class CodeScreenClient:
    """CodeScreen's API for one customer. Every method raises PlatformError when CodeScreen doesn't do as asked.

    `list_path` is the name by which it answered the list of assessments before, if it did.
    """

    def __init__(self, session: PlatformSession, api_key: str, list_path: str = "") -> None:
        self._session = session
        self._headers = {"Authorization": f"apiKey {api_key}"}
        self._list_path = list_path

    def assessments(self) -> AssessmentList:
        """Read the list by the name that answered before, then by each documented one until one isn't a 404."""
        for path in filter(None, dict.fromkeys((self._list_path, *LIST_PATHS))):
            try:
                rows = self._session.request("GET", path, headers=self._headers)
            except PlatformError as error:
                if error.status != 404:
                    raise
            else:
                return AssessmentList(_listed(rows), path)
        raise PlatformError(NOT_CODESCREEN, permanent=True, status=404)

    def send(self, assessment_id: str, name: str, email: str) -> str:
        """Invite one person; CodeScreen sends the e-mail. Return CodeScreen's instance id.

        Raises PlatformError, `ambiguous` when the person may have been invited all the same.
        """
        first_name, last_name = split_name(name)
        payload = {
            "assessmentId": assessment_id,
            "firstName": first_name,
            "lastName": last_name,
            "email": email,
        }
        body = self._session.request("POST", "/assessments", payload=payload, headers=self._headers)
        instance_id = instance_id_in(body)
        if not instance_id:
            raise PlatformError("CodeScreen accepted the invitation without saying its id", ambiguous=True)
        return instance_id

    def status(self, instance_id: str) -> Progress:
        path = "/assessments/" + quote(instance_id, safe="")
        body = self._session.request("GET", path, headers=self._headers)
        if not isinstance(body, dict):
            raise PlatformError("CodeScreen answered the status with something else")
        progress = Progress.from_api(body)
        if not progress.status:
            raise PlatformError("CodeScreen answered the status without “status”")
        return progress


def _listed(rows: object) -> list[KnownAssessment]:
    if not isinstance(rows, list):
        raise PlatformError("CodeScreen answered the list of assessments with something else")
    return [
        listed_assessment(row)
        for row in rows
        if isinstance(row, dict) and isinstance(row.get("assessmentId"), str)
    ]
