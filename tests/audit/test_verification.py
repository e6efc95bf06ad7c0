"""The daily announcement of where a chain ends, and that the chain must still contain it."""

import logging

import pytest

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.chain_head import AnnouncedHead, ChainHead
from integrations.audit.models.entry import AuditAction, AuditTarget, TargetKind
from integrations.audit.verification import HeadToCompare, announce_head
from integrations.notifications.models.email_kind import EmailKind
from integrations.notifications.models.preferences import NotificationPreference
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.store.append_only import AppendOnlyError
from tests.support import factories
from tests.support.append_only import lifted, overwrite

pytestmark = pytest.mark.django_db


def mails() -> list[str]:
    return [str(effect.payload) for effect in Effect.objects.filter(email_topic="log_head")]


def test_the_head_is_logged_stored_and_mailed_to_super_admins(chain, organization, super_admin, caplog):
    admin = factories.member(organization, "admin", "ann")
    target = AuditTarget(TargetKind.ORGANIZATION, None, "x")
    audit(target, "configure", AuditAction.REPLAY, organization=None)
    head, portal = ChainHead.objects.get(pk=chain.organization.pk), ChainHead.objects.get(pk=0)
    with caplog.at_level(logging.INFO):
        announce_head(chain.organization)
    assert f"the log of {chain.organization.slug} ends at {head}" in caplog.text
    assert f"the log of the portal ends at {portal}" in caplog.text
    assert set(AnnouncedHead.objects.values_list("chain", "position", "hash")) == {
        (chain.organization.pk, 10, head.hash),
        (0, 2, portal.hash),
    }
    [mail] = mails()
    assert f"verify_audit {chain.organization.slug} --head 10:{head.hash}" in mail
    assert super_admin.email in mail
    assert admin.email not in mail


def test_nobody_is_mailed_who_chose_not_to_be(chain, super_admin):
    member = super_admin.memberships.get()
    NotificationPreference.objects.create(membership=member, kind=EmailKind.LOG_HEAD, is_wanted=False)
    announce_head(chain.organization)
    assert mails() == []
    assert AnnouncedHead.objects.of_chain(chain.organization.pk).count() == 1


def test_the_same_head_is_logged_again_but_stored_and_mailed_once(chain, super_admin, caplog):
    with caplog.at_level(logging.INFO):
        announce_head(chain.organization)
        announce_head(chain.organization)
    assert caplog.text.count("ends at 10:") == 2
    announced = AnnouncedHead.objects.of_chain(chain.organization.pk)
    assert announced.count() == len(mails()) == 1
    chain.decide("One more.")
    announce_head(chain.organization)
    assert announced.count() == len(mails()) == 2
    assert chain.faults() == []


def test_a_chain_without_rows_announces_nothing(db, caplog):
    with caplog.at_level(logging.INFO):
        announce_head(Organization.objects.create(name="New", slug="new"))
    assert "ends at" not in caplog.text
    assert not AnnouncedHead.objects.exists()


def test_a_chain_whose_end_and_head_were_cut_off_no_longer_has_the_stored_head(chain):
    announce_head(chain.organization)
    with lifted():
        chain.verdicts().filter(position=10)._raw_delete("default")
    overwrite(ChainHead.objects.filter(pk=chain.organization.pk), position=9, hash=chain.row(9).hash)
    overwrite(chain.verdicts().filter(position=8), is_current=True)
    assert chain.named() == [("seal_differs", "", None, 9), ("end_cut_off", "", None, 10)]


def test_an_announced_head_is_never_changed(chain):
    announce_head(chain.organization)
    head = AnnouncedHead.objects.of_chain(chain.organization.pk).get()
    with pytest.raises(AppendOnlyError):
        head.save()
    with pytest.raises(AppendOnlyError):
        AnnouncedHead.objects.update(hash="")


def test_a_head_is_read_as_it_is_written():
    head = HeadToCompare(12, "ab" * 32)
    assert HeadToCompare.parse(f" {head}\n") == head
    for text in ("", "12", f"١:{'ab' * 32}", f"-1:{'ab' * 32}", f"1:{'AB' * 32}", f"1:{'ab' * 32} x"):
        assert HeadToCompare.parse(text) is None
