"""What the control API reports about a CodeScreen account."""

from portal.devtools.sandbox.codescreen.emails import BEGIN
from portal.devtools.sandbox.codescreen.state import CodeScreenAccount, Instance
from portal.devtools.sandbox.json_values import JsonObject


def account_summary(account: CodeScreenAccount) -> JsonObject:
    """Return what an account holds, ids included."""
    return {
        "account": account.slug,
        "name": account.name,
        "api_key": account.api_key,
        "assessments": [
            {"id": item.id, "name": item.name, "unit_tests": item.unit_tests}
            for item in account.assessments.values()
        ],
        "instances": len(account.instances),
        "settings": account.settings.describe(),
    }


def account_ledger(account: CodeScreenAccount) -> JsonObject:
    """Return what happened in an account; invitations are counted per e-mail address and assessment."""
    invitations: list[JsonObject] = []
    subjects: list[str] = []
    for (email, assessment_id), instances in account.by_person.items():
        begun = sum(1 for one in instances for email in one.emails if email.template == BEGIN)
        entry: JsonObject = {
            "email": email,
            "assessment": account.assessments[assessment_id].name,
            "assessment_id": assessment_id,
            # The API sends one e-mail per instance; further ones were resent by a person.
            "emails_sent": len(instances),
            "emails_resent": begun - len(instances),
            "instances": [describe(one) for one in instances],
        }
        subject = ledger_subject(email, assessment_id)
        invitations.append(entry | account.ledger.faults_of(subject))
        subjects.append(subject)
    return {
        "invitations": invitations,
        "calls": account.ledger.describe_calls(),
        "deliveries": [delivery.describe() for delivery in account.deliveries],
        "webhooks_lost": account.lost,
        "other_faults": account.ledger.other_faults(subjects),
    }


def describe(instance: Instance) -> JsonObject:
    """Return where an instance stands."""
    return {
        "instance": instance.id,
        "email": instance.email,
        "assessment": instance.assessment.name,
        "external_id": instance.external_id,
        "status": instance.status,
        "phase": instance.phase,
        "score": instance.score,
        "result": instance.result,
        "reason": instance.reason,
        "attempt": instance.attempt,
        "sequence": instance.sequence,
        "deleted": instance.deleted_at is not None,
        "bounced": instance.bounced,
        "sent_at": instance.sent_at,
        "started_at": instance.started_at,
        "submitted_at": instance.submitted_at,
        "evaluated_at": instance.evaluated_at,
    }


def ledger_subject(email: str, assessment_id: str) -> str:
    """Return the name under which the ledger counts the faults of one person and one assessment."""
    return f"{email.strip().casefold()} {assessment_id}"
