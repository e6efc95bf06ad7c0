"""The data inventory names every column that may hold a text, and an erasure follows it."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import models

from integrations.audit.models.entry import AuditEntry
from integrations.core.vocabulary import ErasureCause
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.result import Result
from integrations.members.models.membership import Membership
from integrations.outbox.models.effect import Effect
from integrations.privacy.concerned import rows_of, subject_of
from integrations.privacy.data_inventory import candidate_tables, inventory
from integrations.privacy.erase import erase
from integrations.privacy.models import Erasure
from integrations.queue.models.duty_run import DutyRun
from integrations.store.encryption import EncryptedTextField
from tests.privacy.test_acceptance import PEOPLE, invite_and_evaluate
from tests.privacy.traces import traces
from tests.support import factories

BY_MODEL = {table.model: table for table in inventory()}
TEXTS = (
    models.CharField,
    models.TextField,
    models.JSONField,
    models.BinaryField,
    models.GenericIPAddressField,
    models.FileField,
)


def columns_to_declare(model: type[models.Model]) -> set[str]:
    """Return the columns that may hold any text; not those of choices, and not encrypted ones."""
    return {
        column.name
        for column in model._meta.local_fields
        if (isinstance(column, TEXTS) or column.get_internal_type() in {"TextField", "CharField"})
        and not column.choices
        and not isinstance(column, EncryptedTextField)
    }


def models_with_texts() -> list[type[models.Model]]:
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if not model._meta.proxy and columns_to_declare(model)]


@pytest.mark.parametrize("model", models_with_texts(), ids=lambda model: model._meta.label)
def test_every_column_of_text_is_declared_personal_or_harmless(model):
    table = BY_MODEL.get(model)
    assert table is not None, f"say what {model._meta.label} HOLDS"
    declared = {*table.candidate, *table.user, *table.harmless}
    assert columns_to_declare(model) - declared == set(), f"declare these columns of {model._meta.label}"
    assert declared - {column.name for column in model._meta.get_fields()} == set()


def test_no_column_is_personal_and_harmless_at_once():
    for table in inventory():
        assert not {*table.candidate, *table.user} & table.harmless, table.model


def models_about_people() -> list[type[models.Model]]:
    """Return the portal's models whose rows belong to a person who uses it."""
    found = apps.get_app_config("integrations").get_models()
    people = {User, Membership}
    return [one for one in found if people & {field.related_model for field in one._meta.local_fields}]


def test_each_table_with_texts_or_about_a_person_is_declared_once():
    assert len(BY_MODEL) == len(inventory())
    assert set(BY_MODEL) == {*models_with_texts(), *models_about_people()}


# whatever column it says is about a candidate is emptied


NAME, ADDRESS = PEOPLE["Alder"]
#: What stays of them depends on the kind of the row; other tests are about them.
BY_KIND = {Effect: {"payload", "key"}, Verdict: {"explanation", "assessment_written"}}


def mark(rows: models.QuerySet[Any], columns: set[str]) -> None:
    """Write the person's name and address into these columns."""
    for column in columns:
        field = rows.model._meta.get_field(column)
        text = f"{NAME} {ADDRESS}"
        rows.update(**{column: {"about": [text]} if isinstance(field, models.JSONField) else text})


@pytest.fixture
def opportunity_id(scenario):
    opportunity_id = invite_and_evaluate(scenario, "Alder")
    own = {"organization": scenario.organization, "opportunity_id": opportunity_id}
    factories.CandidateFactory.create(**own, delivery=factories.DeliveryFactory.create(**own))
    return opportunity_id


def test_every_column_about_a_candidate_is_emptied(scenario, opportunity_id):
    """Of tables without opportunities, where it names the person."""
    organization = scenario.organization
    DutyRun.objects.get_or_create(organization=organization, duty="sweep")
    subject = subject_of(organization.pk, opportunity_id)
    marked = set()
    for table in candidate_tables():
        model = table.model
        columns = set(table.candidate) - BY_KIND.get(model, set())
        if not columns or (model is AuditEntry and not table.opportunity):
            continue
        rows = (
            rows_of(table, subject)
            if table.opportunity
            else model._base_manager.filter(organization=organization)
        )
        assert rows.exists(), f"no row of {model} to try it with"
        mark(rows, columns)
        marked |= {f"{model._meta.db_table}.{column}" for column in columns}
    assert marked <= set(traces(NAME, ADDRESS))
    erase(organization, opportunity_id, ErasureCause.FORGOTTEN, "test")
    assert traces(NAME, ADDRESS) == []


# what CodeScreen gives as the reason goes with the person, unless it is one of its own four


ABOUT = "Plagiarism: Ada Ash copied it (ada.ash@mail.example)"
OWN = ["Build Failure", "Build Timeout", "Unit Tests", "Expired"]


@pytest.mark.parametrize(("reason", "left"), [(ABOUT, ""), *((reason, reason) for reason in OWN)])
def test_a_text_about_the_person_goes_and_is_counted_and_a_reason_of_codescreens_stays(db, reason, left):
    invitation = factories.InvitationFactory.create()
    Result.objects.create(invitation=invitation, outcome="Failed", failure_reason=reason)
    erase(invitation.organization, invitation.opportunity_id, ErasureCause.FORGOTTEN, "test")
    assert Result.objects.get().failure_reason == left
    assert Erasure.objects.get().rows.get(Result._meta.db_table, 0) == int(left != reason)
