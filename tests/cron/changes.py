"""Changes of the clock in odd zones: by half an hour, at midnight, by two hours, by a whole day."""

from datetime import UTC, datetime
from typing import Final

CHANGES: Final = [
    (zone, datetime.fromisoformat(moment).replace(tzinfo=UTC))
    for zone, moment in [
        ("Africa/Cairo", "2026-04-23T22:00"),  # midnight is skipped
        ("Africa/Cairo", "2026-10-29T21:00"),  # 23:00 comes twice
        ("Africa/Casablanca", "2026-02-15T02:00"),
        ("Africa/Casablanca", "2026-03-22T02:00"),
        ("Africa/El_Aaiun", "2027-02-07T02:00"),
        ("Africa/Juba", "2021-01-31T21:00"),
        ("Africa/Khartoum", "2017-10-31T21:00"),
        ("Africa/Monrovia", "1972-01-07T00:44:30"),  # by 44 minutes and 30 seconds
        ("America/Asuncion", "2024-10-06T04:00"),
        ("America/Caracas", "2007-12-09T07:00"),  # back by half an hour
        ("America/Caracas", "2016-05-01T07:00"),
        ("America/Havana", "2026-03-08T05:00"),
        ("America/Havana", "2026-11-01T05:00"),
        ("America/New_York", "2026-03-08T07:00"),
        ("America/New_York", "2026-11-01T06:00"),
        ("America/Nuuk", "2026-03-29T01:00"),  # the evening before
        ("America/Santiago", "2026-04-05T03:00"),
        ("America/Santiago", "2026-09-06T04:00"),
        ("Antarctica/Troll", "2026-03-29T01:00"),  # by two hours
        ("Antarctica/Troll", "2026-10-25T01:00"),
        ("Asia/Beirut", "2026-03-28T22:00"),
        ("Asia/Gaza", "2026-03-28T00:00"),
        ("Asia/Kathmandu", "1985-12-31T18:30"),  # by a quarter of an hour
        ("Asia/Pyongyang", "2015-08-14T15:00"),
        ("Asia/Tehran", "2022-03-21T20:30"),
        ("Atlantic/Azores", "2026-03-29T01:00"),
        ("Atlantic/Azores", "2026-10-25T01:00"),
        ("Australia/Lord_Howe", "2026-04-04T15:00"),
        ("Australia/Lord_Howe", "2026-10-03T15:30"),
        ("Europe/Berlin", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-10-25T01:00"),
        ("Europe/Dublin", "2026-10-25T01:00"),
        ("Europe/Volgograd", "2020-12-26T22:00"),
        ("Pacific/Apia", "2011-12-30T10:00"),  # a day is left out
        ("Pacific/Chatham", "2026-04-04T14:00"),
        ("Pacific/Kwajalein", "1993-08-21T12:00"),  # a day is left out
    ]
]
