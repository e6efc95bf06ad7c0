"""What a person does next: one record each, with the words of its button and of a request to those who may do it.

The records of verdicts and statuses say which act fits; pages offer it to who may do it, and to others that they ask
somebody who may. To add an act, add its record here, and its address in `pages/candidate/offer.py`.
"""

from dataclasses import dataclass
from typing import Literal

from integrations.core.vocabulary import RecordEnum

#: The right of a membership that an act needs; none where everybody may do it.
type Right = Literal["may_configure", "may_connect", "may_approve", "may_replay", "may_retry_effects", ""]


@dataclass(frozen=True, kw_only=True)
class ActRecord:
    """All about one act.

    `label` stands on the button, and `does` beside it says what follows. `request` ends the sentence “asks you to” in
    the e-mail to those who may do it. One that `posts` is done at the click; others lead to a page.
    """

    code: str
    label: str
    does: str = ""
    needs: Right = ""
    request: str = ""
    posts: bool = False
    is_danger: bool = False


class Act(RecordEnum):
    """What a person may do about a candidate, or about what stops all candidates."""

    record: ActRecord

    APPROVE = ActRecord(
        code="approve",
        label="Send now",
        does="CodeScreen e-mails the invitation to the candidate.",
        needs="may_approve",
        request="decide whether the invitation is sent",
        posts=True,
    )
    CANCEL = ActRecord(
        code="cancel",
        label="Cancel invitation",
        does="Nothing more is sent, and no result is asked for. An e-mail that was sent can't be taken back.",
        needs="may_approve",
        posts=True,
        is_danger=True,
    )
    SETTLE = ActRecord(
        code="settle",
        label="Settle it",
        does="Check in CodeScreen: was it sent? Then answer here.",
        needs="may_configure",
        request="check in CodeScreen whether the invitation was sent",
    )
    SEND_AGAIN = ActRecord(
        code="send_again",
        label="Send again",
        does="The portal tries to send it now.",
        needs="may_configure",
        request="send the invitation again",
        posts=True,
    )
    INVITE_AGAIN = ActRecord(
        code="invite_again",
        label="Send again",
        does="CodeScreen e-mails the assessment once more. The result of this round stays.",
        needs="may_configure",
        posts=True,
    )
    INVITE = ActRecord(
        code="invite",
        label="Invite",
        does="The candidate is read from Lever again. If nothing prevents it, CodeScreen e-mails the assessment.",
        needs="may_replay",
        request="invite the candidate",
        posts=True,
    )
    INVITE_TO = ActRecord(
        code="invite_to",
        label="Invite to…",
        does="You choose the assessment, or leave it to your rules.",
        needs="may_configure",
        request="decide whether the candidate is invited",
    )
    CHOOSE_ASSESSMENT = ActRecord(
        code="choose_assessment",
        label="Choose an assessment",
        does="It holds for everybody in this role. After that you can invite the candidate.",
        needs="may_configure",
        request="choose an assessment for the role",
    )
    OPEN_IN_LEVER = ActRecord(code="open_in_lever", label="Open in Lever")
    END_PAUSE = ActRecord(
        code="end_pause",
        label="End the pause",
        does="The overview says what stops all invitations.",
        needs="may_configure",
        request="end the pause",
    )
    CONFIGURE = ActRecord(
        code="configure",
        label="Open Roles and rules",
        needs="may_configure",
        request="change the mappings or the rules",
    )
    CONNECT = ActRecord(
        code="connect",
        label="Connect again",
        does="What waits is decided automatically then.",
        needs="may_connect",
        request="connect Lever or CodeScreen, or fix a connection",
    )
    PREVIEW = ActRecord(
        code="preview",
        label="Preview",
        does="It shows what would be decided and sent now. Nothing is sent.",
        needs="may_retry_effects",
    )
    GIVE_RIGHTS = ActRecord(
        code="give_rights",
        label="Team",
        needs="may_connect",
        request="give them a role with more rights",
    )
