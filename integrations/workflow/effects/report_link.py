"""Add the report to the candidate's links in Lever."""

from integrations.clients.provider import ClientProvider
from integrations.models import Effect
from integrations.workflow.effects.author import known_author
from integrations.workflow.effects.earlier_writes import may_be_written
from integrations.workflow.outbox.outcome import Done, LeaseLost
from integrations.workflow.outbox.payloads import ReportLinkPayload


def add_report_link(effect: Effect, clients: ClientProvider) -> Done | LeaseLost:
    """Add the report's address; when it may have been added already, read the links first."""
    url = ReportLinkPayload.from_json(effect.payload).url
    lever = clients.lever()
    if may_be_written(effect) and url in lever.opportunity(effect.opportunity_id).links:
        return Done()
    if not effect.mark_attempt_started():
        return LeaseLost()
    lever.add_links(effect.opportunity_id, [url], known_author(effect))
    return Done()
