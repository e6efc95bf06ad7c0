"""The data inventory names every column that may hold a text."""

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import models

from integrations.members.models.membership import Membership
from integrations.privacy.data_inventory import inventory
from integrations.store.encryption import EncryptedTextField

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
