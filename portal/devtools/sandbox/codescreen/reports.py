"""What the control door tells about a CodeScreen account."""

from portal.devtools.sandbox.codescreen.mails import BEGIN
from portal.devtools.sandbox.codescreen.state import CodeScreenAccount, Instance
from portal.devtools.sandbox.ids import Json


def account_summary(account: CodeScreenAccount) -> Json:
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


def account_books(account: CodeScreenAccount) -> Json:
    """Return what happened in an account: per e-mail address and assessment, who was invited how often."""
    invitations = []
    for (email, assessment_id), instances in account.by_person.items():
        begun = sum(1 for one in instances for mail in one.mails if mail.template == BEGIN)
        entry: Json = {
            "email": email,
            "assessment": account.assessments[assessment_id].name,
            "assessment_id": assessment_id,
            # One e-mail per invitation taken in; further ones are resends by a person, not by a caller.
            "emails_sent": len(instances),
            "emails_resent": begun - len(instances),
            "instances": [describe(one) for one in instances],
        }
        invitations.append(entry | account.books.faults_of(f"{email} {assessment_id}"))
    known = {f"{item['email']} {item['assessment_id']}" for item in invitations}
    return {
        "invitations": invitations,
        "calls": account.books.describe_calls(),
        "deliveries": [delivery.describe() for delivery in account.deliveries],
        "webhooks_lost": account.lost,
        "other_faults": account.books.other_faults(known),
    }


def describe(instance: Instance) -> Json:
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
