"""One line of a candidate's history."""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from integrations.vocabulary import Tone


@dataclass(frozen=True)
class Event:
    """What happened at a time, in a sentence; `detail` is the why, `tone` what it means to a person."""

    at: datetime
    text: str
    detail: str = ""
    icon: str = "info"
    tone: Tone = Tone.NEUTRAL

    @property
    def day(self) -> date:
        """The day in the reader's time zone."""
        return timezone.localtime(self.at).date()
