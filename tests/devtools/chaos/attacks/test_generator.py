"""Every kind of hostile request is answered as the contract states, and stores nothing."""

import random
import time
from dataclasses import replace

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.codescreen.payloads import verify
from integrations.inbox.models.delivery import Delivery
from integrations.lever.payloads import dedupe_key, matching_token
from portal.devtools.chaos.attacks.forgeries import (
    MARK,
    REFUSED_VALUES,
    WRONG_CODESCREEN_HEADERS,
    WRONG_LEVER_SIGNATURES,
    Message,
    with_digit_changed,
)
from portal.devtools.chaos.attacks.generator import (
    CODESCREEN,
    KNOWN,
    LEVER,
    UNVERIFIED,
    AttackGenerator,
    Endpoints,
    RecordedTraffic,
)
from portal.devtools.chaos.ingest_run import make_stage_change
from tests.support import factories

OTHER_TOKEN, RETIRED = "f" * 48, "r" * 48
OTHER_SECRET = "whsec_YW5vdGhlci1vcmdhbml6YXRpb25zLXNlY3JldC0wMDAwMDE="
TOKENS = {"another organization's token": OTHER_TOKEN, "a retired token": RETIRED, "an empty token": ""}
ENDPOINTS = Endpoints(
    lever="/lever",
    codescreen="/codescreen",
    unknown={LEVER: "/lever/unknown", CODESCREEN: "/codescreen/unknown"},
    token=factories.SIGNATURE_TOKEN,
    wrong_tokens=TOKENS,
    secret=factories.WEBHOOK_SECRET,
    wrong_secrets={"another organization's secret": OTHER_SECRET},
    stage_id="stage",
)


def recorded_traffic() -> RecordedTraffic:
    payload = make_stage_change(factories.SIGNATURE_TOKEN, "stage")
    body = b'{"type": "candidate.invited", "data": {}}'
    return RecordedTraffic((payload,), (Message("msg_recorded", int(time.time()), body),))


def generator(
    seed: int = 1, recorded: RecordedTraffic | None = None, endpoints: Endpoints = ENDPOINTS
) -> AttackGenerator:
    return AttackGenerator(endpoints, recorded or recorded_traffic(), random.Random(seed))


KINDS = sorted(generator().kinds)


@pytest.fixture
def endpoints(organization) -> Endpoints:

    factories.LeverWebhookFactory(organization=organization)
    factories.LeverWebhookFactory(
        organization=organization, name="Old", signature_token=RETIRED, retired_at=timezone.now()
    )
    factories.CodeScreenConnectionFactory(organization=organization, webhook_secret=factories.WEBHOOK_SECRET)
    other = factories.OrganizationFactory()
    factories.LeverWebhookFactory(organization=other, signature_token=OTHER_TOKEN)
    factories.CodeScreenConnectionFactory(organization=other, webhook_secret=OTHER_SECRET)
    names = ("lever-webhook", "codescreen-webhook")
    lever, codescreen = (reverse(name, args=[organization.webhook_key]) for name in names)
    unknown = {LEVER: reverse(names[0], args=["unknown"]), CODESCREEN: reverse(names[1], args=["unknown"])}
    return replace(ENDPOINTS, lever=lever, codescreen=codescreen, unknown=unknown)


def post(attempt) -> int:
    headers = dict(attempt.headers)
    media_type = headers.pop("Content-Type")
    sender = Client(enforce_csrf_checks=True)
    return sender.generic("POST", attempt.path, attempt.body, media_type, headers=headers).status_code


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_answered_as_the_contract_states(endpoints, kind):
    recorded = recorded_traffic()
    attacks = generator(recorded=recorded, endpoints=endpoints)
    (message,) = recorded.codescreen
    accepted = {202}
    for attempt in (
        attacks.lever("valid", recorded.lever[0], frozenset(accepted)),
        attacks.codescreen("valid", message.body, message.headers(endpoints.secret), frozenset(accepted)),
    ):
        assert post(attempt) == 202
    for seed in range(4):
        attempt = generator(seed, recorded, endpoints).kinds[kind]()
        assert attempt.kind == kind
        assert post(attempt) in attempt.expected
    other_ids = {dedupe_key(payload) for payload in recorded.with_other_ids}
    keys = set(Delivery.objects.values_list("dedupe_key", flat=True))
    assert keys - other_ids == {dedupe_key(recorded.lever[0]), "id:msg_recorded"}
    assert bool(keys & other_ids) == (kind == "Lever: replay under another id")


def test_both_endpoints_get_every_kind():
    for platform in (LEVER, CODESCREEN):
        for ways in [*REFUSED_VALUES, "unknown key", "plain text", "over 256 KiB", "replay"]:
            assert f"{platform}: {ways}" in KINDS
    assert {f"Lever: {way}" for way in (*WRONG_LEVER_SIGNATURES, *TOKENS)} <= set(KINDS)
    assert {
        f"CodeScreen: {way}" for way in (*WRONG_CODESCREEN_HEADERS, "another organization's secret")
    } <= set(KINDS)


def test_a_seed_always_makes_the_same_mix_and_it_has_every_kind():
    first, again, other = (generator(seed) for seed in (1, 1, 2))
    kinds = [first.attempt().kind for _ in range(4000)]
    assert kinds == [again.attempt().kind for _ in range(4000)]
    assert kinds != [other.attempt().kind for _ in range(4000)]
    assert set(kinds) == set(KINDS)
    assert 5 <= sum("256" in kind for kind in kinds) <= 50


def test_a_signature_with_one_digit_changed_differs_only_there():
    good = generator().stage_change()
    for place in (0, -1):
        wrong = with_digit_changed(good["signature"], place)
        assert sum(one != two for one, two in zip(wrong, good["signature"], strict=True)) == 1
        assert matching_token(good | {"signature": wrong}, [ENDPOINTS.token]) is None
    assert matching_token(good, [ENDPOINTS.token]) == ENDPOINTS.token


def test_bodies_with_a_refused_value_are_rightly_signed():
    attacks = generator()
    for name in REFUSED_VALUES:
        attempt = attacks.kinds[f"CodeScreen: {name}"]()
        verify(attempt.headers, attempt.body, ENDPOINTS.secret, time.time())


def test_every_forgery_is_marked_and_no_replay_is():
    attacks = generator()
    for name in KINDS:
        attempt = attacks.kinds[name]()
        assert (MARK.encode() in attempt.body) == ("replay" not in name), name


def test_a_replay_of_a_codescreen_message_is_refused_once_it_is_old():
    recorded = recorded_traffic()
    for age, expected in ((0, KNOWN), (270, KNOWN | UNVERIFIED), (301, UNVERIFIED)):
        with time_machine.travel(recorded.codescreen[0].timestamp + age, tick=False):
            kinds = generator(recorded=recorded).kinds
            assert kinds["CodeScreen: replay"]().expected == expected
            assert kinds["CodeScreen: replay signed later"]().expected == KNOWN


def test_there_are_no_replays_when_nothing_was_recorded():
    assert not [kind for kind in generator(recorded=RecordedTraffic()).kinds if "replay" in kind]
