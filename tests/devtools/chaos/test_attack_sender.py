"""Every kind of hostile request is answered as the contract says, and leaves nothing."""

import random
import time
from dataclasses import replace

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from integrations.codescreen import signature as codescreen_signature
from integrations.lever import signature as lever_signature
from integrations.lever.payloads import dedupe_key
from integrations.models import Delivery
from portal.devtools.chaos import ingest_run
from portal.devtools.chaos.attack_sender import KNOWN, UNPROVEN, Doors, Forger, Heard
from portal.devtools.chaos.attacks import CODESCREEN, HOSTILE, LEVER, MARK, Message, altered
from tests import factories

OTHER_TOKEN, RETIRED = "f" * 48, "r" * 48
OTHER_SECRET = "whsec_YW5vdGhlci1vcmdhbml6YXRpb25zLXNlY3JldC0wMDAwMDE="
TOKENS = {"another organization's token": OTHER_TOKEN, "a retired token": RETIRED, "an empty token": ""}
DOORS = Doors(
    lever="/lever",
    codescreen="/codescreen",
    unknown=("/lever/nobody", "/codescreen/nobody"),
    token=factories.SIGNATURE_TOKEN,
    wrong_tokens=TOKENS,
    secret=factories.WEBHOOK_SECRET,
    wrong_secrets={"another organization's secret": OTHER_SECRET},
    stage_id="stage",
)


def heard() -> Heard:
    payload = ingest_run.stage_change(factories.SIGNATURE_TOKEN, "stage")
    body = b'{"type": "candidate.invited", "data": {}}'
    return Heard((payload,), (Message("msg_heard", int(time.time()), body),))


def forger(seed: int = 1, known: Heard | None = None, doors: Doors = DOORS) -> Forger:
    return Forger(doors, heard() if known is None else known, random.Random(seed))


KINDS = sorted(forger().kinds)


@pytest.fixture
def doors(organization) -> Doors:
    from django.utils import timezone

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
    nobody = tuple(reverse(name, args=["nobody"]) for name in names)
    return replace(DOORS, lever=lever, codescreen=codescreen, unknown=nobody)


def post(attempt) -> int:
    headers = dict(attempt.headers)
    media_type = headers.pop("Content-Type")
    sender = Client(enforce_csrf_checks=True)
    return sender.generic("POST", attempt.path, attempt.body, media_type, headers=headers).status_code


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_answered_as_the_contract_says(doors, kind):
    known = heard()
    valid = forger(known=known, doors=doors)
    (message,) = known.codescreen
    accepted = {202}
    for attempt in (
        valid.lever("valid", known.lever[0], frozenset(accepted)),
        valid.codescreen("valid", message.body, message.headers(doors.secret), frozenset(accepted)),
    ):
        assert post(attempt) == 202
    for seed in range(4):
        attempt = forger(seed, known, doors).kinds[kind]()
        assert attempt.kind == kind
        assert post(attempt) in attempt.expected
    disguises = {dedupe_key(payload) for payload in known.in_disguise}
    keys = set(Delivery.objects.values_list("dedupe_key", flat=True))
    assert keys - disguises == {dedupe_key(known.lever[0]), "id:msg_heard"}
    assert bool(keys & disguises) == (kind == "Lever: replay under another id")


def test_both_doors_get_every_kind():
    for platform in ("Lever", "CodeScreen"):
        for ways in [*HOSTILE, "unknown key", "plain text", "over 256 KiB", "replay"]:
            assert f"{platform}: {ways}" in KINDS
    assert {f"Lever: {way}" for way in (*LEVER, *TOKENS)} <= set(KINDS)
    assert {f"CodeScreen: {way}" for way in (*CODESCREEN, "another organization's secret")} <= set(KINDS)


def test_the_same_seed_makes_the_same_mix_and_all_kinds_come_in_it():
    first, again, other = (forger(seed) for seed in (1, 1, 2))
    kinds = [first.attempt().kind for _ in range(4000)]
    assert kinds == [again.attempt().kind for _ in range(4000)]
    assert kinds != [other.attempt().kind for _ in range(4000)]
    assert set(kinds) == set(KINDS)
    assert 5 <= sum("256" in kind for kind in kinds) <= 50


def test_only_the_wrong_digit_keeps_a_signature_from_being_right():
    good = forger().stage_change()
    for place in (0, -1):
        wrong = altered(good["signature"], place)
        assert sum(one != two for one, two in zip(wrong, good["signature"], strict=True)) == 1
        assert lever_signature.matching_token(good | {"signature": wrong}, [DOORS.token]) is None
    assert lever_signature.matching_token(good, [DOORS.token]) == DOORS.token


def test_what_is_hostile_in_its_body_is_rightly_signed():
    made = forger()
    for name in HOSTILE:
        attempt = made.kinds[f"CodeScreen: {name}"]()
        codescreen_signature.verify(attempt.headers, attempt.body, DOORS.secret, time.time())


def test_every_forgery_is_marked_and_no_replay_is():
    made = forger()
    for name in KINDS:
        attempt = made.kinds[name]()
        assert (MARK.encode() in attempt.body) == ("replay" not in name), name


def test_a_replay_of_codescreens_is_refused_once_it_is_old():
    known = heard()
    for age, expected in ((0, KNOWN), (270, KNOWN | UNPROVEN), (301, UNPROVEN)):
        with time_machine.travel(known.codescreen[0].timestamp + age, tick=False):
            kinds = forger(known=known).kinds
            assert kinds["CodeScreen: replay"]().expected == expected
            assert kinds["CodeScreen: replay signed later"]().expected == KNOWN


def test_nothing_recorded_is_nothing_to_replay():
    assert not [kind for kind in forger(known=Heard()).kinds if "replay" in kind]
