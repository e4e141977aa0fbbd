#!/usr/bin/env bash
# Expected: "100/month" is a hundred in a month and "100/week" a hundred in a week, or they are refused when the limit
# is declared, as limits 5.8.0 has the first and django-ninja 1.7.1 the second.
# True, in djangorestframework 3.18.3 and django-ratelimit 4.1.0: of the period one letter is read, and the rest of the
# text is dropped without a word. So "100/month" is a hundred a minute in both, and "10/decade" ten a day. To
# django-ratelimit what begins with another letter is a second, too: "100/week", "100/year" and "100/M" are a hundred a
# second each, and "100/2weeks" is a hundred in two. Rest framework refuses those. "minute", "hour" and "day" are right.
# Hurt: whoever sells a plan by the month or guards what costs money: there is no limit to speak of, some forty thousand
# times as many as were meant, six hundred thousand by the week; and a test that sends a few more at once sees them
# refused, as they should be.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'Django==5.2.19' 'djangorestframework==3.18.3' 'django-ratelimit==4.1.0' 'django-ninja==1.7.1' 'limits==5.8.0' \
  2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import django
from django.conf import settings

settings.configure()
django.setup()

import limits
from django.test import RequestFactory
from django_ratelimit.core import get_usage
from ninja.throttling import AnonRateThrottle as NinjaThrottle
from rest_framework.throttling import AnonRateThrottle

for name in ("djangorestframework", "django-ratelimit", "django-ninja", "limits"):
    print(name, version(name))


def rest_framework(rate):
    """How many in how many seconds, as the throttle of that rate has it."""
    throttle = type("Throttle", (AnonRateThrottle,), {"rate": rate})()
    return throttle.num_requests, throttle.duration


def ratelimit(rate):
    """How many, and the seconds after which the window ends at the latest."""
    request = RequestFactory().get("/")
    usage = get_usage(request, group=rate, key="ip", rate=rate, increment=True)
    return usage["limit"], usage["time_left"]


def refused(of, rate):
    try:
        of(rate)
    except (ValueError, KeyError):
        return True
    return False


for rate in ("100/minute", "100/day", "100/month", "10/decade"):
    print(f"{rate:12} rest framework: {rest_framework(rate)}, django-ratelimit ends in {ratelimit(rate)}")
for rate in ("100/week", "100/year", "100/M"):
    print(f"{rate:12} django-ratelimit ends in {ratelimit(rate)}")
assert rest_framework("100/minute") == (100, 60)
assert rest_framework("100/day") == (100, 86400)
assert rest_framework("100/month") == (100, 60), "expected by its users: a month, or an error"
assert rest_framework("10/decade") == (10, 86400), "expected by its users: an error"
assert refused(rest_framework, "100/week")
assert ratelimit("100/month")[0] == 100
assert ratelimit("100/month")[1] <= 60, "expected by its users: a month, or an error"
for rate in ("100/week", "100/year", "100/M", "100/2weeks"):
    assert ratelimit(rate)[1] <= 2, "expected by its users: a week, a year, a month, or an error"
assert all(refused(NinjaThrottle, rate) for rate in ("100/month", "100/week", "100/year"))
assert limits.parse("100/month").get_expiry() == 30 * 86400
PYTHON
