"""Writes next runs as Celery finds them: celery-crontab.json and celery-solar.json. See README.md beside it.

A beat is played back: from the last run on, the schedule is asked as a beat asks it, again at least every five minutes where a change
of the clock may move the answer, until it says that the entry is due.
"""

import json
import random
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import celery
from celery import Celery
from celery.schedules import crontab, solar

FOLDER = Path(__file__).parent
FIELDS = ("minute", "hour", "dayOfWeek", "dayOfMonth", "monthOfYear")
CELERY_NAMES = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
RUNS = 8

# minute, hour, day of week, day of month, month of year; None leaves the field out.
WRITTEN = [
    (0, 3, None, None, None),
    (None, None, None, None, None),
    (None, 3, None, None, None),
    ("*/5", None, None, None, None),
    ("*/7", None, None, None, None),
    ("*/15", "8-17", "mon-fri", None, None),
    (0, "*/2", None, None, None),
    (0, "*/5", None, None, None),
    (30, "22-4", None, None, None),
    (30, "22-4/2", None, None, None),
    ("50-10/5", None, None, None, None),
    (0, 0, "fri-mon", None, None),
    (0, 0, "fri-mon/2", None, None),
    (0, 0, "sun", None, None),
    (0, 0, "mon,wed,fri", None, None),
    (0, 0, "monday,thursday", None, None),
    (0, 0, 6, None, None),
    (0, 0, "*/2", None, None),
    (0, 0, [1, 3], None, None),
    (0, 12, "sat,sun", None, None),
    (0, 0, None, 1, None),
    (0, 0, None, 15, None),
    (0, 0, None, 29, None),
    (0, 0, None, 30, None),
    (0, 0, None, 31, None),
    (0, 0, None, "1-7", None),
    (0, 0, None, "28-3", None),
    (0, 0, None, "*/3", None),
    (0, 0, None, "2-30/2", None),
    (0, 0, None, "1,15,31", None),
    (0, 0, None, 29, 2),
    (0, 0, None, 31, "*/2"),
    (0, 0, None, 1, "*/3"),
    (0, 0, None, 1, "2-12/2"),
    (0, 0, None, 1, "11-2"),
    (0, 0, None, None, 2),
    (0, "*/6", None, None, "6,12"),
    (0, 0, "fri", 13, None),
    (0, 0, "mon", "1-7", None),
    (0, 9, "mon", "1-7,15-21", None),
    (0, 0, "sun", "*/7", None),
    (0, 0, "mon-fri", 1, None),
    (0, 0, "mon", 29, 2),
    (0, 0, "sat", "25-31", "3,10"),
    ("0,30", "9,17", "tue-thu", "10-20", "1-6"),
    ([0, 20, 40], [6, 18], None, None, None),
    (59, 23, None, 31, 12),
    (0, 0, None, 1, 1),
    (1, 0, "wed", None, 7),
    ("5,10-20,*/30", "0-6/3", None, None, None),
    # The hours that clocks skip and repeat.
    (0, 1, None, None, None),
    (30, 1, None, None, None),
    (45, 1, None, None, None),
    (0, 2, None, None, None),
    (15, 2, None, None, None),
    (30, 2, None, None, None),
    (0, 3, "sun", None, None),
    (30, 2, "sun", None, None),
    ("0,30", 2, None, None, None),
    ("*/20", "1-3", None, None, None),
    (0, None, None, None, None),
    (30, None, None, None, None),
    (45, "*/3", None, None, None),
    ("*/10", 2, None, None, None),
]

STARTS = ["2026-01-01T00:00:00Z", "2027-12-30T13:37:42Z", "2028-02-27T23:59:30Z"]
# When the clocks change.
CHANGES = {
    "Europe/Berlin": ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"],
    "America/New_York": ["2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"],
    "Australia/Lord_Howe": ["2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z"],
}
ZONES = ["UTC", "Asia/Kolkata", *CHANGES]


def random_specs(count):
    """Specs of all fields, drawn the same at every run."""
    draw = random.Random(20260101)
    bounds = {"minute": (0, 59), "hour": (0, 23), "dayOfWeek": (0, 6), "dayOfMonth": (1, 31), "monthOfYear": (1, 12)}

    def field(name):
        low, high = bounds[name]
        kind = draw.choice(["any", "any", "one", "list", "range", "step", "stepped range"])
        first, second = draw.randint(low, high), draw.randint(low, high)
        if kind == "any":
            return None
        if kind == "one":
            return first
        if kind == "list":
            return sorted({first, second, draw.randint(low, high)})
        if kind == "step":
            return f"*/{draw.randint(2, max(2, high // 2))}"
        return f"{first}-{second}" + ("" if kind == "range" else "/2" if abs(second - first) > 1 else "")

    return [tuple(field(name) for name in FIELDS) for _ in range(count)]


def parse(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def write(at):
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Playback:
    """Asks one schedule of Celery with a clock of its own."""

    def __init__(self, app, make):
        self.now = None
        self.schedule = make(nowfun=lambda: self.now, app=app)

    def next_run(self, last):
        # A beat keeps both in the time zone of the app.
        last = last.astimezone(self.schedule.tz)
        self.now = last
        while True:
            due, wait = self.remaining(last)
            if due:
                return self.now
            then = self.now + timedelta(seconds=wait)
            then = then.astimezone(self.schedule.tz)
            # Where the clock is not changed in between, the answer will not move.
            if self.now.utcoffset() != then.utcoffset() and wait >= 300:
                then = max(self.now + timedelta(seconds=300), then - timedelta(days=1))
            self.now = then.astimezone(self.schedule.tz)

    def remaining(self, last):
        rest = self.schedule.remaining_estimate(last).total_seconds()
        return rest <= 0, rest


def crontab_cases():
    specs = WRITTEN + random_specs(100)
    apps = {}
    for zone in ZONES:
        apps[zone] = Celery(set_as_current=False)
        apps[zone].conf.timezone = zone
    for number, spec in enumerate(specs):
        given = {name: value for name, value in zip(FIELDS, spec) if value is not None}
        arguments = {name: value for name, value in zip(CELERY_NAMES, spec) if value is not None}
        plain = [(zone, STARTS[(number + i) % len(STARTS)], RUNS) for i, zone in enumerate(ZONES)]
        chosen = [plain[0], plain[1 + number % 4]]
        if number < len(WRITTEN):
            chosen += around_changes(is_hourly="hour" not in given)
        for zone, start, count in chosen:
            playback = Playback(apps[zone], lambda **how: crontab(**arguments, **how))
            at, runs = parse(start), []
            try:
                for _ in range(count):
                    at = playback.next_run(at)
                    runs.append(write(at))
            except RuntimeError:
                runs = None  # Celery gives up: no such date within 2000 tries.
            yield {"crontab": given, "timezone": zone, "after": start, "runs": runs}


def around_changes(is_hourly):
    """Entries of every hour begin so late that their first runs reach the change, and have enough to pass an hour."""
    for zone, changes in CHANGES.items():
        for change in changes:
            yield zone, write(parse(change) - timedelta(hours=6)), RUNS
            if is_hourly:
                yield zone, write(parse(change) - timedelta(minutes=10)), 80


PLACES = {
    "Berlin": (52.52, 13.405),
    "New York": (40.7128, -74.006),
    "Quito": (-0.1807, -78.4678),
    "Sydney": (-33.8688, 151.2093),
    "Suva": (-18.1416, 178.4419),
    "Honolulu": (21.3069, -157.8583),
    "Cape Town": (-33.9249, 18.4241),
    "Reykjavik": (64.1466, -21.9426),
    "Ushuaia": (-54.8019, -68.303),
    "Tromsø": (69.6492, 18.9553),
}
DAYS = ["2026-03-20T00:00:00Z", "2026-06-21T00:00:00Z", "2026-09-10T00:00:00Z", "2026-12-21T00:00:00Z"]


def solar_cases():
    app = Celery(set_as_current=False)
    events = sorted(solar._all_events)
    for place, (latitude, longitude) in PLACES.items():
        for start in DAYS:
            for event in events:
                playback = Playback(app, lambda **how: solar(event, latitude, longitude, **how))
                if event == "dusk_astronomical":
                    # Celery has 18 degrees above the horizon here, where 18 below is meant.
                    playback.schedule.cal.horizon = "-18"
                at = parse(start)
                playback.now = at
                happens = solar_happens(playback.schedule, at)
                # Where it does not, this version of Celery raises a TypeError.
                rest = playback.schedule.remaining_estimate(at) if happens else None
                yield {
                    "place": place,
                    "event": event,
                    "latitude": latitude,
                    "longitude": longitude,
                    "after": start,
                    # Null: not on the day that follows.
                    "next": write(at + rest) if happens else None,
                }


def solar_happens(schedule, at):
    import ephem

    schedule.cal.date = at
    try:
        options = {"use_center": True} if schedule.use_center else {}
        getattr(schedule.cal, schedule.method)(ephem.Sun(), start=at, **options)
    except ephem.CircumpolarError:
        return False
    return True


def save(name, cases):
    rows = [json.dumps(case, ensure_ascii=False) for case in cases]
    head = json.dumps({"celery": celery.__version__})[:-1]
    text = head + ', "cases": [\n' + ",\n".join(rows) + "\n]}\n"
    (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{name}: {len(rows)} cases", file=sys.stderr)


save("celery-crontab.json", crontab_cases())
try:
    import ephem  # noqa: F401
except ImportError:
    print("no ephem: celery-solar.json stays as it is", file=sys.stderr)
else:
    save("celery-solar.json", solar_cases())
