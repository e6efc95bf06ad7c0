"""The doors under forgeries and replays: none is accepted or kept, and the time of an answer tells nothing."""

import random
import resource
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import requests
from django.apps import apps
from django.db.models import F, TextField
from django.db.models.functions import Cast, Now

from integrations.lever.payloads import dedupe_key
from integrations.models import CodeScreenConnection, Delivery, Invitation, LeverWebhook, Organization
from integrations.models.organization import make_webhook_key
from portal.devtools.chaos import collect, ingest_run, quiesce, tenants, timing
from portal.devtools.chaos.attack_sender import UNPROVEN, Attempt, Doors, Forger, Heard
from portal.devtools.chaos.attacks import MARK, Message, altered, encode
from portal.devtools.chaos.load_client import Answers, Client, Knocker
from portal.devtools.chaos.processes import members
from portal.devtools.chaos.run import Run
from portal.devtools.chaos.table import Table
from portal.devtools.chaos.timing import Difference
from portal.devtools.chaos.verify import judge
from portal.devtools.demo.environment import Stage
from portal.devtools.demo.provisioning import NotReady, control

CLIENTS = 8
CANDIDATES = 5
LOOK_EVERY = 0.05
MOST_PAIRS = 4_000
PAIRS_IN = 25  # of so many requests
RETIRED = "retired-token-" + "r" * 34


@dataclass
class Found:
    """What the run is judged by."""

    answers: Answers = field(default_factory=Answers)
    rows: list[str] = field(default_factory=list)  # that should not be there
    kept_in: list[str] = field(default_factory=list)  # tables that hold something of a forgery
    passes: list[Difference] = field(default_factory=list)

    @property
    def broken(self) -> dict[str, list[str]]:
        """The promises that were broken."""
        promises = {
            "answers": [f"{kind} ({count})" for kind, count in sorted(self.answers.wrong.items())],
            "rows": self.rows,
            "kept": self.kept_in,
            "timing": ["both passes"] if timing.is_told(self.passes) else [],
        }
        return {name: cases for name, cases in promises.items() if cases}


class Forge(Run):
    """One run of knocking, timing and looking."""

    def _prepare(self) -> None:
        self._slug, self._other = tenants.slugs(2)
        self._pairs = max(1, min(MOST_PAIRS, self._options.forge // PAIRS_IN))
        self._found = Found()
        self._memory: list[float] = []
        self._doors = doors(self._stage, self._slug, self._other)

    def run(self) -> Table:
        """Record valid deliveries, then knock with everything else. Raises NotReady."""
        moved = tenants.generate(self._stage, self._slug, CANDIDATES)
        heard = self._record(moved)
        before = rows()
        self._say(f"{len(before)} valid deliveries are accepted and worked; now the others come.")
        seconds = self._storm(heard)
        self._memory.append(self._resident())
        left = quiesce.rest(self._stage, self._options.phase_seconds)
        self._say("All is quiet; one client alone measures how long a refusal takes.")
        self._time(heard)
        in_disguise = {dedupe_key(payload) for payload in heard.in_disguise}
        self._found.rows = sorted(rows() - before - in_disguise)
        self._found.kept_in = tables_with(MARK)
        broken = self._found.broken | judge(collect.collect(self._stage, self._slug, moved, [])).broken
        if left:
            broken["not_at_rest"] = [f"{left} rows"]
        return self._table(seconds, len(rows() & in_disguise), len(before), broken)

    def _record(self, moved: Sequence[str]) -> Heard:
        """Have candidates invited, and keep what was posted about them as somebody on the way would."""
        stage = tenants.TRIGGER
        control(self._stage.lever_url, "move", account=self._slug, opportunities=moved, stage=stage)
        made = [ingest_run.stage_change(self._doors.token, self._doors.stage_id) for _ in moved]
        payloads = [
            payload | {"data": payload["data"] | {"opportunityId": opportunity}}
            for payload, opportunity in zip(made, moved, strict=True)
        ]
        forger = Forger(self._doors, Heard(), random.Random(self._options.seed))  # noqa: S311
        new = frozenset({202})
        self._post([forger.lever("valid", payload, new) for payload in payloads])
        self._settle()
        instances = Invitation.objects.values_list("instance_id", flat=True)
        messages = [_message(instance) for instance in instances]
        secret = self._doors.secret
        self._post([forger.codescreen("valid", item.body, item.headers(secret), new) for item in messages])
        self._settle()
        return Heard(tuple(payloads), tuple(messages))

    def _post(self, attempts: Sequence[Attempt]) -> None:
        knocker = Knocker(self._stage.portal_url)
        statuses = [knocker.knock(attempt)[0] for attempt in attempts]
        knocker.close()
        if not attempts or knocker.answers.wrong:
            raise NotReady(f"the valid deliveries were answered {statuses}")

    def _settle(self) -> None:
        if quiesce.rest(self._stage, self._options.phase_seconds):
            raise NotReady("the valid deliveries weren't worked")

    def _storm(self, heard: Heard) -> float:
        """Knock with every client at once; how many seconds it took."""
        count = max(CLIENTS, self._options.forge - 2 * self._pairs)
        shares = [count // CLIENTS + (number < count % CLIENTS) for number in range(CLIENTS)]
        clients = [
            Client(self._stage.portal_url, self._forger(heard, number).attempt, share)
            for number, share in enumerate(shares)
        ]
        began = time.monotonic()
        for client in clients:
            client.start()
        while any(client.is_alive() for client in clients):
            if not self._memory and sum(client.answers.count for client in clients) >= count / 10:
                self._memory.append(self._resident())
            time.sleep(LOOK_EVERY)
        seconds = time.monotonic() - began
        for client in clients:
            self._found.answers.add(client.answers)
        if self._found.answers.count != count:
            raise NotReady(f"only {self._found.answers.count} of {count} requests were sent")
        return seconds

    def _resident(self) -> float:
        """Return how many MiB the web processes hold, what they share counted for each of them."""
        group = self._programs.group("web")
        pages = 0
        for pid in members(group) if group else ():
            with suppress(OSError):  # it ended meanwhile
                pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20

    def _forger(self, heard: Heard, number: int) -> Forger:
        return Forger(self._doors, heard, random.Random(f"{self._options.seed}-{number}"))  # noqa: S311

    def _time(self, heard: Heard) -> None:
        """Measure once, and again where the first pass seems to tell something."""
        chance = random.Random(self._options.seed)  # noqa: S311
        forger = self._forger(heard, CLIENTS)
        knocker = Knocker(self._stage.portal_url)

        def prepare() -> tuple[Callable[[], float], Callable[[], float]]:
            good = forger.stage_change()
            first, last = (
                forger.lever(kind, good | {"signature": altered(good["signature"], place)}, UNPROVEN)
                for kind, place in (("timed: first digit", 0), ("timed: last digit", -1))
            )
            return lambda: knocker.knock(first)[1], lambda: knocker.knock(last)[1]

        self._found.passes.append(timing.compare(prepare, self._pairs, chance))
        if self._found.passes[0].is_measurable:
            self._say("The first pass seems to tell something; measuring again.")
            self._found.passes.append(timing.compare(prepare, self._pairs, chance))
        knocker.close()
        self._found.answers.wrong += knocker.answers.wrong

    def _table(self, seconds: float, in_disguise: int, valid: int, broken: dict[str, list[str]]) -> Table:
        answers = self._found.answers
        passes = {f"pass {number}": one for number, one in enumerate(self._found.passes, 1)}
        names = {status: str(status or "broken connection") for status in sorted(answers.seconds)}
        early, late = self._memory[0], self._memory[-1]
        figures = {
            "requests": answers.count,
            "kinds": len(answers.kinds),
            "requests_per_second": answers.count / seconds,
            "answers": {name: len(answers.seconds[status]) for status, name in names.items()},
            "answers_that_must_not_be": answers.wrong.total(),
            "p50_ms": {name: round(answers.percentile(status, 0.5), 1) for status, name in names.items()},
            "p99_ms": {name: round(answers.percentile(status, 0.99), 1) for status, name in names.items()},
            "valid_deliveries_before": valid,
            "rows_of_forgeries_and_replays": len(self._found.rows),
            "rows_of_replays_under_another_id": in_disguise,
            "tables_that_keep_something_of_a_forgery": len(self._found.kept_in),
            "invited_twice": len(broken.get("twice", [])),
            "web_memory_at_one_tenth_mib": early,
            "web_memory_at_the_end_mib": late,
            "web_memory_ratio": late / early,
            "timed_pairs": self._pairs,
            "first_digit_slower_than_last_by_microseconds": {
                name: round(one.median, 1) for name, one in passes.items()
            },
            "sign_test_p": {name: float(f"{one.p:.2g}") for name, one in passes.items()},
        }
        title = f"{self._options.forge} hostile requests at both doors with {CLIENTS} clients"
        return Table(title, figures, broken)


def doors(stage: Stage, slug: str, other: str) -> Doors:
    """Return an organization's doors, with a token of it that was retired and another organization's secrets."""
    organization = Organization.objects.get(slug=slug)
    retired = {"name": "Retired", "signature_token": RETIRED, "retired_at": Now()}
    LeverWebhook.objects.create(organization=organization, **retired)
    tokens = {name: LeverWebhook.objects.active().get(organization__slug=name) for name in (slug, other)}
    secrets = dict(CodeScreenConnection.objects.values_list("organization__slug", "webhook_secret"))
    addresses = (organization.lever_webhook_url, organization.codescreen_webhook_url)
    lever, codescreen = (address.removeprefix(stage.portal_url) for address in addresses)
    key, nobodys = organization.webhook_key, make_webhook_key()
    return Doors(
        lever=lever,
        codescreen=codescreen,
        unknown=(lever.replace(key, nobodys), codescreen.replace(key, nobodys)),
        token=tokens[slug].signature_token,
        wrong_tokens={
            "another organization's token": tokens[other].signature_token,
            "a retired token": RETIRED,
            "an empty token": "",
            "the address's key": key,
        },
        secret=secrets[slug],
        wrong_secrets={"another organization's secret": secrets[other]},
        stage_id=_trigger_stage(stage, slug),
    )


def _trigger_stage(stage: Stage, slug: str) -> str:
    answer = requests.get(f"{stage.lever_url}/_control/accounts/{slug}", timeout=ingest_run.ANSWER_SECONDS)
    return next(str(row["id"]) for row in answer.json()["stages"] if row["text"] == tenants.TRIGGER)


def _message(instance: str) -> Message:
    at = int(time.time())
    body = encode({"type": "candidate.invited", "data": {"assessmentInstanceId": instance}})
    return Message(f"heard-{instance}", at, body)


def rows() -> set[str]:
    """Return what is accepted, by dedupe key."""
    return set(Delivery.objects.values_list("dedupe_key", flat=True))


def tables_with(text: str) -> list[str]:
    """Return the portal's columns in which a text stands somewhere."""
    found = []
    for model in apps.get_app_config("integrations").get_models():
        for column in model._meta.concrete_fields:
            if column.get_internal_type() in {"CharField", "TextField", "JSONField", "URLField"}:
                shown = Cast(F(column.name), TextField())
                if model._default_manager.annotate(_shown=shown).filter(_shown__contains=text).exists():
                    found.append(f"{model._meta.object_name}.{column.name}")
    return found
