"""The jobs, by name."""

from collections.abc import Mapping

from portal.devtools.chaos.every_point.jobs import (
    bulk,
    erasure,
    job,
    main,
    results,
    settings,
    unstarted,
    waiting,
)
from portal.devtools.chaos.every_point.jobs.job import Chain

JOBS: Mapping[str, tuple[Chain, ...]] = {
    "main": (
        (main.invite, main.progress, main.result, main.regrade),
        (job.skip,),
        (main.withdraw,),
        (main.send_again,),
        (main.sweep,),
        (main.approve,),
    ),
    "invitation": ((main.invite,),),
    "results": ((results.passed, results.regrade), (results.failed, results.second_round)),
    "waiting": (
        (waiting.pause, waiting.note_pause, waiting.resume),
        (waiting.leave_before_retry,),
        (waiting.disconnect, waiting.reconnect),
        (waiting.offer, waiting.invite_offered),
    ),
    "unstarted": (
        (unstarted.wait, unstarted.start_in_time, unstarted.end_of_following, unstarted.start_late),
    ),
    "bulk": ((bulk.move_together, bulk.send_and_refuse),),
    "choose": ((bulk.choose,), (bulk.retry,)),
    "erasure": ((erasure.forget,), (erasure.follow, erasure.repeat), (erasure.retention,)),
    "restore": ((erasure.restore, erasure.later),),
    "settings": (
        (settings.configure, settings.clean_up),
        (settings.make_webhooks, settings.change_address_of_webhooks, settings.remove_webhooks),
    ),
    "codescreen-webhooks": ((settings.listen, settings.submit, settings.reopen),),
}
#: Of this one, which has few places, every pair of two faults is tried too.
PAIRED = "invitation"
