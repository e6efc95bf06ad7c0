"""The addresses below `/api/v1/`."""

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.routers import SimpleRouter

from integrations.api import views

router = SimpleRouter()
for viewset in (
    views.CandidatesViewSet,
    views.InvitationsViewSet,
    views.ResultsViewSet,
    views.VerdictsViewSet,
    views.FindingsViewSet,
):
    router.register(viewset.scope, viewset, basename=f"api-{viewset.scope}")

urlpatterns = [
    path("schema/", SpectacularJSONAPIView.as_view(authentication_classes=[]), name="api-schema"),
    *router.urls,
]
