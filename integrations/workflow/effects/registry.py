"""All kinds of effects: who wants to know something of an effect by its kind asks here."""

from collections.abc import Mapping
from typing import Any

from integrations.models import Effect
from integrations.workflow.effects.kind import EffectKind
from integrations.workflow.effects.kinds.feedback import MAKE_TEMPLATE, WRITE_FEEDBACK
from integrations.workflow.effects.kinds.invitation import SEND_INVITATION
from integrations.workflow.effects.kinds.messages import SEND_ALERT, SEND_EMAIL
from integrations.workflow.effects.kinds.move_stage import MOVE_STAGE
from integrations.workflow.effects.kinds.note import LEAVE_NOTE
from integrations.workflow.effects.kinds.report_file import ATTACH_REPORT, REMOVE_REPORT
from integrations.workflow.effects.kinds.report_link import ADD_REPORT_LINK
from integrations.workflow.effects.kinds.tags import SET_PROGRESS_TAG, SET_RESULT_TAG

#: In the order in which a report counts what they did.
EFFECT_KINDS: Mapping[str, EffectKind[Any]] = {
    record.kind: record
    for record in (
        SEND_INVITATION,
        SET_PROGRESS_TAG,
        SET_RESULT_TAG,
        WRITE_FEEDBACK,
        ADD_REPORT_LINK,
        ATTACH_REPORT,
        REMOVE_REPORT,
        LEAVE_NOTE,
        MOVE_STAGE,
        MAKE_TEMPLATE,
        SEND_EMAIL,
        SEND_ALERT,
    )
}
#: The kinds that are messages to people.
MESSAGES = [kind for kind, record in EFFECT_KINDS.items() if record.tells_the_team]


def kind_of(effect: Effect) -> EffectKind[Any]:
    """Return the record of an effect's kind."""
    return EFFECT_KINDS[effect.kind]


def kinds_acting_on(target: str) -> list[str]:
    """Return the kinds that act on a Target or a Platform."""
    return [kind for kind, record in EFFECT_KINDS.items() if record.target == target]
