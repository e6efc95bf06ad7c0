"""Who can write the database and has none of the portal's keys can't make a shorter or other log look whole."""

import pytest
from cryptography.fernet import Fernet

from integrations.audit.models.chain import ChainHead
from integrations.audit.models.entry import AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.audit.record import audit
from integrations.organizations.acts import create_organization
from integrations.organizations.models.organization import Organization
from tests.audit.conftest import execute
from tests.management.conftest import printed_by
from tests.management.test_verify_audit import verify
from tests.support import factories
from tests.support.append_only import lifted, overwrite

pytestmark = pytest.mark.django_db


def cut_off_from(chain, position: int) -> None:
    """Remove the rows from this position on, and move the head with them."""
    with lifted():
        for rows in (chain.entries(), chain.verdicts()):
            rows.filter(position__gte=position)._raw_delete("default")
    hash_ = chain.row(position - 1).hash
    overwrite(ChainHead.objects.filter(pk=chain.organization.pk), position=position - 1, hash=hash_)


def head_of(chain) -> ChainHead:
    return ChainHead.objects.get(pk=chain.organization.pk)


def is_signed(chain) -> bool:
    return not any("the keyed hash of the head" in fault for fault in chain.faults())


def test_a_head_that_was_moved_stays_unsigned_whatever_is_written_after_it(chain):
    cut_off_from(chain, 8)
    assert not is_signed(chain)
    chain.record("before", "after")
    assert not is_signed(chain)
    assert head_of(chain).keyed_hash == ""


@pytest.mark.parametrize("made_up", ["", "0" * 64, "of the head before", "of another chain"])
def test_no_keyed_hash_can_be_made_up(chain, made_up, super_admin):
    before = head_of(chain).keyed_hash
    other = type(chain)(Organization.objects.create(slug="other", name="Other", webhook_key="k" * 40))
    chain.record("before", "after")
    hashes = {"of the head before": before, "of another chain": head_of(other).keyed_hash}
    ChainHead.objects.filter(pk=chain.organization.pk).update(keyed_hash=hashes.get(made_up, made_up))
    assert not is_signed(chain)


def test_a_change_of_keys_in_the_documented_order_is_no_fault(chain, settings):
    [old], new = settings.FIELD_ENCRYPTION_KEYS, Fernet.generate_key().decode()
    for keys in ([old, new], [new, old]):
        settings.FIELD_ENCRYPTION_KEYS = keys
        assert chain.faults() == []
    assert "not signed" not in printed_by("rotate_keys")
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert chain.faults() == []
    settings.FIELD_ENCRYPTION_KEYS = [old]
    assert not is_signed(chain)


def test_a_change_of_keys_signs_nothing_that_was_cut_off(chain, settings):
    cut_off_from(chain, 8)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
    assert f"The end of log {chain.organization.pk} was not signed" in printed_by("rotate_keys")
    assert not is_signed(chain)


def test_an_operator_accepts_a_log_as_it_is_and_that_is_on_record(chain, settings):
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert not is_signed(chain)
    verify(chain.organization.slug, "--accept", "The key was lost.")
    assert chain.faults() == []
    entry = AuditEntry.objects.latest("position")
    assert (entry.action, entry.reason) == (AuditAction.ACCEPT_LOG, "The key was lost.")


@pytest.fixture
def globex(db) -> Organization:
    """An organization that was made as the portal makes them."""
    organization = Organization(slug="globex", name="Globex", webhook_key="g" * 40)
    create_organization(organization, "configure")
    return organization


def test_an_organization_that_was_removed_with_its_log_is_named(globex):
    assert verify()[0] == 0
    for table, column in (("auditentry", "organization_id"), ("chainhead", "chain"), ("organization", "id")):
        execute(f"DELETE FROM integrations_{table} WHERE {column} = %s", globex.pk)
    code, lines = verify()
    assert code == 1
    assert f"the portal: organization {globex.pk} was removed with its chain." in "\n".join(lines)


def test_a_log_that_begins_anew_is_named(globex):
    execute("DELETE FROM integrations_auditentry WHERE organization_id = %s", globex.pk)
    execute("DELETE FROM integrations_chainhead WHERE chain = %s", globex.pk)
    assert "it was emptied, or begins anew" in "\n".join(verify("globex")[1])
    globex.audit_entries.create(actor_name="x", action="replay", target_kind="organization", target="x")
    assert "it was emptied, or begins anew" in "\n".join(verify("globex")[1])


def test_every_log_emptied_at_once_stays_named_whatever_the_portal_writes_after_it(globex):
    for table in ("auditentry", "verdict", "chainhead"):
        execute(f"DELETE FROM integrations_{table}")
    target = AuditTarget(TargetKind.ORGANIZATION, globex.pk, "Globex")
    for organization in (globex, None):
        audit(target, "configure", AuditAction.CHANGE_POLICIES, organization=organization)
    code, lines = verify()
    text = "\n".join(lines)
    assert code == 1
    assert f"the portal: that organization {globex.pk} was made is missing in this chain" in text
    assert "globex: the chain doesn't begin with the making of the organization" in text


def test_a_portal_without_organizations_and_one_just_made_are_whole(db):
    assert verify()[0] == 0
    factories.OrganizationFactory.create()
    assert verify()[0] == 0
