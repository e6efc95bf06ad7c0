"""The alert addresses of a file: printed without secrets, stored once, exported and read back, refused by name."""

import pytest
from django.core.management import CommandError

from integrations.audit.models.entry import AuditEntry
from integrations.configuration.file import dump
from integrations.notifications.models.preferences import AlertAddress
from integrations.organizations.models.organization import Organization

pytestmark = pytest.mark.django_db

HEAD = '[organization]\nname = "Acme"\nslug = "acme"\n'
SECRET, NEXT_SECRET = (f"whsec_{letter * 43}=" for letter in "AB")
ALERTS = f"""
[[alerts]]
name = "#hiring"
kind = "slack"
url = "https://1.1.1.1/services/T-SLACK"
held = false
[[alerts]]
name = "Our program"
kind = "signed"
url = "https://1.1.1.1/T-PROGRAM"
secret = "{SECRET}"
"""
SECRETS = ("T-SLACK", "T-PROGRAM", SECRET, NEXT_SECRET, "T-OTHER")


def without_secrets(text: str) -> str:
    assert not [secret for secret in SECRETS if secret in text]
    return text


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_new_addresses_are_printed_without_their_secrets(configure, options) -> None:
    output = without_secrets(configure(HEAD + ALERTS, *options))
    assert output.splitlines()[1:] == [
        '+ alert "#hiring": slack',
        '+ alert "#hiring" held: false',
        '+ alert "#hiring" url: set',
        '+ alert "Our program": signed',
        '+ alert "Our program" url: set',
        '+ alert "Our program" secret: set',
    ]
    assert AlertAddress.objects.count() == (0 if options else 2)


def test_they_are_stored_once(configure) -> None:
    configure(HEAD + ALERTS)
    room, program = AlertAddress.objects.order_by("kind").reverse()
    assert (room.url, room.host, room.secret) == ("https://1.1.1.1/services/T-SLACK", "1.1.1.1", "")
    assert (room.wants_results, room.wants_held, room.wants_incidents, room.is_on) == (
        True,
        False,
        True,
        True,
    )
    assert (program.kind, program.secret) == ("signed", SECRET)
    entries = AuditEntry.objects.count()
    assert configure(HEAD + ALERTS) == "nothing to change\n"
    assert AuditEntry.objects.count() == entries
    without_secrets(str(list(AuditEntry.objects.values_list("changes", flat=True))))


def test_changes_are_printed_without_their_secrets_and_stored(configure) -> None:
    configure(HEAD + ALERTS)
    changed = (
        ALERTS.replace("held = false", "results = false\non = false")
        .replace("T-SLACK", "T-OTHER")
        .replace(SECRET, NEXT_SECRET)
    )
    assert without_secrets(configure(HEAD + changed)).splitlines() == [
        '~ alert "#hiring" on: true → false',
        '~ alert "#hiring" results: true → false',
        '~ alert "#hiring" url: changed',
        '~ alert "Our program" secret: changed',
    ]
    room = AlertAddress.objects.get(kind="slack")
    assert (room.is_on, room.wants_results, room.wants_held) == (False, False, False)
    assert room.url.endswith("T-OTHER")
    assert AlertAddress.objects.get(kind="signed").secret == NEXT_SECRET
    assert configure(HEAD + changed) == "nothing to change\n"


def test_an_exported_file_reads_back_without_a_difference(configure) -> None:
    configure(HEAD + ALERTS)
    text = without_secrets(dump(Organization.objects.get()))
    assert '[[alerts]]\nname = "#hiring"\nkind = "slack"\non = true\nresults = true\nheld = false\n' in text
    assert text.count("# url is set; secrets are left out") == 2
    assert text.count("# secret is set; secrets are left out") == 1
    assert configure(text) == "nothing to change\n"
    assert AlertAddress.objects.get(kind="slack").url.endswith("T-SLACK")


def test_what_the_file_leaves_out_stays(configure) -> None:
    configure(HEAD + ALERTS)
    assert configure(HEAD) == "nothing to change\n"
    assert AlertAddress.objects.count() == 2


ROOM = '[[alerts]]\nname = "Room"\nkind = "slack"\nurl = "https://1.1.1.1/T-OTHER"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[alerts]]\nkind = 'slack'\n", "alerts[1].name is missing"),
        (
            "[[alerts]]\nname = 'x'\nurl = 'https://1.1.1.1/T-OTHER'\n",
            "alerts[1].kind is missing: there is no",
        ),
        ("[[alerts]]\nname = 'x'\nkind = 'slack'\n", "alerts[1].url is missing: there is no address"),
        (ROOM.replace("slack", "teams"), "alerts[1].kind"),
        (ROOM.replace("slack", "signed"), "alerts[1].secret is missing: a signed webhook needs one"),
        (ROOM + f"secret = '{SECRET}'\n", "alerts[1].secret: only an address of the kind signed"),
        (ROOM.replace("slack", "signed") + "secret = 'T-OTHER'\n", 'alert "Room": A webhook secret'),
        (ROOM * 2, "alerts[2] repeats 'Room'"),
        (ROOM + "incident = true\n", "Unknown key alerts[1].incident. Did you mean incidents?"),
        (ROOM + "held = 'yes'\n", "alerts[1].held must be true or false"),
        (ROOM + "results = false\nheld = false\nincidents = false\n", "Choose at least one kind of alert"),
        (ROOM.replace("1.1.1.1", "127.0.0.1"), 'alert "Room": 127.0.0.1 leads into a private network'),
        (ROOM.replace("https", "http"), 'alert "Room": The address must begin with https://'),
        (ALERTS.replace('"#hiring"\nkind = "slack"', '"Our program"\nkind = "slack"'), "alerts[2] repeats"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_an_error_names_the_key_and_shows_no_secret(configure, text, words, options) -> None:
    with pytest.raises(CommandError) as caught:
        configure(HEAD + text, *options)
    assert words in without_secrets(str(caught.value))
    assert not AlertAddress.objects.exists()


def test_an_address_keeps_its_kind(configure) -> None:
    configure(HEAD + ROOM)
    with pytest.raises(CommandError, match=r"alerts\[1\]\.kind: .* is slack and stays so"):
        configure(HEAD + ROOM.replace("slack", "signed"))
