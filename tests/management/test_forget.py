"""`forget` and `export erasures`: receipts, and erasing again after a restore."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from integrations.invitations.models.invitation import Invitation
from integrations.privacy.models import Erasure
from tests.management.conftest import printed_by as run


def test_an_unknown_opportunity_is_an_error_that_says_where_the_ids_are(acme):
    with pytest.raises(CommandError, match="export invitations"):
        run("forget", acme.slug, "opportunity-nobody")
    assert not Erasure.objects.exists()


@pytest.mark.parametrize("arguments", [(), ("o", "--again-from", "-")])
def test_exactly_one_of_both_is_to_be_given(acme, arguments):
    with pytest.raises(CommandError, match="either"):
        run("forget", acme.slug, *arguments)


def test_people_are_erased_again_from_receipts_after_a_restore(acme, invitation, tmp_path):
    run("forget", acme.slug, invitation.opportunity_id)
    file = tmp_path / "erasures.jsonl"
    file.write_text(run("export", "erasures", acme.slug) + "\n")
    Erasure.objects.all().delete()
    Invitation.objects.update(
        candidate_name="Candidate Alder", email="alder@candidates.example", erased_at=None
    )
    printed = [json.loads(line) for line in run("forget", acme.slug, "--again-from", str(file)).splitlines()]
    invitation.refresh_from_db()
    assert (invitation.candidate_name, invitation.email) == ("", "")
    assert [receipt["cause"] for receipt in printed] == ["forgotten"]


def receipt_of(invitation) -> bytes:
    receipt = {"opportunity_id": invitation.opportunity_id, "cause": "forgotten"}
    return json.dumps(receipt).encode() + b"\n"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "Line 2"),
        (b"[]", "Line 2"),
        (b'{"opportunity_id": "o"}', "Line 2"),
        (b'{"opportunity_id": "o", "cause": "x"}', "Line 2"),
        (b"\xff", "is not UTF-8 text"),
    ],
)
@pytest.mark.parametrize("is_file", [True, False])
def test_a_line_that_is_no_receipt_erases_nobody(
    acme, invitation, tmp_path, monkeypatch, line, error, is_file
):
    given = receipt_of(invitation) + line + b"\n"
    file = tmp_path / "erasures.jsonl"
    file.write_bytes(given)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"))
    with pytest.raises(CommandError, match=error):
        run("forget", acme.slug, "--again-from", str(file) if is_file else "-")
    assert not Erasure.objects.exists()


def test_a_file_that_cannot_be_read_is_named(acme):
    with pytest.raises(CommandError, match="nowhere"):
        run("forget", acme.slug, "--again-from", "nowhere.jsonl")


def test_receipts_are_read_from_standard_input_and_counted(acme, invitation, monkeypatch):
    unknown = '{"opportunity_id": "nobody", "cause": "forgotten"}'
    monkeypatch.setattr("sys.stdin", io.StringIO(receipt_of(invitation).decode() + unknown))
    out, err = io.StringIO(), io.StringIO()
    call_command("forget", acme.slug, "--again-from", "-", stdout=out, stderr=err)
    assert json.loads(out.getvalue())["opportunity_id"] == invitation.opportunity_id
    assert err.getvalue() == "2 receipts were read. 1 of their candidates are in this database.\n"
