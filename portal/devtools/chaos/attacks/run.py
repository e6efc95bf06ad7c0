"""Forged and replayed webhooks at both endpoints: none is accepted or stored, and no answer's time reveals anything."""

import random
import resource
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from django.apps import apps
from django.db.models import F, TextField
from django.db.models.functions import Cast, Now

from integrations.codescreen.models import CodeScreenConnection
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.payloads import dedupe_key
from integrations.organizations.models.organization import Organization, make_webhook_key
from portal.devtools.chaos import quiesce, tenants
from portal.devtools.chaos.attacks import load_client
from portal.devtools.chaos.attacks.forgeries import MARK, Message, encode, with_digit_changed
from portal.devtools.chaos.attacks.generator import (
    CODESCREEN,
    LEVER,
    UNVERIFIED,
    AttackGenerator,
    Attempt,
    Endpoints,
    RecordedTraffic,
)
from portal.devtools.chaos.attacks.load_client import Answers, Difference, LoadClient
from portal.devtools.chaos.ingest_run import make_stage_change
from portal.devtools.chaos.processes import WEB
from portal.devtools.chaos.run import Run, Table, Verification, Violation
from portal.devtools.chaos.verification import collect_evidence, verify
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import RunFailed, members, run_in_threads

RETIRED_TOKEN = "retired-token-" + "r" * 34
TEXT_FIELDS = {"CharField", "TextField", "JSONField", "URLField"}


def prepare_endpoints(environment: DemoEnvironment, slug: str, other: str) -> Endpoints:
    """Return an organization's endpoints; it gets a retired token, and another organization's secrets are added."""
    organization = Organization.objects.get(slug=slug)
    retired = {"name": "Retired", "signature_token": RETIRED_TOKEN, "retired_at": Now()}
    LeverWebhook.objects.create(organization=organization, **retired)
    tokens = {name: LeverWebhook.objects.active().get(organization__slug=name) for name in (slug, other)}
    secrets = dict(CodeScreenConnection.objects.values_list("organization__slug", "webhook_secret"))
    lever = organization.lever_webhook_url.removeprefix(environment.portal_url)
    codescreen = organization.codescreen_webhook_url.removeprefix(environment.portal_url)
    key, unknown_key = organization.webhook_key, make_webhook_key()
    return Endpoints(
        lever=lever,
        codescreen=codescreen,
        unknown={LEVER: lever.replace(key, unknown_key), CODESCREEN: codescreen.replace(key, unknown_key)},
        token=tokens[slug].signature_token,
        wrong_tokens={
            "another organization's token": tokens[other].signature_token,
            "a retired token": RETIRED_TOKEN,
            "an empty token": "",
            "the address's key": key,
        },
        secret=secrets[slug],
        wrong_secrets={"another organization's secret": secrets[other]},
        stage_id=tenants.stage_id(environment.lever, slug, tenants.TRIGGER),
    )


def accepted_keys() -> set[str]:
    """Return the dedupe keys of all deliveries."""
    return set(Delivery.objects.values_list("dedupe_key", flat=True))


def columns_with(text: str) -> list[str]:
    """Return the columns of the portal's tables that hold a text somewhere, as `Model.column`."""
    found = []
    for model in apps.get_app_config("integrations").get_models():
        for column in model._meta.concrete_fields:
            if column.get_internal_type() in TEXT_FIELDS:
                rows = model._default_manager.annotate(_as_text=Cast(F(column.name), TextField()))
                if rows.filter(_as_text__contains=text).exists():
                    found.append(f"{model._meta.object_name}.{column.name}")
    return found


CLIENTS = 8
CANDIDATES = 5
MOST_PAIRS = 4_000
REQUESTS_PER_PAIR = 25
NEW = frozenset({202})


@dataclass
class Findings:
    """What the run found."""

    answers: Answers = field(default_factory=Answers)
    accepted: list[str] = field(default_factory=list)  # dedupe keys that should not be there
    stored_in: list[str] = field(default_factory=list)  # columns that hold something of a forgery
    passes: list[Difference] = field(default_factory=list)

    def verification(self) -> Verification:
        """Return the promises that were broken."""
        wrong = [f"{kind} ({count})" for kind, count in sorted(self.answers.wrong.items())]
        verification = Verification()
        verification.record_violation(Violation.WRONG_ANSWERS, *wrong)
        verification.record_violation(Violation.FORGERY_ACCEPTED, *self.accepted)
        verification.record_violation(Violation.FORGERY_STORED, *self.stored_in)
        if load_client.is_confirmed(self.passes):
            verification.record_violation(Violation.TIMING_MEASURABLE, "both passes")
        return verification


class AttackRun(Run):
    """One run of attacking, timing and searching."""

    def _prepare(self) -> None:
        self._slug, other = tenants.slugs(2)
        self._pairs = max(1, min(MOST_PAIRS, self._options.attack // REQUESTS_PER_PAIR))
        self._findings = Findings()
        self._memory_mib: list[float] = []
        self._endpoints = prepare_endpoints(self._environment, self._slug, other)

    def run(self) -> Table:
        """Record valid deliveries, then send everything else. Raises RunFailed."""
        moved = tenants.create_candidates(self._lever, self._slug, CANDIDATES)
        recorded = self._record_traffic(moved)
        before = accepted_keys()
        self._log(f"{len(before)} valid deliveries are accepted and done; now the attack begins.")
        seconds = self._attack(recorded)
        self._memory_mib.append(self._web_memory_mib())
        unfinished = quiesce.wait_until_idle(self._environment, self._options.phase_seconds)
        self._log("All is idle; one client alone measures how long a refusal takes.")
        self._measure_timing(recorded)
        under_other_ids = {dedupe_key(payload) for payload in recorded.with_other_ids}
        self._findings.accepted = sorted(accepted_keys() - before - under_other_ids)
        self._findings.stored_in = columns_with(MARK)
        verification = self._findings.verification()
        verification.merge(verify(collect_evidence(self._environment, self._slug, moved)))
        verification.record_rows_not_at_rest(unfinished)
        figures = {
            **self._answer_figures(seconds),
            "valid_deliveries_before": len(before),
            "rows_of_forgeries_and_replays": len(self._findings.accepted),
            "rows_of_replays_under_another_id": len(accepted_keys() & under_other_ids),
            "columns_that_store_something_of_a_forgery": len(self._findings.stored_in),
            **verification.numbers_of(Violation.INVITED_TWICE),
            **self._memory_figures(),
            **self._timing_figures(),
        }
        title = f"{self._options.attack} hostile requests at both endpoints with {CLIENTS} clients"
        return Table(title, figures, verification.broken)

    def _generator(self, seed: object, recorded: RecordedTraffic) -> AttackGenerator:
        chance = random.Random(f"{self._options.seed}-{seed}")  # noqa: S311
        return AttackGenerator(self._endpoints, recorded, chance)

    def _record_traffic(self, moved: list[str]) -> RecordedTraffic:
        """Have candidates invited, and record the webhooks about them."""
        tenants.move(self._lever, self._slug, moved)
        changes = [make_stage_change(self._endpoints.token, self._endpoints.stage_id) for _ in moved]
        payloads = tuple(
            change | {"data": change["data"] | {"opportunityId": opportunity}}
            for change, opportunity in zip(changes, moved, strict=True)
        )
        generator = self._generator("valid", RecordedTraffic())
        self._send_valid([generator.lever("valid", payload, NEW) for payload in payloads])
        messages = tuple(map(_invited_message, Invitation.objects.values_list("instance_id", flat=True)))
        secret = self._endpoints.secret
        self._send_valid(
            [generator.codescreen("valid", item.body, item.headers(secret), NEW) for item in messages]
        )
        return RecordedTraffic(payloads, messages)

    def _send_valid(self, attempts: Sequence[Attempt]) -> None:
        """Send valid webhooks and wait until they are done. Raises RunFailed."""
        with LoadClient(self._environment.portal_url) as client:
            statuses = [client.send(attempt)[0] for attempt in attempts]
        if not attempts or client.answers.wrong:
            raise RunFailed(f"the valid deliveries were answered {statuses}")
        if quiesce.wait_until_idle(self._environment, self._options.phase_seconds):
            raise RunFailed("the workers didn't finish the valid deliveries")

    def _attack(self, recorded: RecordedTraffic) -> float:
        """Send attempts with every client at once; return how many seconds it took."""
        total = max(CLIENTS, self._options.attack - 2 * self._pairs)
        clients = [LoadClient(self._environment.portal_url) for _ in range(CLIENTS)]

        def measure_memory_once() -> None:
            if not self._memory_mib and sum(client.answers.count for client in clients) >= total / 10:
                self._memory_mib.append(self._web_memory_mib())

        began = time.monotonic()
        run_in_threads(
            [
                partial(
                    client.send_many,
                    self._generator(number, recorded).attempt,
                    total // CLIENTS + (number < total % CLIENTS),
                )
                for number, client in enumerate(clients)
            ],
            while_running=measure_memory_once,
        )
        seconds = time.monotonic() - began
        answers = self._findings.answers
        for client in clients:
            answers.merge(client.answers)
        if answers.count != total:
            raise RunFailed(f"only {answers.count} of {total} requests were sent")
        return seconds

    def _web_memory_mib(self) -> float:
        """Return how many MiB the web processes hold; memory that they share is counted for each of them."""
        group = self._processes.group(WEB)
        pages = 0
        for pid in members(group) if group else ():
            with suppress(OSError):  # it has ended
                pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20

    def _measure_timing(self, recorded: RecordedTraffic) -> None:
        """Compare refusals of a wrong first and a wrong last digit; once more if a difference is measured."""
        chance = random.Random(self._options.seed)  # noqa: S311
        generator = self._generator(CLIENTS, recorded)
        with LoadClient(self._environment.portal_url) as client:

            def make_pair() -> tuple[Callable[[], float], Callable[[], float]]:
                payload = generator.stage_change()
                first, last = (
                    generator.lever(
                        kind,
                        payload | {"signature": with_digit_changed(payload["signature"], index)},
                        UNVERIFIED,
                    )
                    for kind, index in (("timed: first digit", 0), ("timed: last digit", -1))
                )
                return lambda: client.send(first)[1], lambda: client.send(last)[1]

            self._findings.passes.append(load_client.compare(make_pair, self._pairs, chance))
            if self._findings.passes[0].is_measurable:
                self._log("The first pass measures a difference; measuring again.")
                self._findings.passes.append(load_client.compare(make_pair, self._pairs, chance))
        self._findings.answers.wrong += client.answers.wrong

    def _answer_figures(self, seconds: float) -> dict[str, object]:
        answers = self._findings.answers
        names = {status: str(status or "broken connection") for status in sorted(answers.seconds)}

        def percentiles(share: float) -> dict[str, float]:
            return {name: round(answers.percentile_ms(status, share), 1) for status, name in names.items()}

        return {
            "requests": answers.count,
            "kinds": len(answers.kinds),
            "requests_per_second": answers.count / seconds,
            "answers": {name: len(answers.seconds[status]) for status, name in names.items()},
            "answers_that_must_not_be": answers.wrong.total(),
            "p50_ms": percentiles(0.5),
            "p99_ms": percentiles(0.99),
        }

    def _memory_figures(self) -> dict[str, float]:
        early, late = self._memory_mib[0], self._memory_mib[-1]
        return {
            "web_memory_at_one_tenth_mib": early,
            "web_memory_at_the_end_mib": late,
            "web_memory_ratio": late / early,
        }

    def _timing_figures(self) -> dict[str, object]:
        passes = {f"pass {number}": one for number, one in enumerate(self._findings.passes, 1)}
        return {
            "timed_pairs": self._pairs,
            "first_digit_slower_than_last_by_microseconds": {
                name: round(one.median, 1) for name, one in passes.items()
            },
            "sign_test_p": {name: float(f"{one.p:.2g}") for name, one in passes.items()},
        }


def _invited_message(instance_id: str) -> Message:
    body = encode({"type": "candidate.invited", "data": {"assessmentInstanceId": instance_id}})
    return Message(f"recorded-{instance_id}", int(time.time()), body)
