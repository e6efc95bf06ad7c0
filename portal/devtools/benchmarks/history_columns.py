"""What the rows of a made-up history hold: for each table, the SQL of the columns that depend on the candidate.

The SQL is of both databases alike. Rows with a higher number are older, so they have lower ids.
"""

from collections.abc import Mapping

from django.db import connection

LIMITED_ADDRESS = "limited@example.org"
#: Seconds between two candidates: a million fill a year.
STEP = 31
#: The id of candidate n is this less n.
TOP = 100_000_000
OTHER_ORGANIZATIONS = 49

FIRST_NAMES = (
    "Ada",
    "Grace",
    "Alan",
    "Edsger",
    "Barbara",
    "Donald",
    "Radia",
    "Tim",
    "Margaret",
    "Linus",
    "Frances",
)
LAST_NAMES = (
    "Hart",
    "Winter",
    "Alder",
    "Stone",
    "Marsh",
    "Field",
    "Brook",
    "Reed",
    "Holm",
    "Birch",
    "Vale",
    "Thorn",
)
ENDINGS = ("son", "er", "ley", "ford", "wood", "man", "ton", "ham", "well", "dale", "by", "low", "worth")
ROLES = ("Backend Engineer", "Frontend Engineer", "Data Scientist", "Site Reliability Engineer", "Designer")
ASSESSMENTS = ("Backend", "Frontend", "Data science", "Operations", "Algorithms", "SQL", "Design")
VERDICTS = ("not_a_trigger_stage", "not_a_trigger_stage", "ignored_event", "left_stage")
KINDS = ("send_invitation", "set_progress_tag", "set_progress_tag", "write_feedback", "send_email")

DECIDED = "n % 100000 <> 9"
_IS_INVITED = "n % 10 < 6 AND n % 20000 <> 5"
_HAS_RESULT = "n > 20000 AND n % 10 < 8 AND n % 5000 NOT IN (1, 2)"

PAYLOAD = {
    "id": "0a1b2c3d-0000-4000-8000-000000000000",
    "triggeredAt": 1700000000000,
    "event": "candidateStageChange",
    "signature": "0" * 64,
    "token": "0" * 36,
    "data": {
        "opportunityId": "0a1b2c3d-0000-4000-8000-000000000001",
        "contactId": "0a1b2c3d-0000-4000-8000-000000000002",
        "fromStageId": "0a1b2c3d-0000-4000-8000-000000000003",
        "toStageId": "0a1b2c3d-0000-4000-8000-000000000004",
    },
}
BODY = (
    '{"data": {"id": "0a1b2c3d-0000-4000-8000-000000000001", "stage": {"id": "x", "text": "CodeScreen"}}}' * 4
)


def opportunity_id(number: int) -> str:
    """Return the opportunity id of candidate `number`."""
    return f"opportunity-{number}"


def ago(seconds: str) -> str:
    """Return the SQL of the time so many seconds ago."""
    if connection.vendor == "postgresql":
        return f"now() - interval '1 second' * ({seconds})"
    return f"datetime('now', '-' || ({seconds}) || ' seconds')"


def _one_of(texts: tuple[str, ...], number: str) -> str:
    choices = " ".join(f"WHEN {index} THEN '{text}'" for index, text in enumerate(texts))
    return f"CASE ({number}) % {len(texts)} {choices} END"


def _json(text: str) -> str:
    """Return the SQL of a JSON column's value."""
    return f"CAST({text} AS jsonb)" if connection.vendor == "postgresql" else text


def _own(large: int, number: str = "n") -> dict[str, str]:
    """Every second candidate is the large organization's; the others have equally many, and ids that follow it."""
    other = f"{large} + 1 + ({number} / 2) % {OTHER_ORGANIZATIONS}"
    return {"organization_id": f"CASE WHEN {number} % 2 = 0 THEN {large} ELSE {other} END"}


def _opportunity(number: str = "n") -> str:
    return f"'opportunity-' || {number}"


def _id(number: str = "n") -> str:
    return f"{TOP} - {number}"


def invitation(large: int) -> Mapping[str, str]:
    """Invitations: most completed, the newest on the way, few that wait for a person."""
    role = _one_of(ROLES, "n / 3")
    assessment = _one_of(ASSESSMENTS, "n / 7")
    at = ago(f"n * {STEP}")
    status = (
        "CASE WHEN n % 5000 = 1 THEN 'held' WHEN n % 5000 = 2 THEN 'uncertain' WHEN n <= 20000 THEN "
        "CASE n % 3 WHEN 0 THEN 'invited' WHEN 1 THEN 'in_progress' ELSE 'submitted' END "
        "WHEN n % 10 = 8 THEN 'withdrawn' WHEN n % 10 = 9 THEN 'failed' ELSE 'completed' END"
    )
    return {
        **_own(large),
        "id": _id(),
        "opportunity_id": _opportunity(),
        "contact_id": "'contact-' || n",
        "candidate_name": f"{_one_of(FIRST_NAMES, 'n')} || ' ' || {_one_of(LAST_NAMES, 'n / 11')} || "
        f"{_one_of(ENDINGS, 'n / 132')}",
        "email": "'candidate' || n || '@example.org'",
        "role_id": "'role-' || (n / 3) % 5",
        "role_title": f"{role} || ' ' || (n / 15) % 40",
        "assessment_id": "'assessment-' || (n / 7) % 7",
        "assessment_name": assessment,
        "reference": "'r' || n",
        "instance_id": "'instance-' || n",
        "status": status,
        "created_at": at,
        "changed_at": at,
        "invited_at": at,
        "completed_at": f"CASE WHEN {_HAS_RESULT} THEN {at} END",
        "next_poll_at": f"CASE WHEN n <= 20000 THEN {ago('0')} END",
    }


def delivery(large: int) -> Mapping[str, str]:
    """Deliveries: three of five invite, most others don't concern the portal, few can be acted upon."""
    verdict = (
        "CASE WHEN n % 100000 = 9 THEN '' WHEN n % 20000 = 5 THEN 'unknown_assessment' "
        f"WHEN {_IS_INVITED} THEN 'invite' "
        "WHEN n % 1000 = 7 THEN 'no_email' WHEN n % 10 = 9 THEN 'noted' "
        f"ELSE {_one_of(VERDICTS, 'n / 10')} END"
    )
    at = ago(f"n * {STEP} + 3")
    return {
        **_own(large),
        "id": _id(),
        "platform": "CASE WHEN n % 10 = 9 AND n % 100000 <> 9 THEN 'codescreen' ELSE 'lever' END",
        "event": "'candidateStageChange'",
        "dedupe_key": "'delivery-' || n",
        "opportunity_id": _opportunity(),
        "verdict": verdict,
        "explanation": f"CASE WHEN {DECIDED} THEN 'The candidate entered “CodeScreen Assessment”: “' || "
        f"{_one_of(ASSESSMENTS, 'n / 7')} || '”.' ELSE '' END",
        "last_error": f"CASE WHEN {DECIDED} THEN '' ELSE 'Workers started this 6 times in a row.' END",
        "received_at": at,
        "decided_at": f"CASE WHEN {DECIDED} THEN {at} END",
        "due_at": "NULL",
        "invitation_id": f"CASE WHEN {_IS_INVITED} THEN {_id()} END",
    }


def candidate(large: int) -> Mapping[str, str]:
    """Candidates: of each delivery; six in ten are invited, and an eighth of those has a stated outcome."""
    return {
        **_own(large),
        "id": _id(),
        "opportunity_id": _opportunity(),
        "name": invitation(large)["candidate_name"],
        "email": "'candidate' || n || '@example.org'",
        "role_id": f"'role-' || {_one_of(ROLES, 'n / 3')}",
        "role_title": _one_of(ROLES, "n / 3"),
        "assessment_name": _one_of(ASSESSMENTS, "n / 7"),
        "entered_at": ago(f"n * {STEP} + 3"),
        "delivery_id": _id(),
        "invitation_id": f"CASE WHEN {_IS_INVITED} THEN {_id()} END",
        "outcome": f"CASE WHEN {_IS_INVITED} AND {_HAS_RESULT} AND n % 7 = 0 THEN 'Passed' "
        f"WHEN {_IS_INVITED} AND {_HAS_RESULT} AND n % 7 = 1 THEN 'Failed' ELSE '' END",
    }


def verdict(large: int) -> Mapping[str, str]:
    """Verdicts: the current one of each decided delivery."""
    same = delivery(large)
    return {
        **_own(large),
        "id": _id(),
        "delivery_id": _id(),
        "code": same["verdict"],
        "explanation": same["explanation"],
        "invitation_id": same["invitation_id"],
        "cause": "CASE WHEN n % 500 = 3 THEN 'replay' ELSE 'first' END",
        "decided_at": same["received_at"],
        "position": _id(),
    }


def effect(large: int) -> Mapping[str, str]:
    """Effects: nearly all done, one of two thousand failed."""
    kind = _one_of(KINDS, "n")
    return {
        **_own(large),
        "id": _id(),
        "invitation_id": _id(),
        "delivery_id": f"CASE WHEN {_IS_INVITED} THEN {_id()} END",
        "kind": kind,
        "email_topic": f"CASE WHEN ({kind}) = 'send_email' THEN 'invitation_failed' ELSE '' END",
        "payload": _json(
            f"CASE {kind} WHEN 'set_progress_tag' THEN '{{\"tag\": \"CodeScreen: Candidate Invited\"}}' "
            f"WHEN 'write_feedback' THEN '{{\"result\": ' || ({_id()}) || '}}' ELSE '{{}}' END"
        ),
        "key": "'effect-' || n",
        "opportunity_id": _opportunity(),
        "state": "CASE WHEN n % 2000 = 6 THEN 'failed' ELSE 'done' END",
        "last_error": "CASE WHEN n % 2000 = 6 THEN 'Lever answered 500.' ELSE '' END",
        "attempts": "1",
        "due_at": "NULL",
        "created_at": ago(f"n * {STEP} + 2"),
        "done_at": ago(f"n * {STEP} + 1"),
        "correlation_id": "'correlation-' || n",
    }


def result(large: int) -> Mapping[str, str]:
    """Results: of each invitation, since one more attempt changes nothing here."""
    return {
        **_own(large),
        "id": _id(),
        "invitation_id": _id(),
        "outcome": "CASE WHEN n % 7 = 0 THEN 'Passed' WHEN n % 7 = 1 THEN 'Failed' ELSE '' END",
        "score": "n % 101",
        "rating": "1 + (n % 101) / 26",
        "feedback_id": "'feedback-' || n",
        "created_at": ago(f"n * {STEP}"),
    }


def call(large: int, candidate: str) -> Mapping[str, str]:
    """Calls: nearly all answered well."""
    return {
        **_own(large, candidate),
        "id": f"{TOP} * 10 - n",
        "effect_id": _id(candidate),
        "platform": "CASE WHEN n % 5 = 0 THEN 'codescreen' ELSE 'lever' END",
        "method": "CASE WHEN n % 5 = 0 THEN 'POST' ELSE 'GET' END",
        "path": f"'/opportunities/' || {_opportunity(candidate)}",
        "status": "CASE WHEN n % 20000 = 11 THEN NULL WHEN n % 5000 = 7 THEN 500 WHEN n % 1000 = 3 THEN 429 "
        "ELSE 200 END",
        "correlation_id": f"'correlation-' || {candidate}",
        "opportunity_id": _opportunity(candidate),
        "at": ago(f"n * {STEP} / 5"),
    }


def audit_entry(large: int) -> Mapping[str, str]:
    """Audit entries of twenty people and of commands."""
    return {
        **_own(large),
        "id": _id(),
        "position": _id(),
        "actor_name": "'person-' || (n / 5) % 20",
        "action": "CASE WHEN n % 50 = 0 THEN 'retry' ELSE 'approve' END",
        "target_kind": "CASE WHEN n % 50 = 0 THEN 'effect' WHEN n % 5000 = 5 THEN 'mapping' ELSE 'invitation' END",
        "target_id": _id(),
        "target": "'Backend for opportunity-' || n",
        "at": ago(f"n * {STEP}"),
    }


def person(large: int, one_in: int) -> Mapping[str, str]:
    """People on candidates; the limited member is on one of so many of the large organization's."""
    return {
        **_own(large),
        "opportunity_id": _opportunity(),
        "email": f"CASE WHEN n % {one_in} = 2 THEN '{LIMITED_ADDRESS}' ELSE 'person' || n % 500 || '@example.org' END",
    }


def busy(number: int) -> Mapping[str, str]:
    """What all rows of the candidate with the longest timeline have in common."""
    return {"opportunity_id": f"'{opportunity_id(number)}'"}


def busy_delivery(number: int) -> Mapping[str, str]:
    """Deliveries of that candidate."""
    at = ago("n * 600")
    return {
        "dedupe_key": "'busy-' || n",
        "received_at": at,
        "decided_at": at,
        "due_at": "NULL",
        "invitation_id": _id(str(number)),
    }
