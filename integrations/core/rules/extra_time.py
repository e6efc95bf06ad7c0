"""Who needs extra time: by a tag in Lever, or by an answer to one of the customer's own questions.

The answer may be about a person's health. It is compared here, and neither stored nor written anywhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from integrations.core.rules.names import normalize


class Answer(NamedTuple):
    """One answer of a candidate to a question of the customer's own; several are chosen by one answer each."""

    question: str
    text: str


@dataclass(frozen=True)
class ExtraTimeRule:
    """The tag, and the question with its answers, that say so; all empty when nobody is held for it."""

    tag: str = ""
    question: str = ""
    answers: tuple[str, ...] = ()

    def applies(self, tags: Iterable[str], answers: Iterable[Answer]) -> bool:
        """Whether a candidate with these tags and answers needs extra time."""
        tag, question = normalize(self.tag), normalize(self.question)
        if tag and tag in map(normalize, tags):
            return True
        wanted = {normalize(answer) for answer in self.answers}
        return bool(question) and any(
            normalize(answer.question) == question and normalize(answer.text) in wanted for answer in answers
        )
