"""The set-up is changed while candidates move, by the configuration file and by hand; CodeScreen's webhooks."""

import base64
from collections.abc import Callable
from functools import partial
from io import StringIO
from tempfile import NamedTemporaryFile

from django.core.management import call_command
from django.db.models import Model, QuerySet

from integrations.api.acts import API_TOKENS, make_token
from integrations.api.models import ApiScope, ApiToken
from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.catalog.acts import MAPPINGS
from integrations.catalog.models import RoleMapping
from integrations.codescreen.acts import save_codescreen_webhook_secret
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import WebhookEvent
from integrations.inbox.models.delivery import Delivery
from integrations.lever.models.webhook import LeverWebhook
from integrations.notifications.acts import save_chat_url
from portal.devtools.chaos.every_point.jobs.job import (
    FAILED,
    PASSED,
    Status,
    completed,
    evaluate,
    expect,
    invite,
    invited,
    start,
)
from portal.devtools.chaos.every_point.platforms import ACCOUNT, CHAT_URL
from portal.devtools.chaos.every_point.world import ASSESSMENT, PERSON, Expected, World, opportunity_id
from portal.devtools.demo.environment import DemoEnvironment

ROLE = "Data Engineer"
TOKEN = "t" * 48
ADDED = f"""
[[mappings]]
role = "{ROLE}"
assessment = "{{assessment}}"
"""
#: The verdicts on a move that two webhooks tell about.
TWICE = (VerdictCode.INVITE, VerdictCode.ALREADY_INVITED)


def configure(world: World) -> None:
    """A candidate's role names no assessment that CodeScreen has; the file gives it one, and they are decided again."""
    world.expected["Ginkgo"] = Expected((VerdictCode.UNKNOWN_ASSESSMENT,), notes=frozenset({1}))
    world.move("Ginkgo")
    world.rest()
    _configure(world, "SRE Troubleshooting")
    _configure(world, ASSESSMENT)
    invited(world, "Ginkgo", notes=frozenset({1}))  # that nothing was sent
    delivery = _first(Delivery.objects.filter(opportunity_id=opportunity_id("Ginkgo")))
    world.press_while(lambda: world.invitation("Ginkgo") is None, lambda: f"/deliveries/{delivery}/replay/")
    world.rest()


def clean_up(world: World) -> None:
    """What the file added is tried, changed and removed."""
    _until(world, AuditAction.CHANGE_CHAT_ROOM, lambda: save_chat_url(world.organization, CHAT_URL, PERSON))
    made = partial(make_token, world.organization, "warehouse", list(ApiScope), 30, PERSON)
    _until(world, AuditAction.MAKE_API_TOKEN, made)
    token = ApiToken.objects.get()
    _until(world, AuditAction.REVOKE_API_TOKEN, lambda: API_TOKENS.remove(token, PERSON))
    mapping = RoleMapping.objects.get(role=ROLE)
    _until(world, AuditAction.DELETE_MAPPING, lambda: MAPPINGS.remove(mapping, PERSON))
    world.rest()


def make_webhooks(world: World) -> None:
    """Lever is asked for webhooks beside the one made by hand: a move then comes twice, and invites once."""
    made = LeverWebhook.objects.active().filter(origin=LeverWebhook.Origin.API)
    world.press_while(lambda: made.count() < len(WebhookEvent), lambda: "/settings/webhooks/make/")
    invite(world, "Alder", verdicts=TWICE)


def change_address_of_webhooks(world: World) -> None:
    """The webhooks' address is replaced; webhooks to the former one arrive for a while."""
    before = world.organization.webhook_key
    world.press_while(
        lambda: world.organization.webhook_key == before,
        lambda: "/settings/webhooks/address/",
    )
    invite(world, "Birch", verdicts=TWICE)


def remove_webhooks(world: World) -> None:
    """The token is replaced and the one before retired, and the webhooks that were made are removed."""
    manual = LeverWebhook.objects.manual().filter(organization=world.organization)
    world.press_while(
        lambda: manual.get().signature_token != TOKEN,
        lambda: "/settings/",
        lever_signature_token=TOKEN,
    )
    world.press_while(
        lambda: manual.get().has_previous, lambda: f"/settings/tokens/{_first(manual)}/previous/retire/"
    )
    made = LeverWebhook.objects.active().filter(origin=LeverWebhook.Origin.API)
    world.press_while(made.exists, lambda: "/settings/webhooks/remove/")
    world.rest()


def _configure(world: World, assessment: str) -> None:
    """Run the command until it has had its effect."""
    environment = DemoEnvironment.current()
    if environment is None:
        raise RuntimeError("the runs have an environment")
    path = environment.folder / f"{ACCOUNT}.toml"
    stored = RoleMapping.objects.filter(role=ROLE, assessment=assessment)
    # a file of its own: other runs, which have the same folder, write theirs at the same time
    with NamedTemporaryFile("w", suffix=".toml") as changed:
        changed.write(path.read_text() + ADDED.format(assessment=assessment))
        changed.flush()
        world.person_does(
            lambda: not stored.exists(),
            lambda: call_command("configure", changed.name, stdout=StringIO(), stderr=StringIO()),
        )


def _until(world: World, action: AuditAction, act: Callable[[], object]) -> None:
    entries = AuditEntry.objects.filter(action=action)
    world.person_does(lambda: not entries.exists(), act)


def _first(rows: QuerySet[Model]) -> int:
    return int(rows.values_list("pk", flat=True)[0])


SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def listen(world: World) -> None:
    """A candidate is invited; each webhook of CodeScreen comes twice."""
    save_codescreen_webhook_secret(world.organization, SECRET, PERSON)
    world.platforms.codescreen_does(
        "settings",
        webhook_url=world.organization.codescreen_webhook_url,
        webhook_secret=SECRET,
        webhook_duplicates=1,
    )
    invite(world, "Alder")


def submit(world: World) -> None:
    """The candidate starts and submits."""
    start(world, "Alder")
    expect(world, "Alder", statuses=(Status.SUBMITTED,))
    world.candidate_does("Alder", "submit")
    world.rest_after_polls("Alder")


def reopen(world: World) -> None:
    """CodeScreen evaluates, gives another chance, and changes the result."""
    evaluate(world, "Alder", FAILED, ("evaluate",))
    completed(world, "Alder", PASSED)
    world.candidate_does("Alder", "reopen")
    world.candidate_does("Alder", "submit", "evaluate", **PASSED)
    world.rest_after_polls("Alder")
