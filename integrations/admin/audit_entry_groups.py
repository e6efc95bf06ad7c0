"""The actions in the audit log by what an auditor asks for."""

from collections.abc import Mapping

from integrations.models import AuditAction

_A = AuditAction
#: By the name in the address: the name for people, and the actions.
ABOUT: Mapping[str, tuple[str, tuple[AuditAction, ...]]] = {
    "mappings": ("Mappings", (_A.ADD_MAPPING, _A.CHANGE_MAPPING, _A.DELETE_MAPPING)),
    "decisions": (
        "Decisions about candidates",
        (
            _A.APPROVE,
            _A.CANCEL_INVITATION,
            _A.TAKE_BACK,
            _A.RESOLVE_AS_SENT,
            _A.SEND_AGAIN,
            _A.INVITE_AGAIN,
            _A.INVITE_OFFERED,
            _A.INVITE_CANDIDATE,
            _A.RECORD_DECISION,
            _A.RETRY,
            _A.REPLAY,
        ),
    ),
    "policies": (
        "Policies and connections",
        (
            _A.CHANGE_POLICIES,
            _A.CREATE_ORGANIZATION,
            _A.CHANGE_ORGANIZATION,
            _A.CONNECT,
            _A.DISCONNECT,
            _A.SAVE_CONNECTION,
            _A.ADD_TOKEN,
            _A.RETIRE_TOKEN,
            _A.MAKE_WEBHOOK,
            _A.REMOVE_WEBHOOK,
            _A.MOVE_WEBHOOK,
            _A.REPLACE_WEBHOOK_ADDRESS,
            _A.END_WEBHOOK_ADDRESS,
            _A.CHANGE_RATING,
            _A.DELETE_RATING,
            _A.ADD_ALERT_ADDRESS,
            _A.CHANGE_ALERT_ADDRESS,
            _A.TEST_ALERT_ADDRESS,
            _A.REMOVE_ALERT_ADDRESS,
            _A.CHANGE_EMAIL,
            _A.RESET_EMAIL,
            _A.CHANGE_SINGLE_SIGN_ON,
            _A.TRY_SINGLE_SIGN_ON,
            _A.ADD_DOMAIN,
            _A.PROVE_DOMAIN,
            _A.LAPSE_DOMAIN,
            _A.REMOVE_DOMAIN,
        ),
    ),
    "members": (
        "Members and roles",
        (
            _A.INVITE_MEMBER,
            _A.SEND_INVITATION_LINK,
            _A.WITHDRAW_INVITATION,
            _A.ACCEPT_MEMBERSHIP,
            _A.DECLINE_MEMBERSHIP,
            _A.ADD_MEMBER,
            _A.CHANGE_MEMBER,
            _A.CHANGE_ROLE,
            _A.REMOVE_MEMBER,
            _A.LEAVE,
        ),
    ),
    "refused": (
        "Failed and refused sign-ins",
        (_A.FAIL_SIGN_IN, _A.REFUSE_SIGN_IN, _A.FAIL_SECOND_FACTOR),
    ),
    "handed_out": (
        "Data handed out",
        (_A.EXPORT_LIST, _A.EXPORT_EVIDENCE, _A.SUBJECT_ACCESS, _A.LOOK_AT_DATA),
    ),
    "erased": ("Data erased", (_A.ERASE, _A.REMOVE_OLD)),
}
