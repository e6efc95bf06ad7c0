"""What an effect wrote to Lever, word for word: kept in `Effect.written` when it is done, for the candidate's page.

Notes, links and stages are written as their payload has them; only tags and feedback depend on what Lever has.
"""

from dataclasses import dataclass, field

from integrations.workflow.outbox.payloads import Payload


@dataclass(frozen=True)
class TagsWritten(Payload):
    """The tags that were added and removed.

    Where Lever's answer doesn't list the opportunity's tags, it isn't known which of the removed ones it had.
    """

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    is_removal_known: bool = True


@dataclass(frozen=True)
class FeedbackWritten(Payload):
    """Each field's text in Lever and the value that it was given."""

    values: list[list[str]] = field(default_factory=list)


#: What `Effect.written` may hold.
Written = TagsWritten | FeedbackWritten
