"""The tables with candidates' data. Erasure empties the columns under `candidate`; the others stay as evidence."""

from integrations.data_inventory.table import Table

UNTIL_ERASED = "the row stays; the data until it is erased, at the latest after `retention_days`"
#: The columns of a chain. The digest is salted, and erasure destroys the salt: it can't be guessed from.
CHAIN = frozenset({"previous_hash", "hash", "text_salt", "text_digest"})

CANDIDATE_TABLES = (
    Table(
        "integrations.Candidate",
        "everyone who entered a CodeScreen stage, invited or not; by the name they are found",
        UNTIL_ERASED,
        candidate={
            "name": "the name, as Lever has it",
            "email": "the e-mail address",
            "assessment_name": "the assessment as a tag on the candidate may name it",
        },
        harmless=frozenset({"opportunity_id", "role_id", "role_title", "stage_name"}),
        opportunity="opportunity_id",
    ),
    Table(
        "integrations.Invitation",
        "one candidate's journey through one assessment; name and address are needed to invite them",
        UNTIL_ERASED,
        candidate={
            "candidate_name": "the name, as Lever has it",
            "email": "the e-mail address",
            "status_reason": "text about what happened",
            "following_ended_reason": "text about why CodeScreen is no longer asked",
        },
        harmless=frozenset(
            {
                "opportunity_id",
                "contact_id",
                "role_id",
                "role_title",
                "stage_id",
                "stage_name",
                "assessment_id",
                "assessment_name",
                "reference",
                "external_id",
                "instance_id",
                "feedback_id",
                "raw_status",
            }
        ),
        opportunity="opportunity_id",
    ),
    Table(
        "integrations.Result",
        "what CodeScreen states about one attempt; it is written into Lever",
        UNTIL_ERASED,
        candidate={
            "report_url": "the address of the report about the person",
            "metadata": "whatever else CodeScreen sends with the result",
            "failure_reason": "why the candidate didn't pass; kept where it is one of CodeScreen's four reasons",
        },
        harmless=frozenset({"feedback_id", "file_id"}),
        opportunity="invitation__opportunity_id",
    ),
    Table(
        "integrations.Delivery",
        "webhooks as they were received, and what was decided",
        UNTIL_ERASED,
        candidate={
            "payload": "the webhook's body; ids and times in it stay",
            "explanation": "the verdict's sentence, which may quote a tag",
            "assessment_written": "the assessment as a tag on the candidate names it",
            "facts": "what the verdict rests on: stage, role, CodeScreen tags, invitations; no names, no addresses",
            "last_error": "a platform's error message",
            "traceback": "where the portal failed",
        },
        harmless=frozenset({"event", "dedupe_key", "opportunity_id", "lease_owner", "chosen_assessment"}),
        opportunity="opportunity_id",
        age="received_at",
    ),
    Table(
        "integrations.Verdict",
        "every verdict about every delivery",
        UNTIL_ERASED,
        candidate={
            "explanation": "the verdict's sentence, which may quote a tag",
            "assessment_written": "the assessment as a tag on the candidate names it",
        },
        harmless=CHAIN,
        opportunity="delivery__opportunity_id",
    ),
    Table(
        "integrations.Effect",
        "what is to be done in Lever and CodeScreen, and e-mails and alerts to the team",
        UNTIL_ERASED,
        candidate={
            "payload": "the text of notes, reports, e-mails and alerts, which may name candidates and their results",
            "written": "the tags, the feedback and the report as they were written into Lever",
            "key": "the address of a report, for the effect that adds it",
            "last_error": "a platform's error message",
            "traceback": "where the portal failed",
        },
        people={"payload": "the addresses of an e-mail's recipients"},
        harmless=frozenset({"opportunity_id", "correlation_id", "lease_owner"}),
        opportunity="opportunity_id",
        age="created_at",
    ),
    Table(
        "integrations.ApiCall",
        "the record of calls to Lever and CodeScreen; bodies are stored without names, addresses and secrets",
        "`call_retention_days`; calls of an invited candidate also until the person is erased",
        candidate={
            "path": "a path that names a person",
            "request_body": "what was sent, such as tags and notes",
            "response_body": "what was answered, such as tags and stages",
            "error": "a platform's error message",
        },
        harmless=frozenset({"platform", "method", "correlation_id", "opportunity_id"}),
        opportunity="opportunity_id",
        age="at",
    ),
    Table(
        "integrations.AuditEntry",
        "who changed what; the log proves itself, so rows are never removed",
        "for ever; texts about a candidate until they are erased",
        candidate={
            "target": "the name of the row that was changed",
            "changes": "values before and after",
            "reason": "what the person gave as the reason",
        },
        people={
            "actor_name": "who did it; for sign-ins with the client's address under `changes`, for 180 days"
        },
        harmless=CHAIN,
    ),
    Table(
        "integrations.LinterFinding",
        "findings about mappings and tags",
        "30 days after it was fixed",
        candidate={"message": "a sentence that may quote a candidate's tag"},
        harmless=frozenset({"digest", "code", "level"}),
    ),
    Table(
        "integrations.DutyRun",
        "when each duty ran last, and how it went",
        "until the next run",
        candidate={"last_error": "a platform's error message", "traceback": "where the portal failed"},
        harmless=frozenset({"lease_owner", "place"}),
    ),
)
