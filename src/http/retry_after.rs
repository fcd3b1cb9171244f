//! `Retry-After` (RFC 9110 10.2.3): how long the server asks us to wait, within reason.
//!
//! A date counts from the answer's own `Date`, since the clock here may be wrong.

use crate::clock::UnixTime;
use std::time::{Duration, UNIX_EPOCH};

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest of the values that say something; `None` when none of them does.
pub(super) fn parse<'a>(
    values: impl Iterator<Item = &'a str>,
    date: Option<UnixTime>,
) -> Option<Duration> {
    values.filter_map(|value| parse_one(value.trim(), date)).max()
}

/// Reads a date in one of HTTP's three forms (RFC 9110 5.6.7).
pub(super) fn parse_http_date(text: &str) -> Option<UnixTime> {
    let time = httpdate::parse_http_date(text.trim()).ok()?;
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

fn parse_one(text: &str, date: Option<UnixTime>) -> Option<Duration> {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    if is_number {
        let seconds: f64 = text.parse().ok()?;
        let clamped = seconds.clamp(SHORTEST.as_secs_f64(), LONGEST.as_secs_f64());
        return Some(Duration::from_secs_f64(clamped));
    }
    let wait = parse_http_date(text)?.saturating_sub(date?);
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)).clamp(SHORTEST, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_clamped_and_counted_from_the_answers_date() {
        let date = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
        let day = 86_400;
        for (values, date, expected) in [
            (&["0"][..], date, Some(1)),
            (&["5"], date, Some(5)),
            (&[" 5 "], date, Some(5)),
            (&["-1"], date, Some(1)),
            (&["1e12"], date, Some(day)),
            (&["1000000000000"], date, Some(day)),
            (&["99999999999999999999999999999999999"], date, Some(day)),
            (&["1e400"], date, Some(day)),
            (&["Sun, 06 Nov 1994 08:50:37 GMT"], date, Some(60)),
            (&["Sun, 06 Nov 1994 08:40:00 GMT"], date, Some(1)),
            (&["Sat, 06 Nov 2094 08:50:37 GMT"], date, Some(day)),
            (&["Sun, 06 Nov 1994 08:50:37 GMT"], None, None),
            (&["soon"], date, None),
            (&["nan"], date, None),
            (&["inf"], date, None),
            (&["5-5"], date, None),
            (&[""], date, None),
            (&["5", "60"], date, Some(60)),
            (&["garbage", "7"], date, Some(7)),
            (&[], date, None),
        ] {
            let wait = parse(values.iter().copied(), date);
            assert_eq!(wait, expected.map(Duration::from_secs), "{values:?}");
        }
    }
}
