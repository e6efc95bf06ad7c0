"""The proof at every point, as a person starts it."""

import pytest

from integrations.audit.models.entry import AuditAction
from integrations.outbox.models.effect import Effect
from portal.devtools import test_suites
from tests.devtools.chaos.runs import run_every_point

#: Acts that no candidate, platform or worker has a part in, and what only reads.
OTHER_ACTS = {
    # accounts, members and how they sign in
    AuditAction.CREATE_ORGANIZATION,
    AuditAction.CHANGE_ORGANIZATION,
    AuditAction.INVITE_MEMBER,
    AuditAction.SEND_INVITATION_LINK,
    AuditAction.WITHDRAW_INVITATION,
    AuditAction.ACCEPT_MEMBERSHIP,
    AuditAction.DECLINE_MEMBERSHIP,
    AuditAction.LEAVE,
    AuditAction.ADD_MEMBER,
    AuditAction.CHANGE_MEMBER,
    AuditAction.CHANGE_ROLE,
    AuditAction.REMOVE_MEMBER,
    AuditAction.SIGN_IN,
    AuditAction.FAIL_SIGN_IN,
    AuditAction.REFUSE_SIGN_IN,
    AuditAction.SIGN_OUT,
    AuditAction.ADD_ACCOUNT,
    AuditAction.CHANGE_ACCOUNT,
    AuditAction.CHANGE_PASSWORD,
    AuditAction.RESET_PASSWORD,
    AuditAction.END_SESSIONS,
    AuditAction.CHANGE_SINGLE_SIGN_ON,
    AuditAction.LINK_TO_PROVIDER,
    AuditAction.UNLINK_FROM_PROVIDER,
    AuditAction.ADD_SECOND_FACTOR,
    AuditAction.REMOVE_SECOND_FACTOR,
    AuditAction.RESET_SECOND_FACTOR,
    AuditAction.FAIL_SECOND_FACTOR,
    AuditAction.MAKE_RECOVERY_CODES,
    AuditAction.USE_RECOVERY_CODE,
    # what members choose of their own e-mails and lists
    AuditAction.CHOOSE_EMAILS,
    AuditAction.LIST_OWN_CANDIDATES,
    AuditAction.ASK,
    AuditAction.TAKE_OVER,  # in tests/invitations/test_take_over.py
    # what is read
    AuditAction.SUBJECT_ACCESS,
    AuditAction.LOOK_AT_DATA,
    AuditAction.EXPORT_LIST,
    AuditAction.ACCEPT_LOG,
}
#: The answer is lost only in some runs: a person then says what CodeScreen shows.
AFTER_A_LOST_ANSWER = {AuditAction.RESOLVE_AS_SENT}


@pytest.mark.slow
def test_no_promise_breaks_in_a_sample_of_every_job_and_the_jobs_perform_every_effect_and_act() -> None:
    jobs = run_every_point("--sample", "1000", "--seed", "500").values()
    assert [(job["failed"], job["missed"]) for job in jobs] == [({}, 0)] * len(jobs)
    performed = {name for job in jobs for name in job["performed"]}
    assert set(Effect.Kind.values) - performed == set()
    assert set(AuditAction) - performed - OTHER_ACTS - AFTER_A_LOST_ANSWER == set()


DATABASES = [
    pytest.param((), id="sqlite"),
    pytest.param(
        ("--database-url", test_suites.DATABASE_URL),
        id="postgresql",
        marks=[pytest.mark.postgres, pytest.mark.nightly],
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("database", DATABASES)
def test_no_promise_breaks_when_a_process_is_killed_at_any_place_of_the_invitation(database) -> None:
    [job] = run_every_point("--job", "invitation", "--fault", "killed", *database).values()
    assert job["failed"] == {}
    assert job["places"]["call"] > 5
    assert job["places"]["commit"] > 20
    assert job["runs"] == 1 + 2 * sum(job["places"].values())
