"""What an effect wrote to Lever, word for word: kept in `Effect.written` when it is done, for the candidate's page.

Notes, links and stages are written as their payload has them; only tags, feedback and files depend on more than that.
"""

from dataclasses import dataclass, field

from integrations.http.json_types import JsonObject
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


@dataclass(frozen=True)
class FileWritten(Payload):
    """A file: its id and name in Lever, its size in bytes, and its words, from which the same bytes can be made."""

    file_id: str = ""
    name: str = ""
    size: int = 0
    words: JsonObject = field(default_factory=dict)


#: What `Effect.written` may hold.
Written = TagsWritten | FeedbackWritten | FileWritten
