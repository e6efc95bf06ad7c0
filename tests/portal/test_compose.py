"""The services of compose.yaml, systemd, Kubernetes and the image: no known password, no more than each needs."""

import re
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from portal import web_server
from portal.process.supervisor import STOP_SECONDS

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "compose.yaml").read_text()
OPERATING = ROOT / "portal" / "docs" / "operating"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
IMAGE = SERVICES["web"]["image"]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
[USER] = re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE)


def test_no_password_has_a_default_and_the_database_says_where_to_set_them() -> None:
    assert re.findall(r"\$\{\w*PASSWORD:-", COMPOSE) == []
    for name in ("POSTGRES_OWNER_PASSWORD", "POSTGRES_PASSWORD"):
        assert f"${{{name}:?Set {name} in .env}}" in COMPOSE


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_writes_nowhere_but_where_it_must_and_has_no_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "cap_add" not in service
    assert service["image"] == IMAGE or service["user"] != "root"
    options = [option for one in service["tmpfs"] for option in one.partition(":")[2].split(",")]
    assert all(option.startswith("mode=") for option in options if option)  # Podman refuses uid and gid


def test_the_portal_is_neither_superuser_nor_owner_and_does_not_know_the_owners_password() -> None:
    portal, migrate = (SERVICES[name]["environment"] for name in ("web", "migrate"))
    users = [urlsplit(one["DATABASE_URL"].partition(":$")[0]).netloc for one in (portal, migrate)]
    assert users == ["portal", "portal_owner"]
    assert portal["POSTGRES_OWNER_PASSWORD"] == ""
    for name in ("web", "workers"):
        assert SERVICES[name]["environment"] == portal
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_services_that_serve_have_time_to_end_what_they_have_begun() -> None:
    unit = ConfigParser(interpolation=None)
    unit.read(OPERATING / "portal@.service")
    service = unit["Service"]
    assert service["ExecStart"].endswith(" manage.py serve --%i")
    assert service["KillMode"] == "mixed"  # TERM for the supervisor alone
    seconds = [service["TimeoutStopSec"], *(SERVICES[one]["stop_grace_period"] for one in ("web", "workers"))]
    assert all(int(one.removesuffix("s")) > STOP_SECONDS + 3 for one in seconds)
    assert web_server.graceful_timeout < STOP_SECONDS


def test_the_role_that_serves_gets_rows_alone() -> None:
    roles = (ROOT / "portal/docs/operating/postgresql-roles.sql").read_text()
    granted = re.findall(r"GRANT ([A-Z, ]+?) ON (?:SCHEMA public|TABLES|SEQUENCES) TO portal;", roles)
    assert granted == ["USAGE", "SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT"]
    assert "SUPERUSER" not in roles
    assert "OWNER TO portal;" not in roles


KUBERNETES = {
    (one["kind"], one["metadata"]["name"]): one
    for one in yaml.safe_load_all((OPERATING / "kubernetes.yaml").read_text())
}
PODS = {name: one["spec"]["template"] for (_, name), one in KUBERNETES.items() if "template" in one["spec"]}


def containers(pod: str) -> list[dict[str, Any]]:
    """Those of a pod in the order in which they start."""
    spec = PODS[pod]["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


@pytest.mark.parametrize("name", PODS)
def test_a_pod_writes_nowhere_but_in_tmp_and_has_no_privileges(name: str) -> None:
    spec = PODS[name]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == int(USER)
    for container in containers(name):
        assert container["securityContext"] == {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }
        assert [one["mountPath"] for one in container["volumeMounts"]] == ["/tmp"]
        assert "limits" in container["resources"]
        assert "command" not in container  # it would replace the image's init
        assert {"name": "TRUSTED_PROXIES", "value": "1"} in container["env"]  # else `check` warns in each log


def test_one_image_migrates_as_the_owner_and_serves_as_another_role() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {one["image"].rpartition(":")[2] for name in PODS for one in containers(name)} == {version}
    assert f"--branch v{version} " in (OPERATING / "install.md").read_text()
    secrets = {
        name: [[at["secretRef"]["name"] for at in one["envFrom"]] for one in containers(name)]
        for name in PODS
    }
    assert secrets == {
        "portal-migrate": [["portal", "portal-owner"]],
        "portal-web": [["portal"], ["portal"]],
        "portal-workers": [["portal"], ["portal"]],
    }


def test_kubernetes_sends_no_request_to_a_node_that_is_about_to_close() -> None:
    web = KUBERNETES["Deployment", "portal-web"]
    spec = web["spec"]["template"]["spec"]
    [container] = spec["containers"]
    probe, pause = container["readinessProbe"], container["lifecycle"]["preStop"]["exec"]["command"]
    assert probe["httpGet"]["path"] == "/healthz/ready"
    assert pause[0] == "sleep"
    assert spec["terminationGracePeriodSeconds"] > int(pause[1]) + STOP_SECONDS + 3
    assert web["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz/live"


def test_every_part_selects_its_own_pods() -> None:
    labels = {name: one["metadata"]["labels"] for name, one in PODS.items()}
    for (kind, name), one in KUBERNETES.items():
        selector = one["spec"].get("selector")
        if selector is not None:
            wanted = selector.get("matchLabels", selector)
            matching = [pod for pod, own in labels.items() if wanted.items() <= own.items()]
            assert matching == [name if kind == "Deployment" else "portal-web"]


def test_the_image_has_an_init_a_user_with_a_number_and_the_product_alone_all_compiled() -> None:
    build, final = DOCKERFILE.split("\nFROM ")[1:]
    assert "pip uninstall --yes pip" in final
    assert re.findall(r"^COPY (.*?) ", final, re.MULTILINE) == ["--from=build", "--from=build"]
    assert {"*", "portal/devtools"} <= set((ROOT / ".dockerignore").read_text().splitlines())
    assert 'ENTRYPOINT ["tini", "--"]' in final
    assert f"useradd --system --no-create-home --uid {USER} " in final
    for stage, folders in ((build, "integrations portal"), (final, "/usr/local/lib/python3.*")):
        assert f"compileall -q --invalidation-mode unchecked-hash {folders}" in stage
