//! Dates in headers: HTTP's three forms (RFC 9110 5.6.7), and what cookies make of them
//! (RFC 6265bis 5.1.1, which reads almost anything). Never asks what time it is here.

use crate::clock::UnixTime;
use std::time::{Duration, UNIX_EPOCH};

/// Reads a `Date` or `Retry-After` date.
pub(super) fn parse_http_date(text: &str) -> Option<UnixTime> {
    let time = httpdate::parse_http_date(text.trim()).ok()?;
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// Writes a date as headers have it. What lies outside 1970 to 9998 is moved to the nearest end.
pub(super) fn format_http_date(time: UnixTime) -> String {
    const LAST: u64 = 253_370_764_799; // 9998-12-31 23:59:59
    let seconds = u64::try_from(time).unwrap_or(0).min(LAST);
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Reads a cookie's `Expires` with the algorithm of RFC 6265bis 5.1.1.
pub(super) fn parse_cookie_date(text: &str) -> Option<UnixTime> {
    let (mut clock, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        if clock.is_none() {
            clock = parse_clock(token);
            if clock.is_some() {
                continue;
            }
        }
        if day.is_none() {
            day = leading_number(token, 1, 2);
            if day.is_some() {
                continue;
            }
        }
        if month.is_none() {
            month = parse_month(token);
            if month.is_some() {
                continue;
            }
        }
        if year.is_none() {
            year = leading_number(token, 2, 4);
        }
    }
    let ((hour, minute, second), day, month) = (clock?, day?, month?);
    let year = match year? {
        short @ 70..=99 => short + 1900,
        short @ 0..=69 => short + 2000,
        full => full,
    };
    let is_valid = (1..=days_in_month(year, month)).contains(&day)
        && year >= 1601
        && hour <= 23
        && minute <= 59
        && second <= 59;
    is_valid
        .then(|| days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn is_delimiter(c: char) -> bool {
    matches!(c, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~')
}

/// The number that a token begins with, if it has `least` to `most` digits.
fn leading_number(token: &str, least: usize, most: usize) -> Option<i64> {
    let digits = token.bytes().take_while(u8::is_ascii_digit).count();
    if (least..=most).contains(&digits) { token[..digits].parse().ok() } else { None }
}

fn parse_clock(token: &str) -> Option<(i64, i64, i64)> {
    let mut parts = token.splitn(3, ':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !whole(hour) || !whole(minute) {
        return None;
    }
    Some((
        leading_number(hour, 1, 2)?,
        leading_number(minute, 1, 2)?,
        leading_number(second, 1, 2)?,
    ))
}

fn parse_month(token: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start = token.get(..3)?.to_ascii_lowercase();
    MONTHS.iter().zip(1..).find(|(name, _)| **name == start).map(|(_, number)| number)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar; the year is taken to begin in March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookie_dates_are_read_as_browsers_do() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Thu, 01-Jan-1970 00:00:01 GMT", Some(1)),
            ("Thu Jan  1 00:00:10 1970", Some(10)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
            ("1994 nov 6 8:49:37", Some(784_111_777)),
            ("Tue, 29 Feb 2028 12:00:00 GMT", Some(1_835_438_400)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799)),
            ("Mon, 01 Jan 1601 00:00:00 GMT", Some(-11_644_473_600)),
            ("Mon, 01 Jan 1600 00:00:00 GMT", None),
            ("Tue, 29 Feb 2027 12:00:00 GMT", None),
            ("Thu, 01 Jan 1970 24:00:00 GMT", None),
            ("Thu, 00 Jan 1970 00:00:00 GMT", None),
            ("0", None),
            ("", None),
            ("tomorrow", None),
            ("J\u{e4}n 01 1970 00:00:00", None),
        ] {
            assert_eq!(parse_cookie_date(text), expected, "{text}");
        }
    }

    #[test]
    fn http_dates_go_there_and_back() {
        for time in [0, 784_111_777, 1_793_491_200, 253_370_764_799] {
            assert_eq!(parse_http_date(&format_http_date(time)), Some(time));
            assert_eq!(parse_cookie_date(&format_http_date(time)), Some(time));
        }
        assert_eq!(format_http_date(i64::MIN), format_http_date(0));
        assert_eq!(parse_http_date("yesterday"), None);
    }
}
