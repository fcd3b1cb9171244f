//! What cookies make of a date: RFC 6265bis 5.1.1, which reads almost anything. Never asks what
//! time it is here.

use crate::clock::UnixTime;
use time::{Date, Month, Time};

/// Reads a cookie's `Expires` with the algorithm of RFC 6265bis 5.1.1.
pub(super) fn parse_cookie_date(text: &str) -> Option<UnixTime> {
    let (mut clock, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        let _is_of_use = take(&mut clock, || parse_clock(token))
            || take(&mut day, || leading_number(token, 1, 2))
            || take(&mut month, || parse_month(token))
            || take(&mut year, || leading_number(token, 2, 4));
    }
    let ((hour, minute, second), day, month) = (clock?, day?, month?);
    let year: u16 = match year? {
        short @ 70..=99 => short + 1900,
        short @ 0..=69 => short + 2000,
        full => full,
    };
    if year < 1601 {
        return None;
    }
    let date = Date::from_calendar_date(i32::from(year), month, day).ok()?;
    let time = Time::from_hms(hour, minute, second).ok()?;
    Some(date.with_time(time).assume_utc().unix_timestamp())
}

/// True when `slot` was empty and is filled now.
fn take<T>(slot: &mut Option<T>, read: impl FnOnce() -> Option<T>) -> bool {
    let is_open = slot.is_none();
    if is_open {
        *slot = read();
    }
    is_open && slot.is_some()
}

fn is_delimiter(c: char) -> bool {
    matches!(c, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~')
}

/// The number that a token begins with, if it has `least` to `most` digits.
fn leading_number<T: std::str::FromStr>(token: &str, least: usize, most: usize) -> Option<T> {
    let digits = token.bytes().take_while(u8::is_ascii_digit).count();
    if (least..=most).contains(&digits) { token[..digits].parse().ok() } else { None }
}

fn parse_clock(token: &str) -> Option<(u8, u8, u8)> {
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

fn parse_month(token: &str) -> Option<Month> {
    const NAMES: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start = token.get(..3)?.to_ascii_lowercase();
    let (_, number) = NAMES.iter().zip(1_u8..).find(|(name, _)| **name == start)?;
    Month::try_from(number).ok()
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
}
