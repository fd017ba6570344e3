//! When a limit of use ends: an agent's own words as an instant. Must not: read a clock, or guess.
//!
//! Read are what agents were seen to write: `3pm (Europe/Berlin)`, `3:45 PM`, `Oct 9, 5pm`, `tomorrow at 9am`, `Mon 8am`,
//! `2 days 3 hours`, `in 5 minutes`, `20s`, timestamps (RFC 3339) and seconds since 1970. What has passed today is meant
//! tomorrow. Words that are not known make the whole unreadable: a limit that is read wrong holds prompts back for
//! nothing, or sends them to be refused.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};
use wire::UnixMillis;

/// Longest text that is looked at, in bytes.
const TEXT_MAX: usize = 120;

/// Furthest end that is believed, in milliseconds: limits are counted in hours and weeks, and a misread year must not
/// hold prompts back for one.
const FURTHEST: i64 = 40 * 24 * 3_600_000;

/// Words that say nothing of the time itself.
const FILLERS: [&str; 13] =
    ["resets", "reset", "until", "try", "again", "retry", "after", "in", "at", "on", "and", "about", "today"];

/// The instant, by the clock of the time zone that the text names, else of `local`. `None` when the text cannot be read;
/// never before `now`.
pub fn instant(text: &str, now: UnixMillis, local: &TimeZone) -> Option<UnixMillis> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let text = text.trim().trim_end_matches('.');
    let (text, zone) = match zone_of(text) {
        Some((text, zone)) => (text, TimeZone::get(zone).ok()?),
        None => (text, local.clone()),
    };
    let stamp = Timestamp::from_millisecond(now.0).ok()?;
    let found = exact(text, &zone).or_else(|| {
        let text = text.to_ascii_lowercase();
        let words: Vec<&str> = text.split([' ', ',', '\t']).filter(|word| !word.is_empty()).collect();
        let words: Vec<&str> = words.into_iter().filter(|word| !FILLERS.contains(word)).collect();
        let wait = wait(&words).and_then(|ms| now.0.checked_add(ms));
        wait.or_else(|| {
            Some(Moment::read(&words)?.after(&stamp.to_zoned(zone))?.timestamp().as_millisecond())
        })
    })?;
    (found > now.0 && found - now.0 <= FURTHEST).then_some(UnixMillis(found))
}

/// A time zone at the end, in brackets or as the word UTC, and what stands before it.
fn zone_of(text: &str) -> Option<(&str, &str)> {
    if let Some((before, zone)) = text.strip_suffix(')').and_then(|text| text.rsplit_once('(')) {
        return Some((before.trim_end(), zone.trim()));
    }
    let (before, word) = text.rsplit_once(' ')?;
    let universal = ["UTC", "GMT"].iter().any(|zone| word.eq_ignore_ascii_case(zone));
    universal.then_some((before.trim_end(), "UTC"))
}

/// A timestamp, a date with its time, seconds or milliseconds since 1970.
fn exact(text: &str, zone: &TimeZone) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        return match text.len() {
            10 => number.checked_mul(1000),
            13 => Some(number),
            _ => None,
        };
    }
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(stamp.as_millisecond());
    }
    // A date alone is no instant; what jiff reads as one without a time has no colon.
    let date: DateTime = text.contains(':').then(|| text.parse().ok()).flatten()?;
    Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
}

/// A time to wait, in milliseconds: numbers with their units and nothing else.
fn wait(words: &[&str]) -> Option<i64> {
    let mut all = 0_i64;
    let mut rest = words.concat();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let unit = &rest[digits..];
        let end = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        let ms = match &unit[..end] {
            "ms" | "milliseconds" | "millisecond" => 1,
            "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
            "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
            "d" | "day" | "days" => 86_400_000,
            "w" | "week" | "weeks" => 7 * 86_400_000,
            _ => return None,
        };
        all = all.checked_add(number.checked_mul(ms)?)?;
        rest = unit[end..].to_owned();
    }
    Some(all)
}

/// A time of the clock, with as much of the date as was said.
#[derive(Debug, Default, PartialEq)]
struct Moment {
    time: Option<Time>,
    month: Option<i8>,
    day: Option<i8>,
    year: Option<i16>,
    weekday: Option<Weekday>,
    tomorrow: bool,
}

impl Moment {
    /// `None` when a word is not understood, or says what was said already.
    fn read(words: &[&str]) -> Option<Self> {
        let mut found = Self::default();
        let mut words = words.iter().copied().peekable();
        while let Some(word) = words.next() {
            let half = words.peek().copied().filter(|next| matches!(*next, "am" | "pm"));
            if word == "tomorrow" {
                found.tomorrow = true;
            } else if let Some(month) = name(word, &MONTHS) {
                set(&mut found.month, month + 1)?;
            } else if let Some(day) = name(word, &DAYS) {
                set(&mut found.weekday, Weekday::from_monday_zero_offset(day).ok()?)?;
            } else if let Some(time) = time(word, half) {
                words.next_if(|_| half.is_some());
                set(&mut found.time, time)?;
            } else if word.len() == 4 {
                set(&mut found.year, word.parse().ok()?)?;
            } else {
                let ends = ["st", "nd", "rd", "th"];
                let number = ends.iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
                set(&mut found.day, number.parse().ok()?)?;
            }
        }
        Some(found)
    }

    /// The first such moment after `now`.
    fn after(&self, now: &Zoned) -> Option<Zoned> {
        let zone = now.time_zone();
        let at = |date: Date, time: Time| date.to_datetime(time).to_zoned(zone.clone()).ok();
        let days = |days: i64| now.date().checked_add(Span::new().try_days(days).ok()?).ok();
        let dated = self.month.is_some() || self.day.is_some() || self.year.is_some();
        if u8::from(dated) + u8::from(self.tomorrow) + u8::from(self.weekday.is_some()) > 1 {
            return None;
        }
        if dated {
            let time = self.time.unwrap_or(Time::midnight());
            let of = |year: i16| at(Date::new(year, self.month?, self.day?).ok()?, time);
            let this = of(self.year.unwrap_or(now.year()))?;
            // Around the turn of the year the next one is meant.
            return if this > *now || self.year.is_some() { Some(this) } else { of(now.year() + 1) };
        }
        if let Some(weekday) = self.weekday {
            let ahead = i64::from(now.date().weekday().until(weekday));
            let next = at(days(ahead)?, self.time.unwrap_or(Time::midnight()))?;
            return if next > *now { Some(next) } else { at(days(ahead + 7)?, next.time()) };
        }
        let time = self.time?;
        let next = at(days(i64::from(self.tomorrow))?, time)?;
        if next > *now { Some(next) } else { at(days(1)?, time) }
    }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The place in a list of the name that a word begins, with three letters at least.
fn name(word: &str, names: &[&str]) -> Option<i8> {
    let word = word.trim_end_matches('.');
    let found = names.iter().position(|name| word.len() >= 3 && name.starts_with(word))?;
    i8::try_from(found).ok()
}

/// `3pm`, `3:45pm`, `3` before `pm`, `15:45`, `15:45:10`.
fn time(word: &str, half: Option<&str>) -> Option<Time> {
    let own = ["am", "pm"].into_iter().find_map(|half| Some((word.strip_suffix(half)?, half)));
    let (clock, half) = own.map_or((word, half), |(clock, half)| (clock, Some(half)));
    if half.is_none() && !clock.contains(':') {
        return None;
    }
    let mut parts = clock.split(':').map(|part| part.parse::<i8>().ok().filter(|_| part.len() <= 2));
    let hour = parts.next()??;
    let minute = parts.next().unwrap_or(Some(0))?;
    let second = parts.next().unwrap_or(Some(0))?;
    if parts.next().is_some() {
        return None;
    }
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some("pm") => hour % 12 + 12,
        Some(_) => hour % 12,
        None => hour,
    };
    Time::new(hour, minute, second, 0).ok()
}

/// Sets what has not been set before.
fn set<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::Offset;
    use proptest::prelude::*;

    /// Wednesday, 7 October 2026, 14:30 where it is an hour later than in UTC.
    const NOW: &str = "2026-10-07T14:30:00+01:00";

    fn local() -> TimeZone {
        TimeZone::fixed(Offset::constant(1))
    }

    fn at(text: &str) -> UnixMillis {
        UnixMillis(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    fn check(cases: &[(&str, &str)]) {
        for (text, wanted) in cases {
            assert_eq!(instant(text, at(NOW), &local()), Some(at(wanted)), "{text}");
        }
    }

    #[test]
    fn times_of_the_clock_are_the_next_ones() {
        check(&[
            ("3pm", "2026-10-07T15:00:00+01:00"),
            ("3:45pm", "2026-10-07T15:45:00+01:00"),
            ("3:45 PM", "2026-10-07T15:45:00+01:00"),
            ("resets at 3 pm.", "2026-10-07T15:00:00+01:00"),
            ("2pm", "2026-10-08T14:00:00+01:00"),
            ("14:30", "2026-10-08T14:30:00+01:00"),
            ("12am", "2026-10-08T00:00:00+01:00"),
            ("12pm", "2026-10-08T12:00:00+01:00"),
            ("7pm (UTC)", "2026-10-07T19:00:00Z"),
            ("7pm UTC", "2026-10-07T19:00:00Z"),
            ("tomorrow at 3pm", "2026-10-08T15:00:00+01:00"),
        ]);
    }

    #[test]
    fn the_time_zone_that_is_named_counts() {
        // A machine without a list of time zones reads no name of one, and says so.
        if TimeZone::get("Europe/Berlin").is_ok() {
            check(&[("3pm (Europe/Berlin)", "2026-10-08T15:00:00+02:00")]);
            check(&[("4pm (Europe/Berlin)", "2026-10-07T16:00:00+02:00")]);
        }
        assert_eq!(instant("3pm (Nowhere/Atall)", at(NOW), &local()), None);
    }

    #[test]
    fn dates_are_the_next_ones() {
        check(&[
            ("Oct 9, 5pm", "2026-10-09T17:00:00+01:00"),
            ("Oct 9 at 5:30pm (UTC)", "2026-10-09T17:30:00Z"),
            ("October 9th", "2026-10-09T00:00:00+01:00"),
            ("Oct 9th, 2026 3:45 PM", "2026-10-09T15:45:00+01:00"),
            ("9 Nov 8am", "2026-11-09T08:00:00+01:00"),
            ("Mon 8am", "2026-10-12T08:00:00+01:00"),
            ("Wednesday at 2pm", "2026-10-14T14:00:00+01:00"),
        ]);
        let new_year = instant("Jan 2, 5pm", at("2026-12-30T12:00:00Z"), &local());
        assert_eq!(new_year, Some(at("2027-01-02T17:00:00+01:00")));
    }

    #[test]
    fn waits_timestamps_and_numbers_are_read() {
        check(&[
            ("2 days 3 hours", "2026-10-09T17:30:00+01:00"),
            ("in 5 minutes", "2026-10-07T14:35:00+01:00"),
            ("20s", "2026-10-07T14:30:20+01:00"),
            ("1h30m", "2026-10-07T16:00:00+01:00"),
            ("4 hours and 2 minutes", "2026-10-07T18:32:00+01:00"),
            ("2026-10-07T18:00:00Z", "2026-10-07T18:00:00Z"),
            ("2026-10-07 18:00:00", "2026-10-07T18:00:00+01:00"),
            ("1791400000", "2026-10-07T19:06:40Z"),
            ("1791400000000", "2026-10-07T19:06:40Z"),
        ]);
    }

    #[test]
    fn what_cannot_be_read_is_not_guessed() {
        let unreadable = [
            "",
            "soon",
            "later today maybe",
            "25:00",
            "13pm",
            "0pm",
            "3:99pm",
            "Oct 9 Oct 9",
            "Oct 32",
            "5",
            "3pm 4pm",
            "in a while",
            "Jan 5",
            "Oct 5, 5pm",
            "2020-01-01T00:00:00Z",
            "1600000000",
            "9999999999",
            "200 days",
            "0s",
            "2026-10-09",
            "99999999999999999999 days",
            "Mon Oct 9",
            "()",
            "(UTC)",
        ];
        for text in unreadable {
            assert_eq!(instant(text, at(NOW), &local()), None, "{text:?}");
        }
        assert_eq!(instant(&"1s ".repeat(100), at(NOW), &local()), None, "too long");
    }

    proptest! {
        #[test]
        fn an_end_is_never_in_the_past_and_no_text_is_too_strange(
            words in prop::collection::vec(
                prop_oneof![
                    "[0-9]{1,4}(am|pm|s|h|d|th|:[0-9]{2})?",
                    "(oct|jan|feb|mon|sun|tomorrow|at|in|days|hours|\\(UTC\\)|am|pm)",
                    any::<String>(),
                ],
                0..6,
            ),
            now in any::<i64>(),
            near in 1_500_000_000_000_i64..2_500_000_000_000,
        ) {
            let text = words.join(" ");
            for now in [now, near] {
                if let Some(found) = instant(&text, UnixMillis(now), &local()) {
                    prop_assert!(found.0 > now);
                }
            }
        }
    }
}
