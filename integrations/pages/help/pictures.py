"""The pictures of the help. The tests make them from the running product, and fail once a page looks otherwise."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

#: What is recorded when the pictures are made.
RECORD: Final = Path(__file__).with_name("pictures.json")


class MadePicture(TypedDict):
    """A picture as it was made: its size on a page, and a hash of what the part of the page said then."""

    width: int
    height: int
    shows: str


@dataclass(frozen=True)
class Picture:
    """One picture: its file's name, what it shows in words, and its size on a page."""

    name: str
    alt: str
    width: int
    height: int

    @property
    def path(self) -> str:
        """The file's path below the static files."""
        return f"help/{self.name}.webp"


_ALTS: Mapping[str, str] = {
    "connect_lever": "The card “Lever” with the badge “Not connected” and the button “Connect Lever”.",
    "make_webhook": "The card “Lever's webhook” with the badge “Not set up” and the button “Make the webhook for me”.",
    "enter_key": "The card “CodeScreen” with the field “API key” and the button “Save changes”.",
    "not_invited": (
        "A candidate's page: “Not invited: Unknown assessment”, the reason, what to do next, and the buttons "
        "“Preview retry” and “Retry now”."
    ),
    "on_hold": "A candidate's page: “On hold”, the reason, and the buttons “Send invitation” and “Cancel invitation”.",
    "result": "A candidate's page: Passed, with the score, the rating and the link to the report.",
}


def recorded() -> dict[str, MadePicture]:
    """Return what is recorded of each picture that was made."""
    made: dict[str, MadePicture] = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    return made


def _pictures() -> dict[str, Picture]:
    made = recorded()
    return {
        name: Picture(name, alt, made[name]["width"], made[name]["height"])
        for name, alt in _ALTS.items()
        if name in made
    }


#: Every picture that was made, by name.
PICTURES: Final = _pictures()
#: Every picture that there should be.
NAMES: Final = tuple(_ALTS)
