"""Make the feedback template in Lever: once per organization, and again when it was deleted."""

from functools import partial

from integrations.clients.provider import ClientProvider
from integrations.models import Effect, LeverConnection, LeverProbe
from integrations.workflow.catalog.feedback_template import TEMPLATE, is_ours, read_template
from integrations.workflow.outbox.outcome import Done, LeaseLost


def make_template(effect: Effect, clients: ClientProvider) -> Done | LeaseLost:
    """Make the template, or find the one an earlier try made.

    One effect per organization makes it, so it is never made twice at once.
    """
    lever = clients.lever()
    connection = LeverConnection.objects.get(organization=effect.organization_id)
    if connection.feedback_template_id and read_template(lever, connection.feedback_template_id):
        return Done()
    template = next((listed for listed in lever.feedback_templates() if is_ours(listed)), None)
    if template is None:
        if not effect.mark_attempt_started():
            return LeaseLost()
        template = lever.create_feedback_template(TEMPLATE)
    return Done(record=partial(_store_template, connection, template.id))


def _store_template(connection: LeverConnection, template_id: str) -> None:
    LeverConnection.objects.filter(pk=connection.pk).update(feedback_template_id=template_id)
    LeverProbe.objects.filter(organization=connection.organization_id).update(is_template_gone=False)
