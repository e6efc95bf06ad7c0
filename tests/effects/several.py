"""Several assessments by one mapping: what the candidate does with them, and what came of it."""

from integrations.catalog.models.role_mapping import RoleMapping
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models import Effect

NEXT = "Frontend Developer"
TARGET = "On-site interview"
FAILED = {"score": 10, "result": "Failed"}
PASSED = {"score": 90, "result": "Passed"}


def mapped(scenario, **own):
    """Store the mapping for Alder's role."""
    return RoleMapping.objects.create(
        organization=scenario.organization, role="Backend Engineer", assessment="Backend", **own
    )


def does(scenario, assessment="Backend", *, action=("start", "submit", "evaluate"), **verdict):
    """Let the candidate hand in an assessment, which is evaluated so; nothing that follows is worked yet."""
    person = {"email": "alder@candidates.example", "assessment": assessment}
    scenario.sandbox.codescreen_does("candidate", action=list(action), **person, **verdict)
    scenario.poll()


def regrade(scenario, assessment="Backend", **verdict):
    """Change the result; nothing that follows is worked yet."""
    does(scenario, assessment, action=["regrade"], **verdict)


def statuses():
    """Return the status of each invitation by its assessment."""
    return dict(Invitation.objects.values_list("assessment_name", "status"))


def progress_tags(sandbox):
    return [tag for tag in sandbox.opportunity("Alder")["tags"] if tag.startswith("CodeScreen:")]


def next_delivery():
    return Delivery.objects.get(event="next")


def written(kind):
    """Return the states of the effects of a kind."""
    return list(Effect.objects.filter(kind=kind).order_by("pk").values_list("state", flat=True))
