"""What is said of the members of a closed set stands in their records: no table by member anywhere else."""

import ast
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import pytest

from integrations.core.finding_code import FindingCode
from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import VerdictCode
from integrations.notifications.models.email_kind import EmailKind, EmailTopic
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import EFFECT_KINDS
from tests.support.product import modules

#: So many members in one literal or match are a table.
TABLE = 3


@dataclass(frozen=True)
class ClosedSet:
    """A closed set, and where its records are. Its codes count where no other set has the same words."""

    members: type[Enum]
    owner: str | tuple[str, ...]  # the end of the expression before a member's name
    home: tuple[str, ...]
    has_own_codes: bool = False

    def is_member(self, node: ast.expr) -> bool:
        """Whether the expression is a member, or a member's code."""
        if isinstance(node, ast.Attribute):
            if node.attr == "value":
                return self.is_member(node.value)
            return node.attr in self.members.__members__ and ast.unparse(node.value).endswith(self.owner)
        codes = {str(member.value) for member in self.members} if self.has_own_codes else ()
        return isinstance(node, ast.Constant) and node.value in codes


EFFECT_HOME = (
    "integrations/outbox/kinds/",
    "integrations/outbox/models/enqueue.py",
    "integrations/case/reconcile.py",
)
# which incidents gain rows is the database's matter
FINDING_HOME = ("integrations/core/finding_code.py", "integrations/health/incidents.py")
EMAIL_HOME = ("integrations/notifications/models/email_kind.py",)
# which function composes an e-mail stands above the tables
TOPIC_HOME = (*EMAIL_HOME, "integrations/outbox/kinds/email.py")
CLOSED_SETS = [
    ClosedSet(Effect.Kind, "Kind", EFFECT_HOME, has_own_codes=True),
    ClosedSet(InvitationStatus, "Status", ("integrations/core/invitation_status.py",)),
    ClosedSet(VerdictCode, ("VerdictCode", "Code"), ("integrations/core/verdict_code.py",)),
    ClosedSet(FindingCode, "FindingCode", FINDING_HOME),
    ClosedSet(EmailKind, "EmailKind", EMAIL_HOME),
    ClosedSet(EmailTopic, "EmailTopic", TOPIC_HOME),
]


@cache
def literals() -> list[tuple[str, int, list[ast.expr]]]:
    """Return the dicts, collections and matches that are long enough for a table: path, line and what is in them."""
    return [
        (path, node.lineno, found)
        for path, module in modules().items()
        for node in ast.walk(module)
        if isinstance(node, ast.expr | ast.Match) and len(found := parts_of(node)) >= TABLE
    ]


def parts_of(node: Any) -> list[ast.expr]:
    """Return the keys, elements or cases of a literal or match; nothing of another node."""
    match node:
        case ast.Dict():
            return [key for key in node.keys if key is not None]
        case ast.Set() | ast.Tuple() | ast.List():
            return node.elts
        case ast.Match():
            patterns = [one for case in node.cases for one in ast.walk(case.pattern)]
            return [one.value for one in patterns if isinstance(one, ast.MatchValue)]
    return []


@pytest.mark.parametrize("closed", CLOSED_SETS, ids=lambda closed: closed.members.__qualname__)
def test_no_table_by_member_stands_outside_the_records(closed):
    places = [
        f"{path}:{line}"
        for path, line, found in literals()
        if not path.startswith(closed.home)
        and len({ast.unparse(one) for one in found if closed.is_member(one)}) >= TABLE
    ]
    assert places == [], "say it in the record of each member, and read it there"


def test_each_kind_of_effect_has_a_record_of_its_own():
    assert {kind: record.kind for kind, record in EFFECT_KINDS.items()} == {
        kind: kind for kind in Effect.Kind
    }


@pytest.mark.parametrize("member", [*InvitationStatus, *VerdictCode])
def test_a_record_says_in_whole_sentences_what_to_do(member):
    assert member.record.next_step[0].isupper()
    assert member.record.next_step.endswith(".")
    assert member.record.code == member.value
    assert not member.record.waits_for.endswith(".")
