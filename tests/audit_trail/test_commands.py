"""Every command that changes something writes exactly one audit entry."""

import pytest
from django.core.management import call_command, get_commands
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from tests.audit_trail.conftest import SECRETS, Act, Prepare, Scene, entry_written_by
from tests.support import factories
from tests.support.second_factors import with_app

COMMANDS: dict[str, Prepare] = {
    "api_token": lambda s: _command("api_token", s.organization.slug, "warehouse"),
    "api_token: revoke": lambda s: _revoke_by_command(s),
    "approve": lambda s: _command("approve", s.invitation(status="held").pk, "--reason", "yes"),
    "approve: refuse": lambda s: _command("approve", s.invitation(status="held").pk, "--refuse"),
    "resolve": lambda s: _command("resolve", s.invitation(status="uncertain").pk, "--instance", "i-9"),
    "resolve: again": lambda s: _command("resolve", s.invitation(status="uncertain").pk, "--send-again"),
    "reset_second_factor": lambda s: _reset_by_command(s),
    "replay": lambda s: _command("replay", s.delivery().pk),
    "restored": lambda s: _command("restored", s.organization.slug, "--since", timezone.now()),
    "forget": lambda s: _command("forget", s.organization.slug, s.invitation().opportunity_id),
}
NOT_AUDITED_COMMANDS = {
    "doctor",
    "export",
    "export_config",
    "forget_person",  # its entries are tested in tests/privacy/test_acts_forget_person.py
    "poll",
    "qcluster",
    "rotate_keys",
    "sweep",
    "take_over",  # its entry is tested in tests/invitations/test_take_over.py
    "verify_audit",
}


def _revoke_by_command(scene: Scene) -> Act:
    token = factories.api_token(scene.organization)
    return _command("api_token", scene.organization.slug, "--revoke", token.name)


def _reset_by_command(scene: Scene) -> Act:
    with_app(scene.owner)
    return _command("reset_second_factor", scene.owner.username, "--reason", "because")


def _command(name: str, *arguments: object) -> Act:
    return lambda: call_command(name, *map(str, arguments))


def test_every_command_is_tested_or_listed_as_changing_no_setting():
    ours = {name for name, app in get_commands().items() if app == "integrations"}
    assert ours == {name.partition(":")[0] for name in COMMANDS} | NOT_AUDITED_COMMANDS | {"configure"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_writes_one_entry_with_its_name_as_actor(scene, name):
    entry = entry_written_by(COMMANDS[name](scene))
    assert entry.actor is None
    assert entry.actor_name == name.partition(":")[0]
    assert entry.organization == scene.organization


LINES = [
    ("[policies]\nrating_follows_result = false", {"rating_follows_result": [True, False]}),
    ('[[mappings]]\nrole = "R"\nassessment = "A"', {"role": ["", "R"], "assessment": ["", "A"]}),
    (f'[lever]\nsignature_token = "{SECRETS[0]}"', {"signature_token": ["empty", "set"]}),
    (f'[codescreen]\napi_key = "{SECRETS[1]}"', {"api_key": ["set", "set"]}),
    (
        f'[[members]]\nusername = "new"\nemail = "n@a.example"\nrole = "admin"\npassword = "{SECRETS[2]}"',
        {"role": ["", "admin"], "email": ["", "n@a.example"], "password": ["empty", "set"]},
    ),
]


@pytest.mark.parametrize(("text", "changes"), LINES)
def test_configure_writes_one_entry_per_change_and_none_when_repeated(scene, tmp_path, text, changes):
    path = tmp_path / "file.toml"
    path.write_text(f'[organization]\nslug = "{scene.organization.slug}"\n{text}\n')
    entry = entry_written_by(_command("configure", path))
    assert (entry.actor_name, entry.changes) == ("configure", changes)
    count = AuditEntry.objects.count()
    call_command("configure", str(path))
    assert AuditEntry.objects.count() == count
