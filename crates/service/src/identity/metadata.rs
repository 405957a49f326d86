//! What the metadata of a call says about who calls.
//!
//! Invariant: a header that is given twice is refused, not read in part: a proxy in front might have looked at the
//! other one. Nothing is verified here.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use milepost_types::Principal;

use super::refused::Refused;

/// The metadata key that names the principal that a caller acts for.
pub const ON_BEHALF_OF: &str = milepost_proto::ON_BEHALF_OF_METADATA;

/// Bytes of a token, at most.
const TOKEN_BYTES: usize = 16 << 10;

/// The token of the header `authorization`.
///
/// # Errors
/// If it is given twice, or is not of the form `Bearer TOKEN`.
pub(super) fn bearer(metadata: &HeaderMap) -> Result<Option<&str>, Refused> {
    let Some(value) = single(metadata, AUTHORIZATION.as_str())? else { return Ok(None) };
    let (scheme, token) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Refused::NotBearer)?;
    // The characters of a token: RFC 6750, 2.1.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || !token.bytes().all(allowed) {
        return Err(Refused::NotBearer);
    }
    if token.len() > TOKEN_BYTES {
        return Err(Refused::malformed("it is longer than 16 KiB"));
    }
    Ok(Some(token))
}

/// The principal that the caller says to act for.
///
/// # Errors
/// If it is given twice, or is no principal.
pub fn on_behalf_of(metadata: &HeaderMap) -> Result<Option<Principal>, Refused> {
    let Some(value) = single(metadata, ON_BEHALF_OF)? else { return Ok(None) };
    // What is not visible ASCII is no principal, and neither is the empty text.
    value.to_str().unwrap_or_default().parse().map(Some).map_err(Refused::OnBehalfOf)
}

/// The value of a header, if it is given.
///
/// # Errors
/// If it is given twice.
pub(crate) fn single<'a>(
    metadata: &'a HeaderMap,
    header: &'static str,
) -> Result<Option<&'a HeaderValue>, Refused> {
    let mut values = metadata.get_all(header).iter();
    match (values.next(), values.count()) {
        (value, 0) => Ok(value),
        (_, more) => Err(Refused::RepeatedHeader { header, count: more + 1 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn a_bearer_token_is_taken_and_every_other_form_is_refused() {
        assert_eq!(bearer(&headers(&[])), Ok(None));
        for value in ["Bearer a.b-c_d~+/=", "bearer a.b-c_d~+/=", "BEARER a.b-c_d~+/="] {
            assert_eq!(bearer(&headers(&[("authorization", value)])), Ok(Some("a.b-c_d~+/=")), "{value}");
        }
        for value in
            ["", "Bearer", "Bearer ", "Bearer  x", "Bearer x y", "Basic eDp5", "x", "Bearer 甲", "Bearer x,y"]
        {
            assert_eq!(bearer(&headers(&[("authorization", value)])), Err(Refused::NotBearer), "{value}");
        }
        let long = format!("Bearer {}", "a".repeat(TOKEN_BYTES + 1));
        assert!(matches!(bearer(&headers(&[("authorization", &long)])), Err(Refused::Malformed(_))));
    }

    #[test]
    fn a_repeated_header_is_refused_even_with_the_same_value() {
        for header in ["authorization", ON_BEHALF_OF] {
            let twice = headers(&[(header, "Bearer a"), (header, "Bearer a")]);
            let refused = Err(Refused::RepeatedHeader { header, count: 2 });
            match header {
                ON_BEHALF_OF => assert_eq!(on_behalf_of(&twice).map(|_| ()), refused),
                _ => assert_eq!(bearer(&twice).map(|_| ()), refused),
            }
        }
    }

    #[test]
    fn whom_a_caller_acts_for_is_a_principal() {
        assert_eq!(on_behalf_of(&headers(&[])), Ok(None));
        let given = headers(&[(ON_BEHALF_OF, "user:corp/00u1")]);
        assert_eq!(on_behalf_of(&given), Ok(Some("user:corp/00u1".parse().unwrap())));
        for value in ["", "user:corp", "a b", "甲"] {
            let refused = on_behalf_of(&headers(&[(ON_BEHALF_OF, value)]));
            assert!(matches!(refused, Err(Refused::OnBehalfOf(_))), "{value}");
        }
    }
}
