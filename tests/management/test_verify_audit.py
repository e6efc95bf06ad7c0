"""`verify_audit`: what it prints, and how it exits."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.chain_head import ChainHead
from integrations.audit.models.entry import AuditAction, AuditTarget, TargetKind
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
    delivery = factories.DeliveryFactory.create(organization=organization)
    claimed = delivery.lease()
    assert claimed is not None
    claimed.decide("no_email", "There is no address.")
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
    check = recorded().get(action="verify_log")
    assert check.changes == {
        "result": [None, "Not whole: 1 rows or positions are wrong."],
        "faults": [None, 1],
    }
    assert verify()[0] == 1
    assert verify("--portal")[0] == 0


def test_an_announced_head_is_compared(acme):
    head = ChainHead.objects.get(pk=acme.pk)
    assert verify("acme", "--head", f" {head} ")[0] == 0
    assert recorded().filter(action="verify_log").get().changes["head"] == [None, str(head)]
    code, lines = verify("acme", "--head", f"9:{head.hash}")
    assert code == 1
    assert "its end was cut off" in lines[0]


@pytest.mark.parametrize("head", ["3", "3:abc", f"0:{'0' * 64}", f"x:{'0' * 64}", f"3:{'0' * 64}0"])
def test_a_malformed_head_says_how_it_is_written(acme, head):
    with pytest.raises(CommandError, match="a position, a colon and 64 characters"):
        verify("acme", "--head", head)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--head", f"3:{'0' * 64}"], "Give the ORGANIZATION too"),
        (["acme", "--portal"], "not both"),
        (["acne"], "Did you mean acme?"),
    ],
)
def test_contradictory_arguments_name_the_fix(acme, arguments, hint):
    with pytest.raises(CommandError, match=hint.replace("?", r"\?")):
        verify(*arguments)
