#!/usr/bin/env bash
# Expected: two libraries whose requirements fit together, as pip and pip check say, work together in one environment.
# True, of django-celery-beat 2.9.0 and streaq 7.2.0, with python-crontab 3.4.0 and crontab 1.0.5: the first needs
# python-crontab, the second crontab, and both of these install a module by the name of crontab, which has a CronTab
# that takes other things. One is a file and one a folder, so that neither writes over the other, pip is silent, and
# Python finds the folder, in whatever order they came. With it there Django does not start, for "module 'crontab' has
# no attribute 'CronSlices'"; without it all is well.
# Hurt: whoever moves from one queue to the other and has both for that time, or adds a library that brings the second
# along: the deploy fails in a place that nobody has touched, and the two that do not bear each other are named nowhere.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
pip() {
  "$folder/venv/bin/pip" --quiet --disable-pip-version-check "$@" 2>/dev/null
}
pip install 'Django==5.2.19' 'django-celery-beat==2.9.0' 'python-crontab==3.4.0'
cd "$folder"
cat > start.py <<'PYTHON'
import sys
from importlib.metadata import PackageNotFoundError, version

import crontab
import django
from django.conf import settings


def found(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


print("django-celery-beat", version("django-celery-beat"), "python-crontab", found("python-crontab"), end=" ")
print("streaq", found("streaq"), "crontab", found("crontab"), crontab.__file__.rpartition("site-packages/")[2])
settings.configure(INSTALLED_APPS=["django_celery_beat"])
try:
    django.setup()
except AttributeError as error:
    told = str(error)
else:
    told = "started"
print(told)
assert told == sys.argv[1], sys.argv[1]
PYTHON
"$folder/venv/bin/python" start.py started
pip install 'streaq==7.2.0' 'crontab==1.0.5'
pip check
"$folder/venv/bin/python" start.py "module 'crontab' has no attribute 'CronSlices'"
pip install --force-reinstall --no-deps 'python-crontab==3.4.0'
"$folder/venv/bin/python" start.py "module 'crontab' has no attribute 'CronSlices'"
pip uninstall --yes crontab
"$folder/venv/bin/python" start.py started
