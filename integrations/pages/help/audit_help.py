"""The questions that auditors ask, and the lists of the admin that answer them."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode


@dataclass(frozen=True)
class AuditQuestion:
    """One question, in words where its answer is, and the answer's address in the admin."""

    text: str
    answer: str
    address: str


def audit_questions() -> list[AuditQuestion]:
    """Return the ten questions of auditors."""
    return [
        AuditQuestion(
            "Why did this candidate get no test?",
            "Find the person by name under Candidates: their page says why. The admin lists everyone without a test.",
            _rows("candidate", invited="no"),
        ),
        AuditQuestion(
            "Who changed a mapping last week?",
            "The audit log has who, when, and the values before and after.",
            _rows("auditentry", about="mappings", period="week"),
        ),
        AuditQuestion(
            "Which candidates were hit by an outage of CodeScreen?",
            "Each incident of this kind lists the candidates that it touched.",
            _rows("incident", what="platform_down"),
        ),
        AuditQuestion(
            "Was anyone invited twice this quarter?",
            "The list has every second round. A second invitation in the same round can't be stored.",
            _rows("invitation", invited="again", period="quarter"),
        ),
        AuditQuestion(
            "What exactly was written to Lever?",
            "A candidate's page has it word for word. The admin has all of it.",
            _rows("effect", on="lever", period="week"),
        ),
        AuditQuestion(
            "What waits for a person?",
            "The admin's first page begins with what waits, each with its number.",
            reverse("admin:index"),
        ),
        AuditQuestion(
            "What did the portal find by comparing with Lever?",
            "The portal regularly looks in Lever for stage changes of which no message arrived.",
            _rows("delivery", found_by="repair", period="quarter"),
        ),
        AuditQuestion(
            "Which messages had a wrong signature?",
            "Each refusal is counted, with the reason and the time.",
            _rows("webhookrejection"),
        ),
        AuditQuestion(
            "When did Lever and CodeScreen last answer, and how fast?",
            "One page has the last answers and their times.",
            reverse("admin:answers"),
        ),
        AuditQuestion(
            "Was this log edited?",
            "One page shows where the log ends, and checks that it is whole.",
            reverse("admin:log"),
        ),
    ]


def _rows(model: str, **filters: str) -> str:
    address = reverse(f"admin:integrations_{model}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address
