"""The example of the documents reads everything, and then what is new."""

import json
import runpy
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings

from integrations.api.models import ApiScope
from integrations.invitations.models.candidate import Candidate
from tests.support import factories

EXAMPLE = Path(settings.BASE_DIR) / "portal" / "docs" / "operating" / "read_api.py"


@pytest.mark.django_db(transaction=True)
def test_the_example_reads_everything_new_into_sqlite(
    live_server, organization, token, one_of_each, tmp_path
):
    read, file = runpy.run_path(str(EXAMPLE))["read"], tmp_path / "copy.sqlite3"

    def copy() -> dict[tuple[str, int], dict[str, object]]:
        read(live_server.url, token, str(file))
        with closing(sqlite3.connect(file)) as database:
            rows = database.execute("SELECT list, id, content FROM found")
            return {(name, key): json.loads(content) for name, key, content in rows}

    first = copy()
    assert {name for name, _ in first} == set(ApiScope) - {ApiScope.FINDINGS}
    new = factories.CandidateFactory.create(organization=organization)
    Candidate.objects.filter(pk=one_of_each["candidates"].pk).update(outcome="Failed")
    second = copy()
    assert second.keys() - first.keys() == {("candidates", new.pk)}
    assert second["candidates", one_of_each["candidates"].pk]["outcome"] == "Failed"
    assert copy() == second
