"""The gallery's pages: look, upload, import the sample album, publish."""

from time import perf_counter

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import BigIntegerField
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from forge_jobs.models import State
from sample_project.gallery import actions, album, cards, works
from sample_project.gallery.models import Picture

PAGE = 48
POLICY = "default-src 'none'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
base-uri 'none'; img-src 'self'; script-src 'self'; style-src 'self'"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """One page of pictures, newest first; `?state=` keeps those whose latest job is in it."""
    chosen = request.GET.get("state", "")
    pictures = Picture.objects.all()
    if chosen in State.values:
        pictures = pictures.in_state(chosen)
    page = Paginator(pictures.with_jobs(), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
        "cards": cards.cards(page),
        "counts": cards.counts(),
        "total": Picture.objects.count(),
        "published": Picture.objects.exclude(published_at=None).count(),
        "chosen": chosen,
        "works": works.works(),
        "album_length": album.LENGTH,
    }
    response = render(request, "gallery/index.html", context)
    response["Content-Security-Policy"] = POLICY
    return response


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """What is new with the pictures of `?ids=1,2,3`, at most a page of them, and the counts."""
    try:
        ids = _ids(request.GET.get("ids", ""))
    except ValueError as error:
        return HttpResponseBadRequest(str(error))
    shown = cards.cards(Picture.objects.filter(pk__in=ids).with_jobs())
    return JsonResponse(
        {
            "total": Picture.objects.count(),
            "published": Picture.objects.exclude(published_at=None).count(),
            "counts": {count.state: count.count for count in cards.counts()},
            "pictures": [card.as_json() for card in shown],
            "works": list(works.as_json()),
        },
        headers={"Cache-Control": "no-cache"},
    )


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    files = request.FILES.getlist("images")
    if files:
        pictures = actions.upload(files)
        messages.success(request, f"{_pictures(len(pictures))} uploaded.")
    else:
        messages.error(request, "Choose one or more pictures first.")
    return redirect("gallery:index")


@require_POST
def import_album(request: HttpRequest) -> HttpResponse:
    plates = album.plates(album.LENGTH, torn=album.TORN_PLATES, first_seed=Picture.objects.count())
    started = perf_counter()
    actions.import_album(plates)
    took = (perf_counter() - started) * 1000
    messages.success(request, f"{_pictures(len(plates))} and as many jobs stored in {took:.0f} ms.")
    return redirect("gallery:index")


@require_POST
def publish(request: HttpRequest, picture_id: int) -> HttpResponse:
    picture = get_object_or_404(Picture, pk=picture_id)
    actions.publish(Picture.objects.publishable().filter(pk=picture.pk))
    return redirect(f"{_way_back(request)}#picture-{picture.pk}")


@require_POST
def publish_all(request: HttpRequest) -> HttpResponse:
    count = actions.publish_all(Picture.objects.publishable())
    if count:
        messages.success(request, f"{_pictures(count)} on the way to be published.")
    else:
        messages.info(request, "There is nothing to publish right now.")
    return redirect(_way_back(request))


@require_POST
def publish_catalogue(request: HttpRequest) -> HttpResponse:
    job = actions.publish_a_catalogue()
    if job.was_deduplicated:
        messages.info(request, f"A catalogue is under way already: job {job.pk}.")
    else:
        messages.success(request, f"A catalogue will be published in four steps: job {job.pk}.")
    return redirect(_way_back(request))


@require_POST
def export(request: HttpRequest) -> HttpResponse:
    job = actions.export()
    if job.was_deduplicated:
        messages.info(request, f"An export is under way already: job {job.pk}.")
    else:
        messages.success(request, f"All pictures will be in one archive: job {job.pk}.")
    return redirect(_way_back(request))


@require_POST
def cancel_export(request: HttpRequest) -> HttpResponse:
    if not actions.cancel_export():
        messages.info(request, "There is no export to cancel.")
    return redirect(_way_back(request))


def _ids(text: str) -> list[int]:
    """Read `1,2,3`; raises `ValueError` for what no page would ask for."""
    ids = [int(part) for part in text.split(",") if part]
    if len(ids) > PAGE or not all(0 < pk <= BigIntegerField.MAX_BIGINT for pk in ids):
        raise ValueError(f"ids must be at most {PAGE} keys of pictures.")
    return ids


def _way_back(request: HttpRequest) -> str:
    """The page that the form was on, if it was one of ours."""
    back = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None) and "#" not in back:
        return back
    return reverse("gallery:index")


def _pictures(count: int) -> str:
    return f"{count} picture{'' if count == 1 else 's'}"
