//! Lengths of time and moments, as people write them. Pure, but for [`instant`], which asks the clock what time it is.

/// Milliseconds of `90s`, `30m`, `1h 30m`, `7d`.
pub fn duration(text: &str) -> Result<u64, String> {
    let wrong = |_| "write it like 90s, 30m, 1h30m or 7d".to_owned();
    let span: jiff::Span = text.parse().map_err(wrong)?;
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    let length = span.to_duration(days).map_err(wrong)?;
    u64::try_from(length.as_millis()).map_err(|_| "it must not be negative".to_owned())
}

/// Milliseconds since the epoch of `2026-05-01T09:00` or, for the next such time, `18:30`, where this machine is.
pub fn instant(text: &str) -> Result<i64, String> {
    instant_after(text, &jiff::Zoned::now())
}

/// The same, seen from another moment.
pub fn instant_after(text: &str, now: &jiff::Zoned) -> Result<i64, String> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(at.as_millisecond());
    }
    // Before the time of day: that could be read out of a date with a time, too.
    if let Ok(at) = text.parse::<jiff::civil::DateTime>() {
        let zoned = at.to_zoned(now.time_zone().clone()).map_err(|e| e.to_string())?;
        return Ok(zoned.timestamp().as_millisecond());
    }
    let time: jiff::civil::Time =
        text.parse().map_err(|_| "write it like 18:30 or 2026-05-01T09:00".to_owned())?;
    let today = now.date().to_datetime(time).to_zoned(now.time_zone().clone());
    let today = today.map_err(|e| e.to_string())?;
    let next = if today > *now { Ok(today) } else { today.tomorrow() };
    next.map(|at| at.timestamp().as_millisecond()).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_written_as_people_write_them() {
        for (text, ms) in [("90s", 90_000), ("1h30m", 5_400_000), ("1h 30m", 5_400_000), ("7d", 604_800_000)]
        {
            assert_eq!(duration(text), Ok(ms), "{text}");
        }
        for text in ["soon", "-5m", "", "5"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_of_day_is_the_next_one() {
        let now = jiff::Timestamp::now().as_millisecond();
        let day = 25 * 60 * 60 * 1000;
        for text in ["00:00", "12:30", "23:59"] {
            let at = instant(text).unwrap();
            assert!(at > now && at - now <= day, "{text}");
        }
        assert_eq!(instant("1970-01-01T00:00:05Z"), Ok(5_000));
        assert!(instant("noon").is_err());
    }

    #[test]
    fn a_time_of_a_day_is_that_day() {
        for (text, day) in [("1980-05-01T09:00", 3_773), ("2100-01-01T23:59", 47_482)] {
            let off = instant(text).unwrap() - day * 86_400_000;
            assert!((-86_400_000..2 * 86_400_000).contains(&off), "{text}, in whatever zone: {off}");
        }
    }
}
