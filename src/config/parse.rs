//! Parsers of values that more than one section reads.

use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Url;

/// The shortest interval between reads, and the shortest time limit of a request.
pub(super) const INTERVAL: Duration = Duration::from_millis(100);
/// The shortest time between reads that events cause.
pub(super) const STEP: Duration = Duration::from_millis(10);
const MOST_ORIGINS: usize = 50;
/// Most prefixes in a list: as many as there are countries, some of them twice.
const MOST_PREFIXES: usize = 300;

/// A duration with its unit, such as `250ms`, `5s` or `2m`; a bare number is refused, because its unit would be a guess.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let duration: SignedDuration = text.parse().ok()?;
    // A day: beyond that an interval is a mistake, and arithmetic on instants stays far from its limits.
    let longest = SignedDuration::from_hours(24);
    (duration <= longest).then(|| duration.try_into().ok()).flatten()
}

/// A duration that is at least this long: shorter ones would send Twilio more requests than it answers.
pub(super) fn duration_from(least: Duration, text: &str) -> Option<Duration> {
    duration(text).filter(|duration| *duration >= least)
}

/// An http(s) URL with neither query, fragment nor credentials, without its trailing slash.
pub(super) fn base_url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && has_plain_host(&url)
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    plain.then(|| text.trim_end_matches('/').to_owned())
}

/// Whether the host is an address or a name of DNS: URL parsers also take `*`, `;` and the like, which no host has and
/// which mean something else in headers.
fn has_plain_host(url: &Url) -> bool {
    match url.host_str() {
        Some(host) if host.starts_with('[') => true,
        Some(host) => host.strip_suffix('.').unwrap_or(host).split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        }),
        None => false,
    }
}

/// An http(s) URL without fragment or credentials.
pub(super) fn http_url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let plain =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    (plain && has_plain_host(&url) && url.fragment().is_none()).then(|| text.to_owned())
}

/// A site's origin, as browsers write it in `Origin`.
pub(super) fn origin(text: &str) -> Option<String> {
    let url = Url::parse(&base_url(text)?).ok()?;
    (url.path() == "/").then(|| url.origin().ascii_serialization())
}

/// A comma-separated list of different origins.
pub(super) fn origins(text: &str) -> Option<Vec<String>> {
    let origins = list(text).into_iter().map(origin).collect::<Option<Vec<_>>>()?;
    (origins.len() <= MOST_ORIGINS && all_different(&origins)).then_some(origins)
}

/// A comma-separated list of different beginnings of telephone numbers.
pub(super) fn prefixes(text: &str) -> Option<Vec<String>> {
    let prefixes: Vec<String> = list(text).into_iter().map(str::to_owned).collect();
    let fits = |prefix: &String| {
        let digits = prefix.strip_prefix('+');
        digits.is_some_and(|d| d.len() <= 14 && !d.starts_with('0') && d.bytes().all(|b| b.is_ascii_digit()))
    };
    (prefixes.len() <= MOST_PREFIXES && prefixes.iter().all(fits) && all_different(&prefixes))
        .then_some(prefixes)
}

/// A telephone number as E.164 writes it: a plus sign and at most 15 digits, the first of them no zero.
pub fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
}

/// A comma-separated list of at most `most` different telephone numbers.
pub(super) fn numbers(text: &str, most: usize) -> Option<Vec<String>> {
    let numbers: Vec<String> = list(text).into_iter().map(str::to_owned).collect();
    (numbers.len() <= most && numbers.iter().all(|number| is_e164(number)) && all_different(&numbers))
        .then_some(numbers)
}

/// The parts of a comma-separated list, trimmed.
pub(super) fn list(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).collect()
}

/// Whether no two of the values are alike.
pub(super) fn all_different<T: Ord + Clone>(values: &[T]) -> bool {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("5s"), Some(Duration::from_secs(5)));
        assert_eq!(duration("2m"), Some(Duration::from_secs(120)));
        assert_eq!(duration("0s"), Some(Duration::ZERO));
        for bad in ["5", "-5s", "soon", "9999h", ""] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn origins_are_as_browsers_write_them() {
        assert_eq!(origin("https://Flex.Twilio.com/").as_deref(), Some("https://flex.twilio.com"));
        assert_eq!(origin("http://localhost:8080").as_deref(), Some("http://localhost:8080"));
        assert_eq!(origin("https://a.example:443").as_deref(), Some("https://a.example"));
        for bad in [
            "null",
            "a.example",
            "https://a.example/x",
            "*",
            "",
            "https://*.a.example",
            "https://a;b",
            "https://a'b",
        ] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }

    #[test]
    fn base_urls_are_plain() {
        assert_eq!(base_url("https://a.example/p/").as_deref(), Some("https://a.example/p"));
        for bad in [
            "a.example",
            "ftp://a",
            "https://u:p@a",
            "https://a?x",
            "https://a#x",
            "https://",
            "https://a..b",
        ] {
            assert_eq!(base_url(bad), None, "{bad}");
        }
    }
}
