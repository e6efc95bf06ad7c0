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
            _A.REFUSE,
            _A.RESOLVE_AS_SENT,
            _A.SEND_AGAIN,
            _A.INVITE_AGAIN,
            _A.INVITE_OFFERED,
            _A.STOP_FOLLOWING,
            _A.RECORD_DECISION,
            _A.RETRY,
            _A.REPLAY,
        ),
    ),
    "policies": (
        "Policies and connections",
        (
            _A.CHANGE_POLICIES,
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
        ),
    ),
    "members": (
        "Members and roles",
        (
            _A.INVITE_MEMBER,
            _A.ACCEPT_MEMBERSHIP,
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
    "handed_out": ("Data handed out", (_A.EXPORT_LIST, _A.EXPORT_EVIDENCE, _A.SUBJECT_ACCESS)),
    "erased": ("Data erased", (_A.ERASE, _A.REMOVE_OLD)),
}
