"""The jobs, each in one module, and what none of them does."""

from collections.abc import Mapping

from portal.devtools.chaos.every_point.jobs import (
    bulk,
    codescreen_webhooks,
    drains,
    erasure,
    invitation,
    main,
    restore,
    results,
    settings,
    undo,
    waiting,
)
from portal.devtools.chaos.every_point.jobs.job import Job

JOBS: Mapping[str, Job] = {
    module.JOB.name: module.JOB
    for module in (
        main,
        invitation,
        results,
        waiting,
        bulk,
        drains,
        undo,
        erasure,
        restore,
        settings,
        codescreen_webhooks,
    )
}
