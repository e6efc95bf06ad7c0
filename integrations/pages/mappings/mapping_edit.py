"""Adding, changing and deleting one mapping."""

from functools import cached_property
from typing import Any

from django import forms
from django.forms import BoundField, ModelForm
from django.http import QueryDict
from django.urls import reverse

from integrations.catalog.acts import MAPPINGS
from integrations.catalog.models import CATEGORY_COLUMNS, OWN_RULES, RoleMapping
from integrations.core.vocabulary import Approval, lower_first
from integrations.organizations.models.policies import POLICIES
from integrations.pages.access import own_page
from integrations.pages.mappings import pick_list
from integrations.pages.mappings.pick_list import PickList
from integrations.pages.settings.rules import rule_in_words
from integrations.pages.stored_form import StoredForm
from integrations.pages.views import OperationView, RemoveRowView, RowMixin

AS_FOR_ALL = "As for all roles"


class RoleMappingForm(StoredForm):
    """Role, or categories of roles, × stage → assessment, and the mapping's own rules.

    Names are chosen from what the platforms list, where they list some.
    """

    class Meta:
        model = RoleMapping
        fields = ["role", *CATEGORY_COLUMNS, "stage", "assessment", *OWN_RULES]
        widgets = {
            "stage": forms.TextInput(attrs={"placeholder": "any CodeScreen stage"}),
        }
        labels = {
            "stage": "Stage (optional)",
        }
        help_texts = {
            "role": "A posting in Lever.",
            "stage": "Only to send it in one stage. Any other than a CodeScreen stage sends to these candidates alone.",
            "assessment": "",
        }

    def __init__(
        self, data: QueryDict | None = None, *, instance: RoleMapping, by_categories: bool, **kwargs: Any
    ) -> None:
        """Ask for the role or for categories, and offer the names that the platforms list.

        Own rules that aren't posted stay as they are stored.
        """
        super().__init__(data, instance=instance, **kwargs)
        self.fill_in(OWN_RULES)
        #: The columns that aren't asked for, and are empty then.
        self._others = ("role",) if by_categories else CATEGORY_COLUMNS
        self.by_categories = by_categories
        for name in self._others:
            del self.fields[name]
        if instance.pk:
            self.compare_with_shown()
        organization = instance.organization
        stages = pick_list.stages(organization)
        self._lists: dict[str, PickList] = {
            "role": pick_list.roles(organization),
            "stage": stages,
            "assessment": pick_list.assessments(organization),
            "stage_on_pass": stages,
            **pick_list.categories(organization),
        }
        for name in self._others:
            del self._lists[name]
        self.fields["approval"].widget.choices = [
            ("", f"{AS_FOR_ALL}: {lower_first(Approval.ABOVE_LIMIT.label)}"),
            *Approval.choices(),
        ]
        for name in OWN_RULES:
            if name in POLICIES:
                self.fields[name].help_text = f"{AS_FOR_ALL}: {rule_in_words(organization, name)}"
        empty = {
            "role": "Choose…",
            "stage": "Any CodeScreen stage",
            "assessment": "Choose…",
            "stage_on_pass": AS_FOR_ALL,
        }
        for name, known in self._lists.items():
            self.fields[name].widget.attrs |= {"list": f"known-{name}", "autocomplete": "off"}
            known.offer(self, name, empty.get(name, "Any"))

    @property
    def suggestions(self) -> dict[str, list[str]]:
        """The names that the fields suggest which are typed, by the field."""
        return {name: known.names for name, known in self._lists.items() if not known.is_select}

    @property
    def own_fields(self) -> list[BoundField]:
        """The fields for the mapping's own rules."""
        return [self[name] for name in OWN_RULES]

    @property
    def category_fields(self) -> list[BoundField]:
        """The fields that stand in place of a role."""
        fields = [self[column] for column in CATEGORY_COLUMNS if column in self.fields]
        if not any(self._lists[field.name].known for field in fields):
            return fields
        # a category that no posting has isn't asked for
        return [field for field in fields if self._lists[field.name].known or field.value()]

    def clean(self) -> dict[str, Any]:
        """Reject what a platform doesn't list; empty what the mapping isn't for any more."""
        cleaned = super().clean()
        for name in self._others:
            setattr(self.instance, name, "")
        for name, known in self._lists.items():
            # a name that was stored before stays, so that the others can be changed
            is_stored = self.instance.pk and cleaned.get(name) == self.initial.get(name)
            reason = "" if is_stored else known.refusal(str(cleaned.get(name, "")))
            if reason:
                self.add_error(name, reason)
        return cleaned


class MappingFormView(RowMixin[RoleMapping], OperationView):
    """A view of the form of a mapping, which leads back to the list as it was filtered."""

    model, allowed_roles = RoleMapping, MAPPINGS.roles
    following_page = "mapping-list"
    template_name = "integrations/rolemapping_form.html"
    form_class = RoleMappingForm
    #: What saving did.
    done = ""

    def get_form_kwargs(self) -> dict[str, Any]:
        """Ask for categories where the address says so, or the stored mapping has some and it doesn't say `role`."""
        asked = self.request.GET
        by_categories = "categories" in asked or bool(
            self.row.pk and not self.row.role and "role" not in asked
        )
        return {**super().get_form_kwargs(), "instance": self.row, "by_categories": by_categories}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the page to return to."""
        asked = self.request.POST.get("next") or self.request.GET.get("next", "")
        following = own_page(self.request, asked, reverse("mapping-list"))
        return super().get_context_data(next=following, **kwargs)

    def operate(self, form: ModelForm) -> str | None:
        mapping: RoleMapping = form.instance
        return f"The mapping {mapping} is {self.done}." if MAPPINGS.save(mapping, self.user) else None


class MappingUpdateView(MappingFormView):
    """Change a mapping."""

    done = "changed"


class MappingCreateView(MappingFormView):
    """Add a mapping."""

    done = "added"

    @cached_property
    def row(self) -> RoleMapping:
        """A new mapping."""
        return RoleMapping(organization=self.organization)

    def get_initial(self) -> dict[str, Any]:
        """Fill in the role that was clicked in the list."""
        return {"role": self.request.GET.get("role", "")}


class MappingDeleteView(RemoveRowView[RoleMapping]):
    """Delete a mapping."""

    model, kept, allowed_roles = RoleMapping, MAPPINGS, MAPPINGS.roles
    following_page = "mapping-list"
    removed = "The mapping {} is deleted."
