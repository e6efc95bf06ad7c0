"""The report as a PDF in the candidate's files in Lever: attached, replaced on a regrade, and removed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from integrations.clients.provider import ClientProvider
from integrations.effects.kind import (
    NOT_RECORDED,
    Author,
    EffectKind,
    Target,
    Words,
    choose_author,
    has_started,
    kept_whole,
    may_be_written_of,
)
from integrations.effects.kinds.tags import LATER_RESULT
from integrations.effects.report_words import ReportWords, is_report_of, report_file_name, report_words
from integrations.http.connections import Upload
from integrations.http.json_values import JsonObject
from integrations.http.session import PlatformError
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.client import LeverClient
from integrations.lever.lookups import LeverFile
from integrations.lever.models.connection import LeverConnection
from integrations.lever.oauth import FILES_SCOPE
from integrations.outbox.enqueue import Payload
from integrations.outbox.models import Effect
from integrations.outbox.outcome import LONGEST_RETRY, Cancelled, Done, Failed, LeaseLost, Retry
from integrations.store.database import with_retry

CONTENT_TYPE = "application/pdf"
NO_AUTHOR = "Lever lists no user who could be the author of the file."
NO_PERMISSION = (
    f"Lever doesn't let the portal handle files. Ask for {FILES_SCOPE} to be added to the app registered with Lever, "
    "connect Lever again under Settings, then retry."
)
TOO_LARGE = "Lever refused the report as too large for its account. Ask Lever for its limit, then retry."
BROKEN = (
    "Lever accepted the report, but says “{status}” of it, so it can't be opened. Retry to attach it again."
)
NOT_WANTED = "The rules no longer ask for the report as a file."
REPLACED = "The rules ask for the report as a file again: a later one replaces it."
WAITS = "A later report is about to be attached, and to replace this one."
#: Lever's code for an upload that took too long.
_SLOW = "RequestTimeout"


@dataclass(frozen=True)
class AttachReportPayload(Payload):
    """The id of the Result to attach, and the file's name, by which an earlier try's is recognized.

    `words` is the file's text, stored just before the first upload; erasure empties it.
    """

    result: int = 0
    name: str = ""
    words: JsonObject = field(default_factory=dict)


def enqueue_report(invitation: Invitation, result: Result, number: int) -> None:
    """Enqueue the report on a result where the rules ask for it.

    If they no longer do, but an earlier file may exist, the effect removes it.
    """
    is_wanted = invitation.organization.attach_report
    if is_wanted or invitation.effects.filter(kind=Effect.Kind.ATTACH_REPORT).exists():
        payload = AttachReportPayload(result.pk, report_file_name(invitation, number))
        ATTACH_REPORT.enqueue(
            invitation.organization_id, f"{invitation.pk}:{number}", payload, invitation=invitation
        )


def enqueue_report_removal(invitation: Invitation) -> None:
    """Enqueue the removal of an invitation's report from Lever: one effect, due again when it is asked for again."""
    own = invitation.organization_id, str(invitation.pk)
    REMOVE_REPORT.enqueue(*own, invitation=invitation)
    REMOVE_REPORT.make_due_again(*own, last_error="")


def _attach_report(effect: Effect, clients: ClientProvider) -> Done | Cancelled | Failed | LeaseLost:
    """Attach the report on a result, then delete the one that it replaces.

    Lever can't replace a file. When an earlier try may have attached one, the candidate's files are read first: this
    effect's own is kept, any other of the invitation is deleted. Cancelled when a later result was recorded, or the
    rules no longer ask for the file; the file of a former result is removed then.
    """
    invitation = effect.own_invitation
    payload = ATTACH_REPORT.payload_of(effect)
    if (cancelled := _no_longer_wanted(effect, invitation, payload)) is not None:
        return cancelled
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


def _no_longer_wanted(
    effect: Effect, invitation: Invitation, payload: AttachReportPayload
) -> Cancelled | None:
    """Return how the effect ends when the file is no longer wanted, None when it is."""
    later = invitation.effects.filter(kind=effect.kind, pk__gt=effect.pk)
    latest = invitation.latest_result()
    if later.exclude(state=Effect.State.CANCELLED).exists() or latest is None or latest.pk != payload.result:
        return Cancelled(LATER_RESULT)
    if effect.attempt_started_at is None and not effect.organization.attach_report:
        is_stale = may_be_written_of(invitation, effect.kind)
        return Cancelled(NOT_WANTED, also=partial(enqueue_report_removal, invitation) if is_stale else None)
    return None


def _attach(
    effect: Effect,
    lever: LeverClient,
    invitation: Invitation,
    result: Result,
    payload: AttachReportPayload,
    author: str,
) -> Done | Failed | LeaseLost:
    present = _files_in_lever(lever, invitation) if may_be_written_of(invitation, effect.kind) else []
    # Lever may leave the extension out
    name = payload.name.removesuffix(".pdf")
    same = (one for one in present if one.name.removesuffix(".pdf") == name and not one.is_broken)
    file = next(same, None)
    words = ReportWords.from_json(payload.words) if file else report_words(invitation, result)
    content = _pdf(words)
    if file is None:
        started = replace(payload, words=words.to_json())
        if not effect.mark_attempt_started(started.to_json()):
            return LeaseLost()
        file = lever.upload_file(
            invitation.opportunity_id, Upload(payload.name, content, CONTENT_TYPE), author
        )
    former = {*_stored_file_ids(invitation), *(one.id for one in present)} - {file.id}
    # committed before the next call, so that the file is known even if this worker is killed now
    with_retry(partial(_store_file_id, result, file))
    _delete_files(lever, invitation, sorted(former), author)
    if file.is_broken:
        return Failed(BROKEN.format(status=file.status))
    return Done(
        record=partial(_forget_files, invitation, but=file.id),
        written=Words(
            file=payload.name,
            file_id=file.id,
            size=len(content),
            fields=words.values,
            document=words.to_json(),
            is_kept=True,
        ),
    )


def _pdf(words: ReportWords) -> bytes:
    # imported here, since it takes 7 MiB and 0.1 s: only workers that attach reports need it
    from integrations.effects.report_pdf import render  # noqa: PLC0415

    return render(words)


def _store_file_id(result: Result, file: LeverFile) -> None:
    Result.objects.filter(pk=result.pk).update(file_id=file.id)


def _remove_report(effect: Effect, clients: ClientProvider) -> Done | Cancelled | Failed | Retry:
    """Delete every report that was attached for the invitation. Safe to run twice.

    That Lever no longer has the candidate is no error. It waits while a later report is to be attached, and is
    cancelled once that one has replaced what was to be removed.
    """
    invitation = effect.own_invitation
    if invitation.erased_at is None:
        last = invitation.effects.filter(kind=Effect.Kind.ATTACH_REPORT).order_by("-pk").first()
        if last is not None and last.state == Effect.State.DUE:
            return Retry(WAITS, LONGEST_RETRY, is_counted=False, restarts_window=True)
        if last is not None and last.state not in {Effect.State.CANCELLED, Effect.State.FAILED}:
            return Cancelled(REPLACED)
    lever = clients.lever()
    author = choose_author(effect, lever)
    if not author:
        return Failed(NO_AUTHOR)
    forget = partial(_forget_files, invitation)
    try:
        present = [file.id for file in _files_in_lever(lever, invitation)]
        deleted = _delete_files(lever, invitation, [*present, *_stored_file_ids(invitation)], author)
    except PlatformError as error:
        if error.status == 404:
            return Done(Effect.EndReason.NOTHING_LEFT, record=forget)
        raise explained(error) from error
    return Done(None if deleted else Effect.EndReason.NOTHING_LEFT, record=forget)


def _files_in_lever(lever: LeverClient, invitation: Invitation) -> list[LeverFile]:
    """Return the reports that the candidate has in Lever for this invitation. Raises PlatformError."""
    files = lever.files(invitation.opportunity_id)
    return [file for file in files if is_report_of(invitation, file.name)]


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


def explained(error: PlatformError) -> PlatformError:
    """Return the error of a call about files, with what to do where the cause is known; another error unchanged."""
    code = error.body.get("code") if isinstance(error.body, Mapping) else None
    if code == _SLOW:
        return PlatformError(str(error), ambiguous=True, status=408, body=error.body)
    sentence = {403: NO_PERMISSION, 413: TOO_LARGE}.get(error.status or 0)
    if sentence is None:
        return error
    return PlatformError(sentence, permanent=True, status=error.status, body=error.body)


def _goes_on_in_a_pause(effect: Effect) -> bool:
    """Whether it erases a person, or may have acted already."""
    erases = effect.invitation is not None and effect.invitation.erased_at is not None
    return erases or has_started(effect)


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
    done=lambda _effect, _words: "Report attached in Lever",
    failed="The report could not be attached",
    kept_payload=lambda payload: {**payload, "words": {}} if payload else {},
)
REMOVE_REPORT = EffectKind(
    kind=Effect.Kind.REMOVE_REPORT,
    target=Target.LEVER,
    payload=Payload,
    perform=_remove_report,
    priority=3,
    author=Author.CHOSEN,
    goes_on_in_a_pause=_goes_on_in_a_pause,
    heading="Report removed",
    icon="trash",
    done=lambda effect, _: effect.reason or "Report removed from Lever",
    failed="The report could not be removed from Lever",
    kept_payload=kept_whole,
    is_stopped_by_erasure=False,
)
