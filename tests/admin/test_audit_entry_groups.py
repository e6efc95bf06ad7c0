"""The actions in the audit log by what an auditor asks for."""

from collections import Counter

from integrations.admin.audit_entry_groups import ABOUT
from integrations.models import AuditAction

_A = AuditAction
#: What people do with their own accounts, and what changes nothing: found by its name, or by who did it.
IN_NO_GROUP = {
    _A.SIGN_IN,
    _A.SIGN_OUT,
    _A.ADD_ACCOUNT,
    _A.CHANGE_ACCOUNT,
    _A.CHANGE_PASSWORD,
    _A.RESET_PASSWORD,
    _A.END_SESSIONS,
    _A.ADD_SECOND_FACTOR,
    _A.REMOVE_SECOND_FACTOR,
    _A.RESET_SECOND_FACTOR,
    _A.MAKE_RECOVERY_CODES,
    _A.USE_RECOVERY_CODE,
    _A.BIND_IDENTITY,
    _A.UNBIND_IDENTITY,
    _A.CHOOSE_EMAILS,
    _A.ASK_ADMINS,
    _A.VERIFY_LOG,
    _A.RENEW_SEAL,
    _A.SEAL_ANEW,
    _A.RECORD_RESTORE,
}


def test_every_action_is_in_one_group_or_known_to_be_in_none() -> None:
    grouped = Counter(action for _, actions in ABOUT.values() for action in actions)
    assert max(grouped.values()) == 1
    assert grouped.keys() | IN_NO_GROUP == set(AuditAction)
    assert not grouped.keys() & IN_NO_GROUP
