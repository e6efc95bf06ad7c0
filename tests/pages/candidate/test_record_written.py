"""What was written to Lever, word for word, with its state."""

from datetime import UTC, datetime

from django.utils import timezone

from integrations.outbox.kind import NOT_RECORDED
from integrations.outbox.kinds.tags import REMOVAL_NOT_RECORDED
from integrations.outbox.models.effect import Effect
from integrations.pages.candidate.record import ERASED, REPLACED, written_to_lever
from integrations.privacy.models import Erasure
from tests.pages.candidate import histories
from tests.support import factories
from tests.support.page_text import text


def items(erasure=None):
    """Return the newest item of each kind."""
    newest_first = written_to_lever(Effect.objects.order_by("pk"), erasure)
    return {item.effect.kind: item for item in reversed(newest_first)}


def test_the_words_are_shown_as_lever_got_them(organization):
    histories.make(organization, "passed")
    written = items()
    assert dict(written["write_feedback"].words.fields)["Rating"] == "4 - Strong Hire"
    assert written["set_progress_tag"].words.tags == [histories.TAG, "cs-passed"]
    assert written["set_progress_tag"].words.removed == ["CodeScreen: Assessment in Progress"]
    assert written["add_report_link"].words.url == histories.REPORT
    assert written["move_stage"].words.stage == "Onsite interview"
    assert {item.state for item in written.values()} == {"Written"}


def test_old_rows_say_that_their_words_were_not_kept(organization):
    histories.make(organization, "passed")
    Effect.objects.update(written={})
    written = items()
    assert written["write_feedback"].remark == NOT_RECORDED
    assert written["set_progress_tag"].words.tags == [histories.TAG]
    assert written["set_progress_tag"].remark == REMOVAL_NOT_RECORDED


def test_erased_words_are_said_to_be_erased(organization):
    histories.make(organization, "erased")
    written = items(Erasure.objects.get())
    assert {item.remark for item in written.values()} == {ERASED}


def test_what_waits_and_what_failed_is_not_called_written(organization):
    for state in ("failed", "in-progress"):
        histories.make(organization, state)
    states = {(item.effect.kind, item.state) for item in written_to_lever(Effect.objects.all(), None)}
    assert ("write_feedback", "Not written") in states
    assert ("set_progress_tag", "Waiting") in states


def test_what_was_no_longer_wanted_is_left_out(organization):
    histories.make(organization, "passed")
    Effect.objects.filter(kind="set_progress_tag").update(state="cancelled", done_at=None)
    Effect.objects.filter(kind="write_feedback").update(written={}, end_reason="later_attempt")
    assert {"set_progress_tag", "write_feedback"}.isdisjoint(items())


def test_what_later_writes_replaced_is_folded_and_marked(organization, super_admin_client):
    address = histories.make(organization, "passed")
    made = histories.History(organization, "passed", timezone.now())
    first = Effect.objects.get(kind="write_feedback")
    for kind, written in (
        ("write_feedback", first.written),
        ("set_progress_tag", {"tags": ["New round"], "removed": [histories.TAG], "is_kept": True}),
    ):
        payload = first.payload if kind == first.kind else {"tag": "New round"}
        made.effect(kind, payload, written=written, invitation=first.invitation)
    page = super_admin_client.get(address)
    assert [item.effect for item in page.context["replaced"]] == [first]  # “cs-passed” is still in Lever
    assert "Earlier</summary>" in text(page)
    assert "Replaced</span>" in text(page)
    Effect.objects.filter(written__tags=["New round"]).update(
        written={"tags": ["New round"], "removed": [histories.TAG, "cs-passed"], "is_kept": True}
    )
    replaced = super_admin_client.get(address).context["replaced"]
    assert {item.effect.kind for item in replaced} == {"write_feedback", "set_progress_tag"}


def test_the_report_is_named_until_another_replaces_it_or_it_is_removed(organization, team_member_client):
    invitation = factories.in_status(organization, "completed", opportunity_id="o1")

    def attached(day: int, **columns) -> Effect:
        at = datetime(2026, 11, day, tzinfo=UTC)
        return factories.attached_report(organization, "o1", invitation=invitation, done_at=at, **columns)

    def remarks() -> dict[int, str]:
        return {item.effect.pk: item.remark for item in written_to_lever(Effect.objects.all(), None)}

    first = attached(21)
    assert first.written["file"] in text(team_member_client.get("/activity/o1/"))
    second = attached(22)
    assert remarks() == {first.pk: REPLACED, second.pk: ""}
    removal = attached(23, kind="remove_report", payload={}, written={})
    assert remarks()[second.pk] == REPLACED
    assert items()["remove_report"].effect == removal
