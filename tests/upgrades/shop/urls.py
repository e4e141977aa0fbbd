"""The one page of the shop: whoever posts a number orders something."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

import forge_jobs
from tests.upgrades.shop.jobs import order


def orders(request: HttpRequest, number: int) -> HttpResponse:
    if request.method == "POST":
        order(number)
    return HttpResponse(forge_jobs.__file__)


urlpatterns = [path("orders/<int:number>/", orders)]
