# SPDX-License-Identifier: Apache-2.0
"""Times of the week, as evictions.windows says them."""

from datetime import datetime, timedelta, timezone

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    return 60 * int(hour) + int(minute or 0)


def _opens(item: str, day: datetime) -> tuple[datetime, datetime] | None:
    """When that item is open of what begins on this day."""
    words = item.split()
    hours = words.pop() if words[-1][0].isdigit() else "00:00-24:00"
    if words:
        first, _, last = words[0].lower().partition("-")
        at, end = DAYS.index(first), DAYS.index(last or first)
        if (day.weekday() - at) % 7 > (end - at) % 7:
            return None
    start, end = map(_minutes, hours.split("-"))
    return day + timedelta(minutes=start), day + timedelta(minutes=end if end > start else end + 1440)


def is_open(windows: str, taken_at: str, offset: int) -> bool:
    if not windows.strip() or not taken_at:
        return True
    now = (datetime.fromisoformat(taken_at.replace("Z", "+00:00")).astimezone(timezone.utc)
           + timedelta(minutes=offset))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    spans = [_opens(item, day) for item in windows.split(",") if item.strip()
             for day in (midnight, midnight - timedelta(days=1))]
    return any(span and span[0] <= now < span[1] for span in spans)
