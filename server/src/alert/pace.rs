//! When an alert is told to a sink: not at once, not at night, and again when nobody acts. Pure. Must not: read a clock.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use wire::UnixMillis;
use wire::alert::{Alert, NewSink, QuietHours};

/// How long an alert must last before it is told, in milliseconds: what goes by itself is not worth a word, and what
/// comes together is told together.
pub const DEBOUNCE: i64 = 10_000;
/// Longest pause between two tries, in milliseconds.
const PAUSE_MAX: i64 = 60 * 60_000;

/// Whether a sink carries alerts of this kind.
pub fn carries(sink: &NewSink, alert: &Alert) -> bool {
    sink.alerts.is_empty() || sink.alerts.contains(&alert.kind)
}

/// When a notice may be sent that comes up now.
pub fn due(sink: &NewSink, now: UnixMillis, zone: &TimeZone) -> UnixMillis {
    let earliest = UnixMillis(now.0 + DEBOUNCE);
    sink.quiet.and_then(|quiet| end_of(quiet, earliest, zone)).unwrap_or(earliest)
}

/// Whether an alert is to be told to a sink again.
pub fn escalates(sink: &NewSink, alert: &Alert, now: UnixMillis) -> bool {
    let Some(after) = sink.escalate_ms.filter(|after| *after > 0) else { return false };
    alert.closed.is_none() && now.since(alert.opened) / after > u64::from(alert.escalations)
}

/// When a sink is tried again that failed so many times in a row.
pub fn again(tries: u32, now: UnixMillis) -> UnixMillis {
    let pause = 5_000i64.saturating_mul(1 << tries.min(16)).min(PAUSE_MAX);
    UnixMillis(now.0 + pause)
}

/// The end of the quiet hours, when the instant lies in them.
fn end_of(quiet: QuietHours, at: UnixMillis, zone: &TimeZone) -> Option<UnixMillis> {
    let local = Timestamp::from_millisecond(at.0).ok()?.to_zoned(zone.clone());
    let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).ok()?;
    let within = if quiet.from <= quiet.to {
        (quiet.from..quiet.to).contains(&minute)
    } else {
        minute >= quiet.from || minute < quiet.to
    };
    if !within {
        return None;
    }
    let today = at_minute(&local, quiet.to)?;
    let end = if today > local { today } else { at_minute(&local.checked_add(1.day()).ok()?, quiet.to)? };
    Some(UnixMillis(end.timestamp().as_millisecond()))
}

fn at_minute(day: &Zoned, minute: u16) -> Option<Zoned> {
    let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
    day.date().at(hour, minute, 0, 0).to_zoned(day.time_zone().clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::alert::{AlertKind, SinkKind};

    fn sink() -> NewSink {
        NewSink {
            name: "s".into(),
            kind: SinkKind::Command,
            target: "true".into(),
            allow_private: false,
            secret: None,
            channel: None,
            allowed: Vec::new(),
            alerts: Vec::new(),
            quiet: None,
            detailed: false,
            escalate_ms: None,
        }
    }

    fn at(time: &str) -> UnixMillis {
        let zoned: Zoned = format!("2026-03-10T{time}[UTC]").parse().unwrap();
        UnixMillis(zoned.timestamp().as_millisecond())
    }

    fn told(quiet: QuietHours, now: &str) -> UnixMillis {
        due(&NewSink { quiet: Some(quiet), ..sink() }, at(now), &TimeZone::UTC)
    }

    #[test]
    fn nobody_is_told_in_their_quiet_hours_but_at_their_end() {
        let night = QuietHours { from: 22 * 60, to: 7 * 60 };
        assert_eq!(told(night, "03:00:00"), at("07:00:00"));
        assert_eq!(told(night, "23:30:00").0, at("07:00:00").0 + 24 * 60 * 60_000);
        assert_eq!(told(night, "12:00:00"), at("12:00:10"));
        let lunch = QuietHours { from: 12 * 60, to: 13 * 60 };
        assert_eq!(told(lunch, "12:30:00"), at("13:00:00"));
        assert_eq!(told(lunch, "13:00:00"), at("13:00:10"));
        assert_eq!(told(QuietHours { from: 0, to: 0 }, "12:00:00"), at("12:00:10"));
    }

    #[test]
    fn what_nobody_acts_on_is_told_again_each_time_its_time_is_up() {
        let open = UnixMillis(0);
        let alert = |escalations| Alert {
            id: 1,
            kind: AlertKind::Stuck,
            text: String::new(),
            session: None,
            prompt: None,
            host: None,
            opened: open,
            closed: None,
            escalations,
        };
        let patient = NewSink { escalate_ms: Some(1_000), ..sink() };
        assert!(!escalates(&patient, &alert(0), UnixMillis(999)));
        assert!(escalates(&patient, &alert(0), UnixMillis(1_000)));
        assert!(!escalates(&patient, &alert(1), UnixMillis(1_999)));
        assert!(escalates(&patient, &alert(1), UnixMillis(2_000)));
        assert!(!escalates(&sink(), &alert(0), UnixMillis(i64::MAX)));
        assert!(!escalates(&patient, &Alert { closed: Some(open), ..alert(0) }, UnixMillis(5_000)));
    }

    #[test]
    fn a_sink_that_fails_is_tried_less_and_less_often() {
        assert_eq!(again(0, UnixMillis(0)), UnixMillis(5_000));
        assert_eq!(again(1, UnixMillis(0)), UnixMillis(10_000));
        assert_eq!(again(40, UnixMillis(0)), UnixMillis(PAUSE_MAX));
    }
}
