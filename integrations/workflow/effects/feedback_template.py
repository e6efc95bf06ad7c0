"""Make the feedback template in Lever: once per organization, and again when it was deleted."""

from functools import partial

from integrations.clients.provider import ClientProvider
from integrations.lever.feedback import FeedbackForm
from integrations.models import Effect, LeverConnection, LeverProbe
from integrations.workflow.catalog.feedback_template import TEMPLATE, is_ours
from integrations.workflow.catalog.template_copy import read_again, store_template
from integrations.workflow.outbox.outcome import Done, LeaseLost


def make_template(effect: Effect, clients: ClientProvider) -> Done | LeaseLost:
    """Make the template, or find the one an earlier try made.

    One effect per organization makes it, so it is never made twice at once.
    """
    lever = clients.lever()
    connection = LeverConnection.objects.get(organization=effect.organization_id)
    if read_again(lever, connection) is not None:
        return Done()
    template = next((listed for listed in lever.feedback_templates() if is_ours(listed)), None)
    if template is None:
        if not effect.mark_attempt_started():
            return LeaseLost()
        template = lever.create_feedback_template(TEMPLATE)
    return Done(record=partial(_store_template, connection, template))


def _store_template(connection: LeverConnection, template: FeedbackForm) -> None:
    store_template(connection, template)
    LeverProbe.objects.filter(organization=connection.organization_id).update(is_template_gone=False)
