"""Which platform an effect acts on, and the filter by it."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.models import Effect
from integrations.vocabulary import Platform

_Kind = Effect.Kind
#: By platform, the kinds of effects that act on it. E-mails and alerts act on neither.
KINDS = {
    Platform.CODESCREEN: (_Kind.SEND_INVITATION,),
    Platform.LEVER: (
        _Kind.SET_PROGRESS_TAG,
        _Kind.SET_RESULT_TAG,
        _Kind.MOVE_STAGE,
        _Kind.WRITE_FEEDBACK,
        _Kind.ADD_REPORT_LINK,
        _Kind.ATTACH_REPORT,
        _Kind.REMOVE_REPORT,
        _Kind.LEAVE_NOTE,
        _Kind.MAKE_TEMPLATE,
    ),
}


class EffectPlatformFilter(admin.SimpleListFilter):
    """Filter effects by what they act on."""

    title = "where it acts"
    parameter_name = "on"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("lever", "Lever"), ("codescreen", "CodeScreen"), ("email", "E-mail"), ("alert", "Alert")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Effect]) -> QuerySet[Effect]:
        """Keep the effects that act there."""
        match self.value():
            case "email":
                return queryset.filter(kind=_Kind.SEND_EMAIL)
            case "alert":
                return queryset.filter(kind=_Kind.SEND_ALERT)
            case "lever" | "codescreen" as platform:
                return queryset.filter(kind__in=KINDS[Platform(platform)])
        return queryset
