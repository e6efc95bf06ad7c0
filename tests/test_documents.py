"""What the documents name exists: files, folders, tests, and the targets of links."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from integrations.core.finding_code import FindingCode
from integrations.core.verdict_code import VerdictCode
from integrations.lever.oauth import scopes_of
from tests.support import product

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "portal" / "docs").rglob("*.md")])
#: Decision records tell of the modules of their day.
OF_TODAY = [document for document in DOCUMENTS if "decisions" not in document.parts]
#: Where paths in documents begin; each document says which folder it means, or it is clear from its subject.
BEGINNINGS = ("", "tests", "integrations", "portal", "portal/devtools")
FOLDERS = ("tests/", "integrations/", "portal/", "templates/", "static/")
#: What PostgreSQL, SQLite and TLS say.
OF_OTHERS = {
    "too many clients already",
    "certificate verify failed",
    "could not extend file",
    "No space left on device",
    "database or disk is full",
}
_CODE = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/?)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def named_paths(text: str) -> set[str]:
    """Return the paths of modules, documents and folders in a text; a name alone may mean anything."""
    found = {name for name in _CODE.findall(text) if "/" in name}
    return {name for name in found if name.endswith((".py", ".md", ".html")) or name.startswith(FOLDERS)}


def anchors(document: Path) -> set[str]:
    """Return the names by which a document's headings can be linked to."""
    headings = _HEADING.findall(document.read_text())
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", OF_TODAY, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_in_a_document_exists(document: Path) -> None:
    missing = {
        name
        for name in named_paths(document.read_text())
        if not any((ROOT / beginning / name).exists() for beginning in BEGINNINGS)
    }
    assert missing == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    broken = set()
    for link in _LINK.findall(document.read_text()):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.add(link)
    assert broken == set()


def test_the_page_of_verdicts_has_each_once() -> None:
    page = ROOT / "portal" / "docs" / "operating" / "verdicts.md"
    table = page.read_text().partition("| verdict | when |")[2].partition("\n\n")[0]
    codes = [code for row in table.splitlines()[2:] for code in _CODE.findall(row.split("|")[1])]
    assert sorted(codes) == sorted(VerdictCode)


def test_each_control_of_the_security_document_names_a_test() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    table = text.partition("## Threat, control, test")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    controls = [row for row in rows[2:] if not row[0].strip().startswith("**")]
    assert len(controls) > 30
    for threat, _, tests in controls:
        paths = _CODE.findall(tests)
        assert paths, threat
        assert all((ROOT / "tests" / path).exists() for path in paths), threat


@pytest.mark.parametrize("document", OF_TODAY, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_in_a_document_exists(document: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", document.read_text()))
    assert named - get_commands().keys() == set()


def test_every_text_that_troubleshooting_quotes_is_one_of_the_product() -> None:
    """What is quoted may leave out the middle of a sentence, or what stands in a variable: `…`."""
    said = [page.read_text() for page in (ROOT / "templates").rglob("*.html")]
    for module in product.modules().values():
        nodes = ast.walk(module)
        said += [one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    text = "\n".join(said)
    document = (ROOT / "portal" / "docs" / "operating" / "troubleshooting.md").read_text()
    quoted = [" ".join(quote.split()) for quote in re.findall("“([^”]+)”", document)]
    assert len(quoted) > 30
    parts = {part.strip() for quote in quoted if quote not in OF_OTHERS for part in quote.split("…")}
    assert {part for part in parts if part not in text} == set()


def test_each_finding_has_a_line() -> None:
    written = (ROOT / "portal" / "docs" / "operating" / "findings.md").read_text()
    assert {code.value for code in FindingCode if f"| `{code.value}`" not in written} == set()


def test_going_live_has_each_scope_that_lever_is_asked_for_and_no_other() -> None:
    written = (ROOT / "portal" / "docs" / "operating" / "configuration.md").read_text()
    table = written.partition("| scope | why |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([\w:]+)`", table)) == set(scopes_of(attaches_files=True))
