"""What is said of the members of a closed set stands in their records: no table by member anywhere else."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from integrations.core.finding_code import FindingCode
from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import VerdictCode
from integrations.notifications.models.email_kind import EmailKind, EmailTopic
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import EFFECT_KINDS

ROOT = Path(__file__).resolve().parent.parent
#: So many members in one literal or match are a table.
TABLE = 3


@dataclass(frozen=True)
class ClosedSet:
    """A closed set: how the code names its members, and where their records are."""

    names: frozenset[str]
    codes: frozenset[str]
    owner: str | tuple[str, ...]  # the end of the expression before a member's name
    home: tuple[str, ...]

    def is_member(self, node: ast.expr) -> bool:
        """Whether the expression is a member, or a member's code."""
        if isinstance(node, ast.Attribute):
            if node.attr == "value":
                return self.is_member(node.value)
            return node.attr in self.names and ast.unparse(node.value).endswith(self.owner)
        return isinstance(node, ast.Constant) and node.value in self.codes


EFFECTS = ClosedSet(
    names=frozenset(Effect.Kind.names),
    codes=frozenset(Effect.Kind.values),
    owner="Kind",
    home=(
        "integrations/outbox/kinds/",
        "integrations/outbox/models/enqueue.py",
        "integrations/case/reconcile.py",
    ),
)
#: Their codes are words that other sets have too, so only members count.
STATUSES = ClosedSet(
    names=frozenset(InvitationStatus.__members__),
    codes=frozenset(),
    owner="Status",
    home=("integrations/core/invitation_status.py",),
)
VERDICTS = ClosedSet(
    names=frozenset(VerdictCode.__members__),
    codes=frozenset(),
    owner=("VerdictCode", "Code"),
    home=("integrations/core/verdict_code.py",),
)
#: Their codes are words of other sets, too.
FINDINGS = ClosedSet(
    names=frozenset(FindingCode.__members__),
    codes=frozenset(),
    owner="FindingCode",
    # which incidents gain rows is the database's matter
    home=("integrations/core/finding_code.py", "integrations/health/incidents.py"),
)
EMAIL_KINDS = ClosedSet(
    names=frozenset(EmailKind.__members__),
    codes=frozenset(),
    owner="EmailKind",
    home=("integrations/notifications/models/email_kind.py",),
)
EMAIL_TOPICS = ClosedSet(
    names=frozenset(EmailTopic.__members__),
    codes=frozenset(),
    owner="EmailTopic",
    # which function composes an e-mail stands above the tables
    home=("integrations/notifications/models/email_kind.py", "integrations/outbox/kinds/email.py"),
)


def tables(source: str, closed: ClosedSet) -> Iterator[int]:
    """Yield the lines of dicts, collections and matches with several members."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Dict():
                found = [key for key in node.keys if key is not None]
            case ast.Set() | ast.Tuple() | ast.List():
                found = node.elts
            case ast.Match():
                patterns = [one for case in node.cases for one in ast.walk(case.pattern)]
                found = [one.value for one in patterns if isinstance(one, ast.MatchValue)]
            case _:
                continue
        if len({ast.unparse(one) for one in found if closed.is_member(one)}) >= TABLE:
            yield node.lineno


@pytest.mark.parametrize(
    "closed",
    [
        pytest.param(EFFECTS, id="effects"),
        pytest.param(STATUSES, id="statuses"),
        pytest.param(VERDICTS, id="verdicts"),
        pytest.param(FINDINGS, id="findings"),
        pytest.param(EMAIL_KINDS, id="email_kinds"),
        pytest.param(EMAIL_TOPICS, id="email_topics"),
    ],
)
def test_no_table_by_member_stands_outside_the_records(closed):
    product = [path for part in ("integrations", "portal") for path in (ROOT / part).rglob("*.py")]
    places = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in product
        if not {"migrations", "devtools"} & {*path.parts}
        and not str(path.relative_to(ROOT)).startswith(closed.home)
        for line in tables(path.read_text(), closed)
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
