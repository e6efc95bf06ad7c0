"""Attach the report to the candidate in Lever as a PDF: one file per invitation, replaced on a regrade."""

from dataclasses import replace
from functools import partial

from integrations.clients.provider import ClientProvider
from integrations.http.errors import PlatformError
from integrations.http.upload import Upload
from integrations.lever.client import LeverClient
from integrations.lever.lookups import LeverFile
from integrations.lever.oauth import FILES_SCOPE
from integrations.models import Effect, Invitation, LeverConnection, Result
from integrations.models.db_retry import with_retry
from integrations.report_pdf.words import ReportWords
from integrations.workflow.effects.author import choose_author
from integrations.workflow.effects.earlier_writes import may_be_written_of
from integrations.workflow.effects.report_files import (
    NO_AUTHOR,
    NO_PERMISSION,
    delete_files,
    explained,
    files_in_lever,
    forget_files,
    stored_file_ids,
)
from integrations.workflow.effects.result_tag import LATER_RESULT
from integrations.workflow.outbox.enqueue import enqueue_report_removal
from integrations.workflow.outbox.outcome import Cancelled, Done, Failed, LeaseLost
from integrations.workflow.outbox.payloads import AttachReportPayload
from integrations.workflow.outbox.written import FileWritten
from integrations.workflow.results.report_words import report_words

CONTENT_TYPE = "application/pdf"
NOT_WANTED = "The rules no longer ask for the report as a file."
BROKEN = (
    "Lever took the report and says “{status}” of it, so it can't be opened there. Retry to attach it anew."
)


def attach_report(effect: Effect, clients: ClientProvider) -> Done | Cancelled | Failed | LeaseLost:
    """Attach the report on a result, then delete the one that it replaces.

    Lever can't replace a file. When an earlier try may have attached one, the candidate's files are read first: this
    effect's own is kept, any other of the invitation is deleted. Cancelled when a later result was recorded, or the
    rules no longer ask for the file; the file of a former result is removed then.
    """
    invitation = effect.invitation
    if invitation is None:
        raise TypeError("a report without an invitation")
    payload = AttachReportPayload.from_json(effect.payload)
    if reason := _reason_to_cancel(effect, invitation, payload):
        is_stale = reason == NOT_WANTED and may_be_written_of(invitation, effect.kind)
        return Cancelled(reason, also=partial(enqueue_report_removal, invitation) if is_stale else None)
    lever = clients.lever()
    if LeverConnection.objects.get(organization=effect.organization_id).lacks(FILES_SCOPE):
        return Failed(NO_PERMISSION)
    author = choose_author(effect, lever)
    if not author:
        return Failed(NO_AUTHOR)
    result = Result.objects.get(pk=payload.result)
    try:
        return _attach(effect, lever, invitation, result, payload, author)
    except PlatformError as error:
        raise explained(error) from error


def _reason_to_cancel(effect: Effect, invitation: Invitation, payload: AttachReportPayload) -> str:
    """Return why the file is no longer wanted, empty when it is."""
    later = invitation.effects.filter(kind=effect.kind, pk__gt=effect.pk)
    latest = invitation.latest_result()
    if later.exclude(state=Effect.State.CANCELLED).exists() or latest is None or latest.pk != payload.result:
        return LATER_RESULT
    if effect.attempt_started_at is None and not effect.organization.attach_report:
        return NOT_WANTED
    return ""


def _attach(
    effect: Effect,
    lever: LeverClient,
    invitation: Invitation,
    result: Result,
    payload: AttachReportPayload,
    author: str,
) -> Done | Failed | LeaseLost:
    present = files_in_lever(lever, invitation) if may_be_written_of(invitation, effect.kind) else []
    file = next((one for one in present if _is_same(one.name, payload.name) and not one.is_broken), None)
    words = ReportWords.from_json(payload.words) if file else report_words(invitation, result)
    content = _pdf(words)
    if file is None:
        started = replace(payload, words=words.to_json())
        if not effect.mark_attempt_started(started.to_json()):
            return LeaseLost()
        file = lever.upload_file(
            invitation.opportunity_id, Upload(payload.name, content, CONTENT_TYPE), author
        )
    former = {*stored_file_ids(invitation), *(one.id for one in present)} - {file.id}
    # committed before the next call, so that the file is known even if this worker is killed now
    with_retry(partial(_store_file_id, result, file))
    delete_files(lever, invitation, sorted(former), author)
    if file.is_broken:
        return Failed(BROKEN.format(status=file.status))
    return Done(
        record=partial(forget_files, invitation, but=file.id),
        written=FileWritten(file.id, payload.name, len(content), words.to_json()),
    )


def _is_same(name: str, other: str) -> bool:
    """Whether two names of files differ in no more than the extension, which Lever may leave out."""
    return name.removesuffix(".pdf") == other.removesuffix(".pdf")


def _pdf(words: ReportWords) -> bytes:
    # 7 MiB and 0.1 s: paid by the workers of organizations that attach reports, not by every process
    from integrations.report_pdf.page import render  # noqa: PLC0415

    return render(words)


def _store_file_id(result: Result, file: LeverFile) -> None:
    Result.objects.filter(pk=result.pk).update(file_id=file.id)
