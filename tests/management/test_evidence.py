"""`evidence`: what it takes, and what it says."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.support import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    organization = factories.OrganizationFactory.create(slug="acme")
    factories.DeliveryFactory.create(organization=organization, opportunity_id="opportunity-1")
    return organization


def pack(tmp_path, *arguments: str) -> str:
    output = StringIO()
    call_command("evidence", "acme", *arguments, "--out", str(tmp_path / "pack.zip"), stdout=output)
    return output.getvalue()


def test_a_pack_of_a_candidate_is_written_and_counted(acme, tmp_path):
    text = pack(tmp_path, "--opportunity", "opportunity-1")
    assert "deliveries.jsonl: 1" in text
    assert "SHA-256 of its manifest" in text
    assert (tmp_path / "pack.zip").is_file()


def test_a_day_until_is_meant_to_its_end(acme, tmp_path):
    day = acme.deliveries.get().received_at.date().isoformat()
    assert "deliveries.jsonl: 1" in pack(tmp_path, "--since", day, "--until", day)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Give --opportunity ID, or --since"),
        (["--since", "2027-01-31"], "Give --opportunity ID, or --since"),
        (["--opportunity", "o", "--since", "2027-01-31"], "Give --opportunity ID, or --since"),
        (["--since", "2027-01-31", "--until", "2027-01-30"], "Swap them"),
        (["--since", "soon", "--until", "2027-01-30"], "'soon' is no date"),
        (["--opportunity", "unknown"], "Nothing is recorded"),
        (["--since", "2020-01-31", "--until", "2020-02-01"], "Nothing is recorded"),
    ],
)
def test_what_cannot_be_packed_is_explained(acme, tmp_path, arguments, said):
    with pytest.raises(CommandError, match=said):
        pack(tmp_path, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_explained(acme, tmp_path):
    with pytest.raises(CommandError, match="can't be written: No such file"):
        pack(tmp_path / "missing", "--opportunity", "opportunity-1")
