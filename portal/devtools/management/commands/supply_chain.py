"""Check what the portal is built of, and write its SBOM."""

import subprocess
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from portal.devtools.supply_chain import Tools, audit, unpinned, write_sbom, yanked

FOLDER = settings.BASE_DIR / "portal" / "requirements"
PRODUCTION = FOLDER / "production.txt"
#: The second where an operator wants traces.
DEPLOYED = (PRODUCTION, FOLDER / "traces.txt")
PINNED = (*DEPLOYED, FOLDER / "development.txt", FOLDER / "supply_chain.txt")
#: Tests hold many texts that look random or have a user and a password; what has the form of a known key is found.
QUIET = ("KeywordDetector", "Base64HighEntropyString", "HexHighEntropyString", "BasicAuthDetector")


class Command(BaseCommand):
    help = (
        "Check that every package is pinned with hashes and none is withdrawn, that the repository holds no keys, and "
        "what is known of vulnerabilities, where the service can be reached; write the SBOM. Exits 1 on a finding."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--sbom", type=Path, default=settings.BASE_DIR / "sbom.cdx.json", help="where to write it"
        )

    def handle(self, *, sbom: Path, **_: object) -> None:
        found = [f"{path.name}: not pinned with a hash: {line}" for path in PINNED for line in unpinned(path)]
        found += self._yanked()
        with tempfile.TemporaryDirectory() as folder:
            try:
                tools = Tools(Path(folder))
            except subprocess.CalledProcessError as error:
                raise CommandError(f"The tools could not be installed: {error.stderr}") from error
            if reason := write_sbom(tools, PRODUCTION, settings.BASE_DIR / "pyproject.toml", sbom):
                found.append(f"The SBOM is not valid: {reason}")
            else:
                self.stdout.write(f"sbom             ok: {sbom.name} is valid CycloneDX 1.6")
            found += self._keys_in_the_repository(tools)
            found += self._vulnerabilities(tools)
        if found:
            raise CommandError("\n".join(found))

    def _yanked(self) -> list[str]:
        withdrawn = yanked(*DEPLOYED)
        if withdrawn is None:
            self.stdout.write(
                "packages         pinned; NOT CHECKED for withdrawn ones: the index could not be asked"
            )
            return []
        self.stdout.write(
            "packages         ok: pinned with hashes" + ("" if withdrawn else ", none withdrawn")
        )
        return [f"withdrawn by its author: {name}" for name in withdrawn]

    def _keys_in_the_repository(self, tools: Tools) -> list[str]:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
        )
        files = [name for name in listed.stdout.split("\0") if name]
        if not files:
            self.stdout.write("keys             NOT CHECKED: this is no git repository")
            return []
        quiet = [word for name in QUIET for word in ("--disable-plugin", name)]
        scan = tools.run("-m", "detect_secrets.pre_commit_hook", *quiet, *files)
        if scan.returncode:
            return [f"The repository holds a key: {scan.stdout.strip()}"]
        self.stdout.write(f"keys             ok: none in {len(files)} files")
        return []

    def _vulnerabilities(self, tools: Tools) -> list[str]:
        known = audit(tools, *DEPLOYED)
        if known is None or not known.audited:
            self.stdout.write("vulnerabilities  NOT AUDITED: the service could not be reached")
            return []
        missing = f"; the service doesn't have {', '.join(known.not_audited)}" if known.not_audited else ""
        self.stdout.write(f"vulnerabilities  {len(known.vulnerable)} in {known.audited} packages{missing}")
        return [f"known vulnerability: {one}" for one in known.vulnerable]
