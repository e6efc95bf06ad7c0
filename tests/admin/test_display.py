"""What the admin shows of stored JSON: nobody's name or address, and nothing that an e-mail says."""

from integrations.admin.display import indented, path_text, verdicts_table
from integrations.clients.models import ApiCall
from integrations.inbox.models.verdict import Verdict
from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.notices import EmailPayload

NAME, ADDRESS = "Zoë O'Brien", "zoe@candidates.example"


def test_an_email_names_nobody_wherever_its_text_is():
    payload = EmailPayload("About Zoë", (NAME,), recipients=("owner@portal.example",), sent_to=(ADDRESS,))
    shown = indented(payload.to_json() | {"topic": EmailTopic.RESULT})
    for hidden in ("Zoë", "Brien", "owner@", ADDRESS):
        assert hidden not in shown
    assert "result" in shown


def test_a_verdict_that_was_replaced_is_marked():
    rows = [Verdict(pk=pk, code="no_email", cause="first", is_current=pk == 2) for pk in (2, 1)]
    current, replaced = verdicts_table(rows).partition("<tbody>")[2].split("</tr>")[:2]
    assert ("Current" in current, "Replaced" in current) == (True, False)
    assert ("Current" in replaced, "Replaced" in replaced) == (False, True)


def test_ids_and_codes_stay_readable_and_a_body_that_was_cut_off_shows_no_address():
    shown = indented({"rows": {"integrations_delivery": 3}, "deep": [{"verdict": "no_email"}]})
    assert "integrations_delivery" in shown
    assert "no_email" in shown
    assert ADDRESS not in indented(f'{{"email": "{ADDRESS}", "tags": [')


def test_a_calls_path_shows_what_was_done_and_no_long_id():
    one, other = "7c529654-c1e8-4a3e-9d3f-0b6b1c2f8a11", "0887070a-7d1c-4a30-8a52-95b1ad1d21cc"
    for path, shown in (
        (f"/opportunities/{one}/files/{other}?a=b", "/opportunities/…/files/…?a=b"),
        ("/stages", "/stages"),
    ):
        assert path_text(ApiCall(path=path)) == shown
