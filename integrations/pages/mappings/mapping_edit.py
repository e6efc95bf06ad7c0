"""Adding, changing and deleting one mapping."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import CreateView, DeleteView, UpdateView

from integrations.models import RoleMapping
from integrations.models.membership import ADMINS
from integrations.pages.access import OrganizationMixin, own_page
from integrations.pages.mappings.mapping_form import RoleMappingForm
from integrations.pages.mappings.mapping_list import list_url
from integrations.pages.mappings.suggestions import suggestions
from integrations.workflow.operations.mappings import delete_mapping, save_mapping


def _asked_page(request: HttpRequest) -> str:
    """Return the page that the person came from, as the link or the form names it."""
    return request.POST.get("next") or request.GET.get("next", "")


class MappingMixin(OrganizationMixin):
    """A view of one of the organization's mappings."""

    model = RoleMapping
    allowed_roles = ADMINS

    def get_queryset(self) -> QuerySet[RoleMapping]:
        """Return the organization's mappings."""
        return RoleMapping.objects.filter(organization=self.organization)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the suggestions for fields that are typed, where the form is sent, and the page to return to."""
        return super().get_context_data(  # type: ignore[misc,no-any-return]
            **suggestions(self.organization), **self.addresses(), **kwargs
        )

    def addresses(self) -> dict[str, str]:
        """Return where the form is saved and previewed, and the page to return to."""
        pk = self.kwargs.get("pk")
        key = {"pk": pk}
        return {
            "save_url": reverse("mapping-edit", kwargs=key) if pk else reverse("mapping-add"),
            "preview_url": (
                reverse("mapping-edit-preview", kwargs=key) if pk else reverse("mapping-add-preview")
            ),
            "next": own_page(self.request, _asked_page(self.request), reverse("mapping-list")),
        }


class MappingCreateView(MappingMixin, CreateView):
    """Add a mapping."""

    form_class = RoleMappingForm

    def get_form_kwargs(self) -> dict[str, Any]:
        """Give the form an instance of the organization, which its check for duplicates needs."""
        return {**super().get_form_kwargs(), "instance": RoleMapping(organization=self.organization)}

    def get_initial(self) -> dict[str, Any]:
        """Fill in the role that was clicked in the list."""
        return {"role": self.request.GET.get("role", "")}

    def form_valid(self, form: ModelForm) -> HttpResponse:
        """Store the mapping."""
        mapping: RoleMapping = form.instance
        save_mapping(mapping, self.user)
        messages.success(self.request, f"The mapping {mapping} is added.")
        return redirect(list_url(self.request))


class MappingUpdateView(MappingMixin, UpdateView):
    """Change a mapping."""

    form_class = RoleMappingForm

    def form_valid(self, form: ModelForm) -> HttpResponse:
        """Store the mapping and return to the list as it was filtered."""
        mapping: RoleMapping = form.instance
        changes = save_mapping(mapping, self.user)
        messages.success(
            self.request, f"The mapping {mapping} is changed." if changes else "Nothing was changed."
        )
        return redirect(list_url(self.request))


class MappingDeleteView(MappingMixin, DeleteView):
    """Ask for confirmation; delete the mapping on POST."""

    form_class = Form

    def form_valid(self, form: Form) -> HttpResponse:
        """Delete the mapping."""
        mapping: RoleMapping = self.object
        name = str(mapping)
        delete_mapping(mapping, self.user)
        messages.success(self.request, f"The mapping {name} is deleted.")
        return redirect("mapping-list")
