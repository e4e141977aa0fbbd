#!/usr/bin/env bash
# Expected: UnitedStates() of workalendar has the eleven federal holidays, and the calendars of the states have those
# on which the state keeps to the federation.
# True, in workalendar 17.0.0: Juneteenth, the 19th of June, a federal holiday by law since 2021, is a working day to
# it, in 2026 as in each other year, and in each state but Texas, which has the day by another name. There is a switch
# for it in the class, which is off; of all calendars of the package for the country that of the Federal Reserve alone
# turns it on. The ten other federal holidays are there. holidays 0.109 has all eleven.
# Hurt: whoever pays, delivers or reckons deadlines by working days: what is due "in three working days" is a day
# early around that date, and what is sent on it, to a bank or an office, waits until the next.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'workalendar==17.0.0' 'holidays==0.109' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import date
from importlib.metadata import version

from holidays import country_holidays
from workalendar.usa import California, FederalReserveSystem, NewYork, Texas, UnitedStates

print("workalendar", version("workalendar"), "holidays", version("holidays"))
YEARS = range(2021, 2031)


def years_without(calendar):
    """In how many of ten years Juneteenth is no holiday."""
    missing = sum(not calendar.is_holiday(date(year, 6, 19)) for year in YEARS)
    print(f"{type(calendar).__name__}: without it in {missing} of {len(YEARS)} years")
    return missing


federal = country_holidays("US", years=2026, expand=False)
by_workalendar = {day for day, _ in UnitedStates().holidays(2026)}
lacking = {day: name for day, name in federal.items() if day not in by_workalendar}
print(f"of {len(federal)} days that holidays has in 2026, workalendar lacks {lacking}")
assert years_without(FederalReserveSystem()) == years_without(Texas()) == 0
expected = "expected by its users: 0"
assert years_without(UnitedStates()) == len(YEARS), expected
assert years_without(NewYork()) == years_without(California()) == len(YEARS), expected
assert list(lacking) == [date(2026, 6, 19)], "expected by its users: none"
assert UnitedStates().add_working_days(date(2026, 6, 18), 1) == date(2026, 6, 19), "expected by its users: 22 June"
PYTHON
