"""The address of the page that shows every component; without a name, since no page of the product links to it."""

from django.urls import path

from portal.devtools.components.views import ComponentsView

urlpatterns = [path("", ComponentsView.as_view())]
