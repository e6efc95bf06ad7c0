"""The buttons that pause sending and resume it."""

from integrations.audit.models.entry import AuditEntry
from integrations.organizations.models.organization import Organization
from tests.support import factories
from tests.support.page_text import text


def test_an_admin_pauses_with_one_button_and_ends_the_pause_with_another(
    organization_admin_client, ready_organization
):
    def buttons() -> list[bool]:
        page = text(organization_admin_client.get("/"))
        return [f'action="/{act}/"' in page for act in ("pause", "resume")]

    def press(act: str) -> str:
        return text(organization_admin_client.post(f"/{act}/", follow=True))

    assert buttons() == [False, False]
    factories.CandidateFactory.create(organization=ready_organization)
    assert buttons() == [True, False]
    assert "Paused. Nothing is sent until somebody presses “Resume”." in press("pause")
    assert Organization.objects.get().paused
    assert buttons() == [False, True]
    assert "Already paused." in press("pause")
    assert "The pause has ended." in press("resume")
    assert not Organization.objects.get().paused
    assert "had ended already" in press("resume")
    changes = [entry.changes for entry in AuditEntry.objects.filter(action="change_policies").order_by("pk")]
    assert changes == [{"paused": [False, True]}, {"paused": [True, False]}]
