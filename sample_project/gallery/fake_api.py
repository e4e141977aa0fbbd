"""A moody API to publish pictures to: it throttles and fails now and then, as real ones do."""

import json
from functools import cache
from http import HTTPStatus
from random import Random
from threading import Lock

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST


@csrf_exempt
@require_POST
def pictures(request: HttpRequest) -> HttpResponse:
    """Accept a picture, in the end; an accepted one may be sent again and gets the same answer."""
    try:
        picture = int(json.loads(request.body)["id"])
    except (ValueError, TypeError, KeyError):
        return JsonResponse({"error": "send the picture's id as JSON"}, status=400)
    match moods().answer_to(picture):
        case HTTPStatus.TOO_MANY_REQUESTS as status:
            seconds = str(moods().patience())
            return HttpResponse(status=status, headers={"Retry-After": seconds})
        case HTTPStatus.INTERNAL_SERVER_ERROR as status:
            return HttpResponse(status=status)
        case status:
            return JsonResponse({"address": f"/published/{picture}"}, status=status)


@cache
def moods() -> "Moods":
    return Moods(seed=settings.GALLERY_API_SEED)


class Moods:
    """Draws the answers; never more than `MOST_REFUSALS` in a row are bad for one picture."""

    MOST_REFUSALS = 3
    ANSWERS = (HTTPStatus.CREATED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR)
    WEIGHTS = (70, 18, 12)

    def __init__(self, *, seed: int | None) -> None:
        self._random = Random(seed)  # noqa: S311 - no secret
        self._refusals: dict[int, int] = {}
        self._lock = Lock()

    def answer_to(self, picture: int) -> HTTPStatus:
        with self._lock:
            (answer,) = self._random.choices(self.ANSWERS, self.WEIGHTS)
            refusals = self._refusals.pop(picture, 0)
            if answer is HTTPStatus.CREATED or refusals >= self.MOST_REFUSALS:
                return HTTPStatus.CREATED
            self._refusals[picture] = refusals + 1
            return answer

    def patience(self) -> int:
        """Seconds to ask for."""
        return self._random.randint(1, 3)
