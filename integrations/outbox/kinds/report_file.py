"""The report as a PDF in the candidate's files in Lever: attached, replaced on a regrade, and removed."""

from collections.abc import Iterable
from functools import partial

from integrations.case.reconcile import NO_LONGER_WANTED, is_replaced
from integrations.case.wanted import report_stem
from integrations.clients.provider import ClientProvider
from integrations.http.connections import Upload
from integrations.http.session import PlatformError
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.client import LeverClient
from integrations.lever.models.connection import LeverConnection
from integrations.lever.oauth import FILES_SCOPE
from integrations.outbox.kind import (
    NOT_RECORDED,
    Author,
    Cancelled,
    Done,
    EffectKind,
    Failed,
    LeaseLost,
    Target,
    Words,
    choose_author,
    kept_whole,
    may_be_written_of,
)
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import AttachReportPayload, Payload, enqueue
from integrations.store.database import with_retry

CONTENT_TYPE = "application/pdf"
NO_AUTHOR = "Lever lists no user who could be the author of the file."
NO_PERMISSION = (
    f"Lever doesn't let the portal handle files. Ask for {FILES_SCOPE} to be added to the app registered with Lever, "
    "connect Lever again under Settings, then retry."
)


def enqueue_report_removal(invitation: Invitation) -> None:
    """Enqueue the removal of an invitation's report from Lever: one effect, due again when it is asked for again."""
    organization_id, key = invitation.organization_id, str(invitation.pk)
    enqueue(organization_id, Effect.Kind.REMOVE_REPORT, key, invitation=invitation)
    own = Effect.objects.filter(organization=organization_id, kind=Effect.Kind.REMOVE_REPORT, key=key)
    own.make_due(last_error="")


def _attach_report(effect: Effect, clients: ClientProvider) -> Done | Cancelled | Failed | LeaseLost:
    """Attach the report on a result, then delete the one that it replaces.

    Lever can't replace a file. When an earlier try may have attached one, the candidate's files are read first: this
    effect's own is kept, any other of the invitation is deleted. Cancelled when a later result was recorded.
    """
    if is_replaced(effect):
        return Cancelled(NO_LONGER_WANTED[effect.kind])
    invitation, payload = effect.own_invitation, ATTACH_REPORT.payload_of(effect)
    result = Result.objects.get(pk=payload.result)
    lever = clients.lever()
    if LeverConnection.objects.get(organization=effect.organization_id).lacks(FILES_SCOPE):
        return Failed(NO_PERMISSION)
    author = choose_author(effect, lever)
    if not author:
        return Failed(NO_AUTHOR)
    present = _files_in_lever(lever, invitation) if may_be_written_of(invitation, effect.kind) else {}
    # Lever may leave the extension out
    name = payload.name.removesuffix(".pdf")
    file_id = next((one for one, called in present.items() if called.removesuffix(".pdf") == name), "")
    if not file_id:
        if not effect.mark_attempt_started():
            return LeaseLost()
        upload = Upload(payload.name, _pdf(invitation, result), CONTENT_TYPE)
        file_id = lever.upload_file(invitation.opportunity_id, upload, author)
    former = {*_stored_file_ids(invitation), *present} - {file_id}
    # committed before the next call, so that the file is known even if this worker is killed now
    with_retry(partial(_store_file_id, result, file_id))
    _delete_files(lever, invitation, sorted(former), author)
    return Done(
        record=partial(_forget_files, invitation, but=file_id), written=Words(file=payload.name, is_kept=True)
    )


def _pdf(invitation: Invitation, result: Result) -> bytes:
    # imported here, since it takes 7 MiB and 0.2 s: only workers that attach reports need it
    from integrations.outbox.report import report_pdf  # noqa: PLC0415

    return report_pdf(invitation, result)


def _store_file_id(result: Result, file_id: str) -> None:
    Result.objects.filter(pk=result.pk).update(file_id=file_id)


def _remove_report(effect: Effect, clients: ClientProvider) -> Done | Failed:
    """Delete every report that was attached for the invitation of somebody who was erased. Safe to run twice.

    That Lever no longer has the candidate is no error.
    """
    invitation, lever = effect.own_invitation, clients.lever()
    author = choose_author(effect, lever)
    if not author:
        return Failed(NO_AUTHOR)
    forget = partial(_forget_files, invitation)
    try:
        ids = [*_files_in_lever(lever, invitation), *_stored_file_ids(invitation)]
        deleted = _delete_files(lever, invitation, ids, author)
    except PlatformError as error:
        if error.status != 404:
            raise
        deleted = 0
    return Done(None if deleted else Effect.EndReason.NOTHING_LEFT, record=forget)


def _files_in_lever(lever: LeverClient, invitation: Invitation) -> dict[str, str]:
    """Return the name of each report that the candidate has in Lever for this invitation, by id."""
    files = lever.files(invitation.opportunity_id)
    return {file.id: file.name for file in files if report_stem(invitation) in file.name}


def _stored_file_ids(invitation: Invitation) -> list[str]:
    """Return the ids of the reports that are known to have been attached for this invitation."""
    return list(invitation.results.exclude(file_id="").values_list("file_id", flat=True))


def _forget_files(invitation: Invitation, but: str = "") -> None:
    """Forget the stored ids, except one."""
    Result.objects.filter(invitation=invitation).exclude(file_id=but).update(file_id="")


def _delete_files(lever: LeverClient, invitation: Invitation, ids: Iterable[str], author: str) -> int:
    """Delete these files; return how many Lever still had. Raises PlatformError."""
    deleted = 0
    for file_id in dict.fromkeys(ids):
        try:
            lever.delete_file(invitation.opportunity_id, file_id, author)
            deleted += 1
        except PlatformError as error:
            if error.status != 404:
                raise
    return deleted


ATTACH_REPORT = EffectKind(
    kind=Effect.Kind.ATTACH_REPORT,
    target=Target.LEVER,
    payload=AttachReportPayload,
    perform=_attach_report,
    author=Author.CHOSEN,
    repeats_show=True,
    heading="Report as a PDF",
    icon="download",
    to_write=lambda payload, _: Words(file=payload.name, missing=NOT_RECORDED),
    failed="The report could not be attached",
    kept_payload=kept_whole,
)
REMOVE_REPORT = EffectKind(
    kind=Effect.Kind.REMOVE_REPORT,
    target=Target.LEVER,
    payload=Payload,
    perform=_remove_report,
    author=Author.CHOSEN,
    goes_on_in_a_pause=lambda _: True,  # it erases
    heading="Report removed",
    icon="trash",
    failed="The report could not be removed from Lever",
    kept_payload=kept_whole,
    is_stopped_by_erasure=False,
)
