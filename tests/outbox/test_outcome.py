"""How long the portal tries again, in numbers and in words."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from integrations.core.vocabulary import RETRY_FOR_IN_WORDS
from integrations.http.steps import RETRY_FOR

NUMBERS = {3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}


def test_sentences_say_for_how_long_the_portal_tries_again():
    assert timedelta(days=RETRY_FOR.days) == RETRY_FOR
    assert f"{NUMBERS[RETRY_FOR.days]} days" == RETRY_FOR_IN_WORDS


@pytest.mark.parametrize(
    "document", ["portal/docs/operating/verdicts.md", "portal/docs/operating/observability.md"]
)
def test_documents_say_it_too(document):
    assert f"for {RETRY_FOR_IN_WORDS}" in (Path(settings.BASE_DIR) / document).read_text()
