//! The URLs that keys are fetched from.
//!
//! Invariant: a URL is https, or http to this machine itself: keys that come over an open network unprotected could
//! be anyone's. Does not resolve names.

use std::net::IpAddr;

use http::Uri;

/// The URL, if keys may be fetched from it.
///
/// # Errors
/// What is wrong with it, as a sentence fragment for a person.
pub fn checked(text: &str) -> Result<Uri, String> {
    let refused = |why: &str| Err(format!("{text:?} {why}"));
    // A fragment is dropped silently by the parser.
    let uri = match text.parse::<Uri>() {
        Ok(uri) if !text.contains('#') => uri,
        _ => return refused("is not a URL such as \"https://login.example.org/\""),
    };
    let Some(host) = uri.host().filter(|host| !host.is_empty()) else {
        return refused("is not a URL such as \"https://login.example.org/\"");
    };
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return refused("has a user name; leave it out");
    }
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_loopback(host) => Ok(uri),
        Some("http") => refused("is http; only https is safe off this machine"),
        _ => refused("is neither https nor http"),
    }
}

/// The host without the brackets of an IPv6 address.
pub(super) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn is_loopback(host: &str) -> bool {
    match bare(host).parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_http_to_this_machine_are_taken_and_nothing_else() {
        for text in [
            "https://login.example.org",
            "https://login.example.org:8443/realms/office?x=1",
            "https://[2001:db8::1]/keys",
            "http://127.0.0.1:8080/keys",
            "http://127.8.0.1/",
            "http://[::1]:8080",
            "http://LocalHost/keys",
        ] {
            assert!(checked(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "login.example.org",
            "/keys",
            "https://",
            "https:///keys",
            "http://login.example.org/",
            "http://10.0.0.1/",
            "http://localhost.example.org/",
            "http://127.0.0.1.example.org/",
            "http://[::ffff:127.0.0.1]/",
            "https://user@login.example.org/",
            "http://localhost@login.example.org/",
            "https://login.example.org/#x",
            "ftp://login.example.org/",
            "file:///etc/keys",
        ] {
            assert!(checked(text).is_err(), "{text}");
        }
    }
}
