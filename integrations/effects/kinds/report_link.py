"""Add the report to the candidate's links in Lever."""

from dataclasses import dataclass

from integrations.clients.provider import ClientProvider
from integrations.effects.kind import (
    NOT_RECORDED,
    Author,
    ByHand,
    EffectKind,
    Target,
    Words,
    known_author,
    may_be_written,
)
from integrations.invitations.models.result import Result
from integrations.outbox.enqueue import Payload
from integrations.outbox.models import Effect
from integrations.outbox.outcome import Done, LeaseLost


@dataclass(frozen=True)
class ReportLinkPayload(Payload):
    """The address of CodeScreen's report; empty when it was erased."""

    url: str = ""


def _add_report_link(effect: Effect, clients: ClientProvider) -> Done | LeaseLost:
    """Add the report's address; when it may have been added already, read the links first."""
    url = ADD_REPORT_LINK.payload_of(effect).url
    lever = clients.lever()
    if may_be_written(effect) and url in lever.opportunity(effect.opportunity_id).links:
        return Done()
    if not effect.mark_attempt_started():
        return LeaseLost()
    lever.add_links(effect.opportunity_id, [url], known_author(effect))
    return Done()


def _words(effect: Effect, _: Result | None) -> Words:
    url = ReportLinkPayload.from_json(effect.payload).url
    return Words(url=url, missing="" if url else NOT_RECORDED)


ADD_REPORT_LINK = EffectKind(
    kind=Effect.Kind.ADD_REPORT_LINK,
    target=Target.LEVER,
    payload=ReportLinkPayload,
    perform=_add_report_link,
    priority=4,
    author=Author.CONNECTED,
    repeats_show=True,
    heading="Link",
    icon="link",
    to_write=_words,
    done=lambda _effect, _words: "Report link added in Lever",
    failed="The report link could not be added",
    by_hand=ByHand("Report links added", 1),
    is_key_personal=True,
)
