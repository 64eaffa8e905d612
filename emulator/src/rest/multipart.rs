//! Bodies of `multipart/form-data` (RFC 7578) with text fields, which twilio-node 3 sends.

use crate::params::Params;

/// The boundary that a content type names, if it is multipart.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let is_boundary = |parameter: &&str| parameter.trim().to_ascii_lowercase().starts_with("boundary=");
    let parameter = parameters.split(';').find(is_boundary)?;
    let (_, value) = parameter.split_once('=')?;
    Some(value.trim().trim_matches('"')).filter(|value| !value.is_empty())
}

/// The fields in their order; `None` for a body that breaks the rules, or that carries a file.
pub(super) fn parse(body: &[u8], boundary: &str) -> Option<Params> {
    let text = std::str::from_utf8(body).ok()?;
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter may stand at the very beginning.
    let text = format!("\r\n{text}");
    let (_preamble, parts) = text.split_once(&delimiter)?;
    let mut pairs = Vec::new();
    let mut parts = parts.split(&delimiter);
    loop {
        let part = parts.next()?;
        if part.starts_with("--") {
            return Some(Params::from_pairs(pairs));
        }
        let (headers, value) =
            part.trim_start_matches([' ', '\t']).strip_prefix("\r\n")?.split_once("\r\n\r\n")?;
        pairs.push((name(headers)?, value.to_owned()));
    }
}

/// The field's name from `Content-Disposition: form-data; name="UniqueName"`.
fn name(headers: &str) -> Option<String> {
    let disposition = headers.lines().find_map(|line| {
        let (header, value) = line.split_once(':')?;
        header.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let parameter = |wanted: &str| {
        let parameters = disposition.split(';').filter_map(|parameter| parameter.split_once('='));
        parameters.into_iter().find(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim())
    };
    if parameter("filename").is_some() {
        return None;
    }
    parameter("name").map(|name| name.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields_as_the_older_library_sends_them() {
        let kind = "multipart/form-data; boundary=--------------------------7";
        let body = "----------------------------7\r\nContent-Disposition: form-data; name=\"UniqueName\"\r\n\r\nboard\r\n\
                    ----------------------------7\r\nContent-Disposition: form-data; name=\"Data\"\r\n\r\n{\"n\":\r\n 1}\r\n\
                    ----------------------------7--\r\n";
        let params = parse(body.as_bytes(), boundary(kind).unwrap()).unwrap();
        assert_eq!((params.one("UniqueName"), params.one("Data")), (Some("board"), Some("{\"n\":\r\n 1}")));
        assert!(
            parse(&body.as_bytes()[..body.len() - 5], "--------------------------7").is_none(),
            "cut short"
        );
        assert!(parse(b"--x--\r\n", "x").is_some_and(|params| params.pairs().is_empty()));
        assert!(boundary("application/x-www-form-urlencoded").is_none());
    }
}
