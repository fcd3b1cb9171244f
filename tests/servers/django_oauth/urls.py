"""The addresses: RFC 8414's document at the root as well, as the package's documentation says."""

from django.contrib.auth.views import LoginView
from django.urls import include, path
from oauth2_provider import urls as oauth

urlpatterns = [
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("", include((oauth.metadata_urlpatterns, "metadata"))),
    path("accounts/login/", LoginView.as_view()),
]
