"""One step of the set-up checklist."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SetupStep:
    """A step: whether it is done, or begun only; its state in sentences, what to do, and where.

    `copy_value` is a text to copy into the platform; `action` labels the link to `url`. With `has_form`, a Super
    Admin can do the step on the checklist itself; with `roles` and `assessments`, to choose from, an Admin too.
    """

    code: str
    title: str
    is_done: bool
    state: str
    instructions: tuple[str, ...]
    is_begun: bool = False
    copy_label: str = ""
    copy_value: str = ""
    url: str = ""
    action: str = ""
    has_form: bool = False
    roles: tuple[tuple[str, str], ...] = ()
    assessments: tuple[tuple[str, str], ...] = ()
