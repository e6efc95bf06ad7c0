"""The report that was attached in Lever, as a download: made again from the words that were sent, so the same bytes."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from integrations.models import Effect
from integrations.pages.access import OrganizationMixin
from integrations.pages.visibility import visible
from integrations.report_pdf.words import ReportWords
from integrations.workflow.effects.kind import Words


class ReportFileView(OrganizationMixin):
    """Return the PDF; 404 where none was attached, its words were erased, or the person doesn't see the candidate."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the file."""
        own = Effect.objects.filter(organization=self.organization, kind=Effect.Kind.ATTACH_REPORT)
        effect = get_object_or_404(visible(own, self.membership), pk=pk)
        if not effect.written:
            raise Http404("No report was attached here.")
        # a process of the web server pays for the library only when somebody asks for a report
        from integrations.report_pdf.page import render  # noqa: PLC0415

        file = Words.from_json(effect.written)
        return HttpResponse(
            render(ReportWords.from_json(file.document)),
            content_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="{file.file}"'},
        )
