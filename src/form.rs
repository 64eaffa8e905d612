//! `application/x-www-form-urlencoded` bodies, decoded the way Twilio's signature needs them.
//!
//! Blank values stay, white space stays, order stays; a name may repeat. Bytes that are not UTF-8 are refused
//! rather than replaced, because a replaced character would only surface later as an unexplained wrong signature.

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// The fields of one form body, in the order received.
#[derive(Debug, Clone, Default)]
pub struct Form<'a> {
    fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the form body is not valid UTF-8 once decoded")]
pub struct FormError;

impl<'a> Form<'a> {
    /// Decodes a body: `+` is a space, `%XX` a byte, the bytes UTF-8.
    pub fn parse(body: &'a [u8]) -> Result<Self, FormError> {
        let pairs = body.split(|b| *b == b'&').filter(|pair| !pair.is_empty());
        let fields = pairs.map(|pair| {
            let (name, value) = match pair.iter().position(|b| *b == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &pair[pair.len()..]),
            };
            Ok((decode(name)?, decode(value)?))
        });
        Ok(Self { fields: fields.collect::<Result<_, _>>()? })
    }

    /// Name and value of each field, in the order received.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// The first value of a field; `None` when it is absent or empty, which Twilio does not tell apart.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields().find(|(n, _)| *n == name).map(|(_, value)| value).filter(|value| !value.is_empty())
    }
}

fn decode(raw: &[u8]) -> Result<Cow<'_, str>, FormError> {
    if !raw.iter().any(|b| matches!(b, b'+' | b'%')) {
        return std::str::from_utf8(raw).map(Cow::Borrowed).map_err(|_| FormError);
    }
    let spaced: Vec<u8> = raw.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let text = percent_decode(&spaced).decode_utf8().map_err(|_| FormError)?;
    Ok(Cow::Owned(text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_blank_values_white_space_and_order() {
        let form = Form::parse(b"b=+x%20&a=&c&b=2").unwrap();
        let fields: Vec<_> = form.fields().collect();
        assert_eq!(fields, [("b", " x "), ("a", ""), ("c", ""), ("b", "2")]);
        assert_eq!(form.value("b"), Some(" x "));
        assert_eq!(form.value("a"), None);
    }

    #[test]
    fn refuses_what_is_not_utf8() {
        assert_eq!(Form::parse(b"a=%ff").unwrap_err(), FormError);
        assert_eq!(Form::parse(b"\xff=a").unwrap_err(), FormError);
        assert!(Form::parse(b"a=%zz").is_ok(), "a stray per cent sign is kept as it is");
    }

    proptest::proptest! {
        #[test]
        fn reads_back_what_a_form_encoder_writes(pairs: Vec<(String, String)>) {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            let form = Form::parse(body.as_bytes()).unwrap();
            let read: Vec<_> = form.fields().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            let expected: Vec<_> = pairs.into_iter().filter(|(n, v)| !(n.is_empty() && v.is_empty())).collect();
            let read: Vec<_> = read.into_iter().filter(|(n, v)| !(n.is_empty() && v.is_empty())).collect();
            proptest::prop_assert_eq!(read, expected);
        }
    }
}
