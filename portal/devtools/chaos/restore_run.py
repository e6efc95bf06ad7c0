"""A backup made in the middle of a bulk move is restored after the portal went on without it and was killed."""

import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from threading import Event, Thread

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection, connections
from django.db.models import F

from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.acts import set_policies
from integrations.queue import acts as queue_acts
from integrations.store import database
from portal.devtools import databases
from portal.devtools.chaos import quiesce, tenants
from portal.devtools.chaos.options import Options
from portal.devtools.chaos.processes import WEB, WORKERS
from portal.devtools.chaos.run import Run, Table, Violation
from portal.devtools.chaos.verification import SENT, collect_evidence, verify
from portal.devtools.demo import provisioning
from portal.devtools.processes import RunFailed, wait_for_url, wait_until

SECONDS = 120.0


class Backup:
    """One backup, in a folder: a copy of the SQLite file, or what pg_dump writes."""

    def __init__(self, options: Options, folder: Path) -> None:
        self._options = options
        self._path = folder / "backup"
        self._database = str(settings.DATABASES["default"]["NAME"])

    def make(self) -> None:
        """Make it, in one transaction of the database. Raises RunFailed."""
        if self._options.database_url:
            _run("pg_dump", "--format=custom", f"--file={self._path}", _url())
            return
        with closing(sqlite3.connect(self._database)) as source, closing(sqlite3.connect(self._path)) as copy:
            source.backup(copy)

    def put_back(self) -> None:
        """Replace the database by it; nothing may be connected any more. Raises RunFailed."""
        connections.close_all()
        if self._options.database_url:
            databases.drop(self._options.database_url, self._database)
            databases.create(self._options.database_url, self._database)
            _run("pg_restore", "--no-owner", f"--dbname={_url()}", str(self._path))
            return
        for name in (f"{self._database}-wal", f"{self._database}-shm"):
            Path(name).unlink(missing_ok=True)
        self._path.replace(self._database)


def _url() -> str:
    return os.environ["DATABASE_URL"]


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise RunFailed(f"{argv[0]} ended with code {done.returncode}: {done.stderr[-500:]}")


#: Of the candidates so many more are moved after the backup, so many more while nothing runs, and so many have a
#: result after the backup.
LATER, MISSED, WITH_RESULT = 0.25, 0.25, 0.3
#: Which share is invited when the backup is made.
INVITED_BY_THEN = (0.2, 0.6)
#: A backup is older than the minutes for which the reading of a candidate serves, and a run can't wait for so long.
BACKUP_AGE = timedelta(hours=1)
#: Seconds by which the clocks of Lever and of the database may differ here.
CLOCKS_APART = 2.0


@contextmanager
def _saying_that_it_is_off() -> Iterator[None]:
    """Let a Super Admin say that no other integration is on, whenever the portal takes a lost row's tag for one."""
    stop = Event()

    def say() -> None:
        while not stop.wait(1):
            with suppress(OperationalError):
                if tenants.organization().pause is not None:
                    set_policies(tenants.organization(), {"other_integration_off": True}, "the fault run")
        connection.close()

    thread = Thread(target=say, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _is_paused() -> bool:
    """Whether the organization is paused: a sweep compares nothing then."""
    return quiesce.read_with_retry(lambda: tenants.organization().pause is not None)


class RestoreRun(Run):
    """One restore; with `--unreported` nobody says so to the portal, which then has Lever's tags alone."""

    def run(self) -> Table:
        """Move, back up, go on, kill, restore, sweep, and verify. Raises RunFailed."""
        self._random = random.Random(self._options.seed)  # noqa: S311
        self._backup = Backup(self._options, self._environment.folder)
        count = self._options.restore
        later, missing = max(1, int(count * LATER)), max(1, int(count * MISSED))
        generated = tenants.create_candidates(self._lever, count + later + missing)
        moved, missed = generated[:count], generated[count + later :]
        tenants.move(self._lever, moved)
        share = self._random.uniform(*INVITED_BY_THEN)
        self._wait_until_invited(int(count * share))
        since = database.now()
        self._backup.make()
        self._log(f"Backed up with {Invitation.objects.exclude(instance_id='').count()} of {count} invited.")
        tenants.move(self._lever, generated[count : count + later])
        with_result = self._go_on(count)
        self._kill()
        until = database.now()
        time.sleep(CLOCKS_APART)
        tenants.move(self._lever, missed)
        self._backup.put_back()
        in_backup = set(Invitation.objects.exclude(instance_id="").values_list("opportunity_id", flat=True))
        if self._options.unreported:
            Invitation.objects.update(checked_at=F("checked_at") - BACKUP_AGE)
        else:
            self._report(since, until)
        unfinished = self._serve_again()
        known = Invitation.objects.values_list("opportunity_id", flat=True)
        followed = set(known.filter(status__in=SENT))
        offers = Delivery.objects.filter(verdict=VerdictCode.ENTERED_BEFORE).exclude(opportunity_id__in=known)
        offered = set(offers.values_list("opportunity_id", flat=True)) - set(missed)
        verification = verify(
            collect_evidence(self._environment, generated, offered=offered, is_restored=True)
        )
        verification.record_rows_not_at_rest(unfinished)
        figures = {
            "candidates": count,
            "moved_after_the_backup": later,
            "invited_in_the_backup": len(in_backup),
            "results_since": with_result,
            "missed_while_nothing_ran": len(missed),
            "restored_was_run": not self._options.unreported,
            "offered": len(offered),
            "uncertain": verification.counts["uncertain"],
            "missed_and_invited": len(followed & set(missed)),
            **verification.numbers_of(Violation.INVITED_TWICE, Violation.LOST),
        }
        return Table(f"Restore in a move of {count} candidates", figures, verification.broken)

    def _report(self, since: datetime, until: datetime) -> None:
        out = StringIO()
        call_command(
            "restored", tenants.SLUG, "--since", since.isoformat(), "--until", until.isoformat(), stdout=out
        )
        self._log(out.getvalue().strip())

    def _wait_until_invited(self, count: int) -> None:
        sent = Invitation.objects.exclude(instance_id="")
        wait_until(
            lambda: quiesce.read_with_retry(sent.count) >= count,
            self._options.phase_seconds,
            "too few were invited",
            every=0.1,
        )

    def _go_on(self, count: int) -> int:
        """Let everybody be invited and some have a result, and Lever's tokens be renewed; return how many have one."""
        LeverConnection.objects.update(access_expires_at=database.now())
        self._settle()
        if self._options.unreported:  # without `restored` nothing tells that a result may be written already
            return 0
        chosen = self._random.sample(range(1, count + 1), int(count * WITH_RESULT))
        for number in chosen:
            self._codescreen.act(
                "candidate",
                account=tenants.SLUG,
                email=tenants.email(number),
                assessment=tenants.ASSESSMENT,
                action=["start", "submit", "evaluate"],
                score=self._random.randint(0, 100),
            )
        self._poll()
        self._settle()
        return len(chosen)

    def _settle(self) -> int:
        seconds = self._options.phase_seconds
        return quiesce.wait_until_idle(self._environment, seconds, skips_backoff=False)

    def _poll(self) -> None:
        queue_acts.poll_organization(tenants.organization(), everything=True)

    def _kill(self) -> None:
        """SIGKILL everything of the portal at once."""
        for name in (WORKERS, WEB):
            group = self._processes.group(name)
            if group is not None:
                os.killpg(group, signal.SIGKILL)
        self._processes.stop_portal()

    def _serve_again(self) -> int:
        """Start the portal, do what the page on restoring says, and return how many rows don't come to rest."""
        self._processes.start_portal()
        wait_for_url(f"{self._environment.portal_url}/healthz/live")
        provisioning.consent(self._environment, tenants.SLUG, tenants.SLUG)
        with _saying_that_it_is_off():
            self._poll()
            while self._sweep_finds_more():
                self._log("A sweep found candidates, or a pause stopped it; sweeping again.")
            return self._settle()

    def _sweep_finds_more(self) -> bool:
        """Sweep, and let all be decided; return whether it found anybody, or a pause may have stopped it."""
        seconds = self._options.phase_seconds
        wait_until(lambda: not _is_paused(), seconds, "the pause was not lifted")
        before = quiesce.read_with_retry(Delivery.objects.count)
        quiesce.sweep()
        has_paused = _is_paused()
        self._settle()
        # one that was decided just as the pause ended waits for a duty
        stranded = Delivery.objects.stranded()
        wait_until(
            lambda: not quiesce.read_with_retry(stranded.exists),
            seconds,
            "what a pause held back was not decided again",
        )
        return has_paused or quiesce.read_with_retry(Delivery.objects.count) > before
