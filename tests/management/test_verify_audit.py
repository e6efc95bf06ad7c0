"""`verify_audit`: what it prints, and how it exits."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from integrations.audit.models.chain import ChainHead
from integrations.audit.models.entry import AuditAction, AuditTarget, TargetKind
from integrations.audit.record import audit
from tests.support import factories
from tests.support.append_only import overwrite
from tests.support.factories import recorded

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    organization = factories.OrganizationFactory.create(slug="acme")
    target = AuditTarget(TargetKind.ORGANIZATION, organization.pk, "Acme")
    for scope in (organization, organization, None):
        audit(target, "configure", AuditAction.CHANGE_POLICIES, organization=scope)
    factories.decide(factories.DeliveryFactory.create(organization=organization), "no_email")
    return organization


def verify(*arguments: str) -> tuple[int, list[str]]:
    """Run the command; return how it exits and its lines."""
    output = StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=output)
    except SystemExit as end:
        return int(str(end.code)), output.getvalue().splitlines()
    return 0, output.getvalue().splitlines()


def test_whole_chains_are_counted_and_their_heads_printed(acme):
    empty = ChainHead.objects.get(pk=factories.OrganizationFactory.create(slug="empty").pk)
    head = ChainHead.objects.get(pk=acme.pk)
    portal = ChainHead.objects.get(pk=0)
    assert verify() == (
        0,
        [
            f"the portal: whole. 3 audit entries and 0 verdicts, the text of 0 erased. Head 3:{portal.hash}",
            f"acme: whole. 3 audit entries and 1 verdicts, the text of 0 erased. Head 4:{head.hash}",
            f"empty: whole. 1 audit entries and 0 verdicts, the text of 0 erased. Head 1:{empty.hash}",
        ],
    )


def test_a_fault_is_printed_and_exits_with_1(acme):
    entry = recorded().filter(organization=acme).earliest("position")
    overwrite(recorded().filter(pk=entry.pk), reason="Never said.")
    code, lines = verify("acme")
    assert code == 1
    assert lines == [
        f"acme: audit entry {entry.pk} at position 2: its text was changed.",
        "acme: not whole, 1 faults. 3 audit entries and 1 verdicts, the text of 0 erased.",
    ]
    assert verify()[0] == 1


def test_to_accept_a_fault_takes_a_reason(acme):
    with pytest.raises(CommandError, match="Say the reason"):
        verify("acme", "--accept", " ")
