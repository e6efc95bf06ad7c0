"""What a pack holds, and that every alteration of it is found."""

import ast
import hashlib
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from integrations.accounts.acts.accounts import record_for_person
from integrations.audit.evidence import verify as verify_module
from integrations.audit.evidence.pack import FileExists, write_pack
from integrations.audit.evidence.selection import files, is_empty, of_candidate, of_period
from integrations.audit.models.audited_rows import audit
from integrations.audit.models.chain import erased_positions
from integrations.audit.models.chain_head import ChainHead
from integrations.audit.models.entry import AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.clients.models import ApiCall
from integrations.core.vocabulary import ErasureCause
from integrations.data_inventory import candidate_tables
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.result import Result
from integrations.notifications.payload import EmailPayload, Notice
from integrations.privacy.erase import erase
from tests.audit.evidence.conftest import ALDER, BIRCH, rows, verify
from tests.support import factories

FILES = (
    "README.txt",
    "audit_entries.jsonl",
    "calls.jsonl",
    "chain.jsonl",
    "candidates.jsonl",
    "deliveries.jsonl",
    "effects.jsonl",
    "invitations.jsonl",
    "manifest.json",
    "manifest.sha256",
    "results.jsonl",
    "verdicts.jsonl",
    "verify.py",
)


def test_a_pack_of_a_candidate_holds_their_rows_and_verifies_on_a_plain_python(unpack, alder):
    folder = unpack(alder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    for name in FILES:
        if name.endswith(".jsonl") and name != "chain.jsonl":
            assert len(rows(folder, name)) == 1, name
    [verdict] = rows(folder, "verdicts.jsonl")
    assert verdict["explanation"] == "Candidate Alder entered “CodeScreen 🦊”."
    assert "Candidate Birch" not in "".join((folder / name).read_text() for name in FILES)
    code, text = verify(folder)
    assert code == 0, text
    assert text.startswith("Nothing was altered: 11 files;")


def test_a_pack_of_a_candidate_tells_of_nobody_else(unpack, alder, acme, super_admin):
    others = Notice(
        "Birch has a result", ("Candidate Birch failed with 12.",), {"candidate": "Candidate Birch"}
    )
    email = EmailPayload(
        recipients=("lead@acme.example",),
        subject="A result",
        lines=("Candidate Alder passed.",),
        sent_to=("lead@acme.example",),
        appended=(others,),
    )
    own = {"organization": acme, "opportunity_id": ALDER, "kind": "send_email", "email_topic": "result"}
    factories.EffectFactory.create(**own, payload=email.to_json())
    super_admin.memberships.create(organization=acme, role="admin")
    record_for_person(super_admin, AuditAction.SIGN_IN)
    audit(AuditTarget(TargetKind.INVITATION, 1, ""), "x", AuditAction.RETRY, organization=acme)
    folder = unpack(alder)
    everything = "".join((folder / name).read_text() for name in FILES)
    for word in ("Birch", "lead@acme.example", super_admin.username):
        assert word not in everything, word
    assert "Candidate Alder passed." in everything
    assert [link["row"].get("action") for link in rows(folder, "chain.jsonl")][-2:] == ["sign_in", "retry"]
    assert verify(folder)[0] == 0


def test_who_acted_on_an_account_cant_be_altered_in_a_pack_of_a_period(unpack, acme, super_admin):
    super_admin.memberships.create(organization=acme, role="admin")
    record_for_person(super_admin, AuditAction.SIGN_IN)
    now = timezone.now()
    folder = unpack(of_period(acme, now - timedelta(hours=1), now + timedelta(hours=1)))
    entries = rows(folder, "audit_entries.jsonl")
    assert entries[-1]["actor_name"] == super_admin.username
    assert verify(folder)[0] == 0
    entries[-1]["actor_name"] = "somebody else"
    write_rows(folder, "audit_entries.jsonl", entries)
    assert "its text was changed" in verify(folder)[1]


def test_a_pack_says_how_often_the_same_answer_came(unpack, alder):
    moment = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    ApiCall.objects.filter(opportunity_id=ALDER).update(repeats=37, last_at=moment)
    folder = unpack(alder)
    [call] = rows(folder, "calls.jsonl")
    assert (call["repeats"], call["last_at"]) == (37, "2026-03-04T05:06:07.000000+00:00")


def test_the_pack_is_on_record_with_the_digest_of_its_manifest(unpack, alder):
    folder = unpack(alder)
    entry = AuditEntry.objects.latest("position")
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert entry.action == AuditAction.EXPORT_EVIDENCE
    assert entry.changes == {"opportunity_id": [None, ALDER], "manifest_sha256": [None, digest]}


def test_a_pack_of_a_period_holds_what_happened_in_it(unpack, acme):
    now = timezone.now()
    folder = unpack(of_period(acme, now - timedelta(hours=1), now + timedelta(hours=1)))
    assert len(rows(folder, "verdicts.jsonl")) == len(rows(folder, "deliveries.jsonl")) == 3
    assert verify(folder)[0] == 0
    assert is_empty(of_period(acme, now - timedelta(days=9), now - timedelta(days=8)))


def test_a_pack_of_a_period_holds_a_call_whose_answer_came_again_in_it(unpack, acme):
    now = timezone.now()
    ApiCall.objects.update(repeats=1, last_at=now + timedelta(days=5))
    folder = unpack(of_period(acme, now + timedelta(days=4), now + timedelta(days=6)))
    assert len(rows(folder, "calls.jsonl")) == ApiCall.objects.filter(organization=acme).count()


def test_every_table_with_rows_about_a_candidate_is_in_a_pack(alder):
    of_a_candidate = {table.model._meta.label for table in candidate_tables() if table.opportunity}
    packed = {rows.model._meta.label for rows in files(alder).values()}
    assert packed == {*of_a_candidate, AuditEntry._meta.label}
    period = of_period(alder.organization, timezone.now(), timezone.now())
    assert {rows.model._meta.label for rows in files(period).values()} == packed


def test_another_organizations_rows_are_in_no_pack(unpack, acme):
    other = factories.OrganizationFactory.create(slug="globex")
    assert is_empty(of_candidate(other, ALDER))


@pytest.mark.parametrize("name", FILES)
def test_one_altered_byte_in_any_file_is_found(unpack, alder, name):
    folder = unpack(alder)
    packed = (folder / name).read_bytes()
    for place in (0.0, 0.37, 0.71, 1.0):
        content = bytearray(packed)
        content[int((len(content) - 1) * place)] ^= 1
        (folder / name).write_bytes(content)
        code, text = verify(folder)
        assert code == 1, place
        assert name in text, place


def test_the_verifier_needs_no_newer_python_than_it_says():
    module = ast.parse(Path(verify_module.__file__).read_text(), feature_version=(3, 8))
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    types = [annotated.annotation for one in functions for annotated in one.args.args]
    types += [one.returns for one in functions]
    # `list[str]` and `str | None` can't be evaluated there; a text isn't evaluated
    assert {type(annotation) for annotation in types} <= {ast.Name, ast.Constant, type(None)}


def test_a_removed_and_an_added_file_are_found(unpack, alder):
    folder = unpack(alder)
    (folder / "calls.jsonl").unlink()
    (folder / "more.jsonl").write_text("{}")
    code, text = verify(folder)
    assert code == 1
    assert "calls.jsonl is missing" in text
    assert "more.jsonl was added" in text


@pytest.mark.parametrize("options", [("-S",), ("-I", "-S")])
@pytest.mark.parametrize("name", ["hashlib", "json", "pathlib", "typing", "__future__"])
def test_a_module_beside_the_verifier_is_found_and_not_run(unpack, alder, tmp_path, name, options):
    folder, marker = unpack(alder), tmp_path / "ran"
    (folder / f"{name}.py").write_text(f"open({str(marker)!r}, 'w').close()\nraise SystemExit(0)\n")
    code, text = verify(folder, *options)
    assert (code, f"{name}.py was added" in text) == (1, True)
    assert not marker.exists()


def test_a_compiled_module_beside_the_verifier_is_found(unpack, alder):
    folder = unpack(alder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "hashlib.cpython-313.pyc").write_bytes(b"")
    code, text = verify(folder)
    assert (code, "__pycache__/hashlib.cpython-313.pyc was added" in text) == (1, True)


def repack(folder) -> None:
    """Make the manifest fit the files, as somebody does who knows the format."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, about in manifest["files"].items():
        content = (folder / name).read_bytes()
        about |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    text = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(text)
    (folder / "manifest.sha256").write_text(hashlib.sha256(text).hexdigest() + "\n")


def write_rows(folder, name, changed) -> None:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in changed))
    repack(folder)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("explanation", "Nobody was invited.", "its text was changed"),
        ("code", "no_email", "code differs from the chain"),
        ("decided_at", "2020-01-01T00:00:00.000000+00:00", "decided_at differs from the chain"),
        ("text_salt", "", "its text was put back after its erasure"),
        ("text_salt", "no hexadecimal", "its text was changed"),
        ("position", 1, "the chain has no such row"),
        ("position", 99, "the chain has no such row"),
    ],
)
def test_a_row_altered_together_with_the_manifest_is_named(unpack, alder, column, value, said):
    folder = unpack(alder)
    [verdict] = rows(folder, "verdicts.jsonl")
    write_rows(folder, "verdicts.jsonl", [verdict | {column: value}])
    code, text = verify(folder)
    assert code == 1
    assert f"verdict {verdict['id']} at position" in text
    assert said in text


def test_a_text_that_was_emptied_without_a_record_is_named(unpack, alder):
    folder = unpack(alder)
    [verdict] = rows(folder, "verdicts.jsonl")
    emptied = {"explanation": "", "assessment_written": "", "text_salt": ""}
    write_rows(folder, "verdicts.jsonl", [verdict | emptied])
    assert "no record of an erasure names it" in verify(folder)[1]


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (lambda links: links[:-1], "it doesn't end with the head"),
        (lambda links: links[1:], "it doesn't follow position"),
        (lambda links: [*links[:1], *links[2:]], "it doesn't follow position"),
        (lambda links: [links[1], links[0], *links[2:]], "it doesn't follow position"),
        (lambda links: [links[0] | {"row": {}}, *links[1:]], "it doesn't fit its hash"),
        (lambda links: [{"position": "no number"}, *links], "it can't be read"),
    ],
    ids=["end cut off", "beginning cut off", "removed", "exchanged", "altered", "not a link"],
)
def test_an_altered_chain_is_found(unpack, alder, alter, said):
    folder = unpack(alder)
    write_rows(folder, "chain.jsonl", alter(rows(folder, "chain.jsonl")))
    code, text = verify(folder)
    assert code == 1
    assert said in text


def test_erased_rows_are_verified_by_their_digests(unpack, alder, acme):
    erased = alder.verdicts.erase_text()
    target = AuditTarget(TargetKind.ORGANIZATION, acme.pk, "opportunity")
    audit(target, "forget", AuditAction.ERASE, erased_positions(erased), organization=acme)
    folder = unpack(alder)
    code, text = verify(folder)
    assert code == 0, text
    assert "the text of 1 erased" in text


def test_a_pack_names_no_erased_person(unpack, alder, acme):
    erase(acme, ALDER, ErasureCause.FORGOTTEN, "forget")
    folder = unpack(alder)
    assert "Candidate Alder" not in "".join((folder / name).read_text() for name in FILES)
    [candidate] = rows(folder, "candidates.jsonl")
    assert candidate["erased_at"]
    assert verify(folder)[0] == 0


def test_a_pack_of_a_candidate_says_that_others_were_erased_and_not_who(unpack, alder, acme):
    erase(acme, BIRCH, ErasureCause.FORGOTTEN, "forget")
    folder = unpack(alder)
    assert any(row["action"] == "erase" for row in rows(folder, "audit_entries.jsonl"))
    assert "Candidate Birch" not in "".join((folder / name).read_text() for name in FILES)


def test_the_rows_have_what_else_codescreen_says(unpack, alder):
    details = '{"issueCount": 10, "note": "<b>bold</b>"}'
    Result.objects.update(details_json=details)
    [result] = rows(unpack(alder), "results.jsonl")
    assert result["details_json"] == details


def test_what_a_policy_removed_is_said_by_the_verifier(unpack, alder, acme):
    target = AuditTarget(TargetKind.ORGANIZATION, acme.pk, acme.name)
    for day in ("2027-01-30", "2027-01-31"):
        changes = {"calls": (None, f"from before {day}")}
        audit(target, "retention", AuditAction.REMOVE_OLD, changes, organization=acme)
    code, text = verify(unpack(alder))
    assert code == 0, text
    assert "Missing on purpose, removed by age: calls from before 2027-01-31." in text
    assert "2027-01-30" not in text


def test_the_same_rows_make_the_same_bytes(unpack, alder):
    one, other = unpack(alder), unpack(alder)
    for name in set(FILES) - {"manifest.json", "manifest.sha256", "README.txt", "chain.jsonl"}:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_no_secret_is_in_a_pack(unpack, acme):
    payload = {"token": "planted-nonce", "signature": "planted-signature", "data": {}}
    factories.LeverWebhookFactory.create(organization=acme, signature_token="planted-token")
    factories.CodeScreenConnectionFactory.create(organization=acme, api_key="planted-api-key")
    factories.DeliveryFactory.create(organization=acme, opportunity_id=ALDER, payload=payload)
    folder = unpack(of_candidate(acme, ALDER))
    assert "planted" not in "".join(path.read_text() for path in folder.iterdir())


def test_a_file_that_exists_is_kept(alder, tmp_path):
    path = tmp_path / "pack.zip"
    path.write_text("mine")
    with pytest.raises(FileExists, match="Choose another name"):
        write_pack(alder, path, "evidence")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pack_is_readable_by_its_owner_alone_and_nothing_is_left_beside_it(alder, tmp_path):
    path = tmp_path / "pack.zip"
    rows_by_file, _ = write_pack(alder, path, "evidence")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert rows_by_file["verdicts.jsonl"] == 1


def test_the_chain_reaches_from_the_first_row_of_the_pack_to_the_head(unpack, alder, acme):
    head = ChainHead.objects.get(pk=acme.pk)
    links = rows(unpack(alder), "chain.jsonl")
    [first] = Verdict.objects.filter(delivery__opportunity_id=ALDER)
    assert [link["position"] for link in links] == list(range(first.position, head.position + 1))
    assert links[-1]["hash"] == head.hash


@pytest.mark.slow
def test_a_period_of_many_rows_is_packed_and_verified(unpack, acme):
    delivery = factories.DeliveryFactory.create(organization=acme, opportunity_id=ALDER)
    for number in range(2100):
        claimed = delivery.lease()
        assert claimed is not None
        claimed.decide("no_email", f"Because of {number}.")
    now = timezone.now()
    folder = unpack(of_period(acme, now - timedelta(hours=1), now + timedelta(hours=1)))
    assert len(rows(folder, "verdicts.jsonl")) == 2103
    assert verify(folder)[0] == 0
