"""Proving e-mail domains by TXT records."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.single_sign_on.acts.domains import (
    MOST_DOMAINS,
    DomainCheck,
    add_domain,
    check_domain,
    normal_domain,
    remove_domain,
)
from integrations.single_sign_on.models import SignInDomain, domain_of
from tests.support import factories
from tests.support.nameserver import serving_names


@pytest.fixture
def names(monkeypatch):
    with serving_names(monkeypatch) as server:
        yield server


@pytest.fixture
def domain(organization):
    return add_domain(organization, "acme.example", "test")


def is_proven(domain):
    domain.refresh_from_db()
    return domain.proven_at is not None


def test_a_domain_is_proven_by_its_record_among_others(names, domain):
    names.records["_codescreen-lever-portal.acme.example"] = ["v=spf1 -all", f" {domain.record_text} "]
    assert check_domain(domain, "test") is DomainCheck.FOUND
    assert is_proven(domain)
    assert [entry.action for entry in AuditEntry.objects.filter(target="acme.example")] == [
        "prove_domain",
        "add_domain",
    ]
    check_domain(domain, "test")
    assert AuditEntry.objects.filter(action="prove_domain").count() == 1


def test_a_long_record_that_comes_in_parts_is_read_whole(names, domain):
    SignInDomain.objects.update(token="t" * 90)
    domain.refresh_from_db()
    half = len(domain.record_text) // 2
    parts = domain.record_text[:half] + '" "' + domain.record_text[half:]
    names.records[domain.record_name] = [parts]
    assert check_domain(domain, "test") is DomainCheck.FOUND


@pytest.mark.parametrize(
    "texts",
    [
        None,
        [],
        ["codescreen-lever-portal="],
        ["codescreen-lever-portal=of-another"],
        ["prefix codescreen-lever-portal={token}"],
        ["codescreen-lever-portal={token}x"],
    ],
)
def test_another_record_proves_nothing(names, domain, texts):
    if texts is not None:
        names.records[domain.record_name] = [text.format(token=domain.token) for text in texts]
    assert check_domain(domain, "test") is DomainCheck.MISSING
    assert not is_proven(domain)


def test_the_record_at_the_domain_itself_proves_nothing(names, domain):
    names.records["acme.example"] = [domain.record_text]
    assert check_domain(domain, "test") is DomainCheck.MISSING


def test_a_look_up_without_an_answer_changes_nothing(names, domain):
    names.records[domain.record_name] = [domain.record_text]
    check_domain(domain, "test")
    names.is_answering = False
    assert check_domain(domain, "test") is DomainCheck.UNKNOWN
    domain.refresh_from_db()
    assert domain.proven_at
    assert domain.missing_since is None


def test_a_record_that_is_gone_counts_for_seven_days_more(names, domain):
    names.records[domain.record_name] = [domain.record_text]
    check_domain(domain, "test")
    names.records.clear()
    assert check_domain(domain, "test") is DomainCheck.MISSING
    domain.refresh_from_db()
    assert domain.proven_at
    assert domain.lapses_at
    SignInDomain.objects.update(missing_since=timezone.now() - timedelta(days=7, seconds=1))
    check_domain(domain, "test")
    assert not is_proven(domain)
    assert AuditEntry.objects.filter(action="lapse_domain").count() == 1


def test_a_record_that_is_back_in_time_keeps_the_proof(names, domain):
    names.records[domain.record_name] = [domain.record_text]
    check_domain(domain, "test")
    proven_at = SignInDomain.objects.get().proven_at
    SignInDomain.objects.update(missing_since=timezone.now() - timedelta(days=6))
    check_domain(domain, "test")
    domain.refresh_from_db()
    assert (domain.proven_at, domain.missing_since) == (proven_at, None)


@pytest.mark.django_db(transaction=True)
def test_a_domain_is_proven_by_one_organization_alone(names, domain):
    other = add_domain(factories.OrganizationFactory.create(), "acme.example", "test")
    names.records[domain.record_name] = [domain.record_text, other.record_text]
    assert check_domain(domain, "test") is DomainCheck.FOUND
    assert check_domain(other, "test") is DomainCheck.TAKEN
    assert not is_proven(other)
    with pytest.raises(IntegrityError):
        SignInDomain.objects.filter(pk=other.pk).update(proven_at=timezone.now())


def test_the_record_of_one_organization_does_not_prove_the_domain_for_another(names, domain):
    other = add_domain(factories.OrganizationFactory.create(), "acme.example", "test")
    names.records[domain.record_name] = [domain.record_text]
    assert check_domain(other, "test") is DomainCheck.MISSING


def test_adding_a_domain_twice_keeps_the_first(organization, domain):
    assert add_domain(organization, " @ACME.example. ", "test") == domain
    assert AuditEntry.objects.filter(action="add_domain").count() == 1


def test_there_is_a_most_of_domains(organization):
    for number in range(MOST_DOMAINS):
        add_domain(organization, f"d{number}.example", "test")
    with pytest.raises(ValidationError, match="at most"):
        add_domain(organization, "one-more.example", "test")


def test_removing_a_domain_is_recorded(domain):
    remove_domain(domain, "test")
    assert not SignInDomain.objects.exists()
    assert AuditEntry.objects.filter(action="remove_domain", target="acme.example").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "acme",
        "@",
        "a@b.example",
        "https://acme.example",
        "acme..example",
        "-acme.example",
        "10.0.0.1",
        "acme.example/x",
        "*.example",
        "a" * 64 + ".example",
        "a." * 130 + "example",
        "ac me.example",
        "a\x00.example",
    ],
)
def test_what_is_no_domain_is_refused(text):
    with pytest.raises(ValidationError, match="what follows the @"):
        normal_domain(text)


def test_a_domain_in_another_script_is_stored_in_ascii():
    assert normal_domain("Bücher.example") == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("address", "domain"),
    [("a@B.example", "b.example"), ("a@b@c.example", "c.example"), ("nothing", ""), ("", ""), ("a@", "")],
)
def test_the_domain_of_an_address_is_what_follows_the_last_at(address, domain):
    assert domain_of(address) == domain
