#!/usr/bin/env bash
# Expected: in a test, `del settings.X` of pytest-django tells of the change as `settings.X = …` does, by
# Django's signal setting_changed, so that whoever keeps what it made of the setting can drop it.
# True, in pytest-django 4.11.1: to set a setting sends the signal, to delete it sends nothing.
# Hurt: tests of apps that read their settings once, and forget them by that signal, as Django's own parts
# do: such a test sees the old value or the default, depending on which tests ran before it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'pytest==8.4.2' 'pytest-django==4.11.1' 'django==5.2.8' 2>/dev/null
cat >"$folder/shop_settings.py" <<'PYTHON'
SHOP = {"currency": "EUR"}
PYTHON
cat >"$folder/test_shop.py" <<'PYTHON'
from django.core.signals import setting_changed


def test_what_is_told(settings):
    told = []

    def hear(*, setting, **kwargs):
        told.append(setting)

    setting_changed.connect(hear)
    settings.SHOP = {}
    assert told == ["SHOP"]
    del settings.SHOP
    assert not hasattr(settings, "SHOP")
    print("told of:", told)
    assert told == ["SHOP"], "expected by its users: told of twice"
PYTHON
cd "$folder"
"$folder/venv/bin/pip" list 2>/dev/null | grep -E '^(pytest|pytest-django|Django) '
"$folder/venv/bin/python" -m pytest -q -s -p no:cacheprovider --ds=shop_settings test_shop.py
