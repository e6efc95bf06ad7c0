"""The statuses of an invitation: which belong together, and which may follow which."""

from integrations.vocabulary import InvitationStatus


class IllegalTransition(Exception):
    """The invitation's status doesn't allow the requested change."""


Status = InvitationStatus

UNSENT = (Status.HELD, Status.PENDING)
ON_THE_WAY = (Status.PENDING, Status.SENDING, Status.HELD, Status.UNCERTAIN)
OPEN = (*ON_THE_WAY, Status.INVITED, Status.IN_PROGRESS, Status.SUBMITTED)
FOLLOWED = (Status.INVITED, Status.IN_PROGRESS, Status.SUBMITTED)

TRANSITIONS: dict[str, tuple[str, ...]] = {
    # new status: the statuses that it may follow
    Status.HELD: (Status.PENDING,),  # an approval was taken back before it was sent
    Status.PENDING: (Status.HELD, Status.SENDING, Status.UNCERTAIN, Status.FAILED, Status.WITHDRAWN),
    Status.SENDING: (Status.PENDING,),
    Status.UNCERTAIN: (
        Status.PENDING,  # it may have been sent by what is lost, such as after a restore
        Status.SENDING,
    ),
    Status.INVITED: (
        Status.PENDING,  # the earlier call is confirmed before the retry
        Status.SENDING,
        Status.UNCERTAIN,
        Status.WITHDRAWN,
        Status.IN_PROGRESS,
        Status.SUBMITTED,
        Status.COMPLETED,
    ),
    Status.IN_PROGRESS: (Status.INVITED, Status.SUBMITTED, Status.COMPLETED, Status.WITHDRAWN),
    Status.SUBMITTED: (Status.INVITED, Status.IN_PROGRESS, Status.COMPLETED, Status.WITHDRAWN),
    Status.COMPLETED: (Status.INVITED, Status.IN_PROGRESS, Status.SUBMITTED, Status.WITHDRAWN),
    Status.WITHDRAWN: (Status.HELD, Status.PENDING, Status.INVITED, Status.UNCERTAIN),
    Status.FAILED: (Status.HELD, Status.PENDING, Status.SENDING, Status.UNCERTAIN),
}


#: The columns while CodeScreen is asked about an invitation.
FOLLOWING_GOES_ON: dict[str, object] = {
    "following_ended": "",
    "following_ended_reason": "",
    "following_ended_at": None,
    "missing_since": None,
}
