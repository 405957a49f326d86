//! What credentials other than JWTs prove, and what is refused whatever the credential.
//!
//! Not tested here: single parts, which have tests of their own.

use super::super::super::ON_BEHALF_OF;
use super::*;

#[tokio::test]
async fn a_claimed_principal_is_refused_even_beside_a_credential() {
    let running = Running::start(&Access::default());
    let none = running.authenticator.authenticate(&HeaderMap::new(), None, now());
    assert_eq!(none, Ok(None), "no credential is for the caller to judge");
    for mut metadata in [HeaderMap::new(), bearer(api_token().expose())] {
        metadata.insert(milepost_proto::PRINCIPAL_METADATA, HeaderValue::from_static("serviceaccount:sync"));
        let refused = running.authenticator.authenticate(&metadata, None, now()).unwrap_err();
        assert_eq!((&refused, refused.outcome()), (&Refused::Claimed, Outcome::MetadataNotAllowed));
    }
}

#[tokio::test]
async fn a_certificate_proves_its_one_uri_and_no_other_number_of_them() {
    let running = Running::start(&Access { certificates: true, ..Access::default() });
    let authenticate = |uris: &[&str], now| {
        running.authenticator.authenticate(&HeaderMap::new(), Some(&certificate(uris)), now)
    };
    let uri = "spiffe://office/sync";
    let identity = authenticate(&[uri], now()).unwrap().unwrap();
    assert_eq!(identity.principal.as_str(), "cert:spiffe://office/sync");
    assert_eq!(identity.credential.to_string(), format!("cert:{}", "ab".repeat(32)));
    assert_eq!(identity.expires, now() + seconds(60));
    for (uris, count) in [(&[][..], 0), (&[uri, uri][..], 2), (&[uri, "spiffe://office/other"][..], 2)] {
        assert_eq!(authenticate(uris, now()), Err(Refused::CertificateUris(count)), "{uris:?}");
    }
    assert!(matches!(authenticate(&["office"], now()), Err(Refused::NotPrincipal(_))));
    assert!(matches!(authenticate(&[uri], now() + seconds(60)), Err(Refused::Expired { .. })));
}

#[tokio::test]
async fn two_credentials_that_name_two_principals_are_refused() {
    let access = Access { certificates: true, ..Access::default() };
    let running = Running::start(&access);
    let peer = certificate(&["spiffe://office/sync"]);
    let metadata = bearer(api_token().expose());
    let both = running.authenticator.authenticate(&metadata, Some(&peer), now()).unwrap_err();
    assert!(matches!(both, Refused::TwoPrincipals { .. }), "{both:?}");
    assert_eq!(both.outcome(), Outcome::Ambiguous);
    let mut twice = bearer(api_token().expose());
    twice.append("authorization", twice["authorization"].clone());
    let twice = running.authenticator.authenticate(&twice, None, now()).unwrap_err();
    assert!(matches!(twice, Refused::RepeatedHeader { count: 2, .. }), "{twice:?}");

    // A certificate that only protects the connection names nothing.
    let running = Running::start(&Access::default());
    let identity = running.authenticator.authenticate(&metadata, Some(&peer), now()).unwrap().unwrap();
    assert_eq!(identity.principal.as_str(), "serviceaccount:sync");
    assert_eq!(running.authenticator.authenticate(&HeaderMap::new(), Some(&peer), now()), Ok(None));
}

#[tokio::test]
async fn an_api_token_proves_its_service_account_and_says_for_whom_it_acts() {
    let running = Running::start(&Access { certificates: true, ..Access::default() });
    let mut metadata = bearer(api_token().expose());
    metadata.insert(ON_BEHALF_OF, HeaderValue::from_static("user:corp/00u1"));
    let identity = running.authenticator.authenticate(&metadata, None, now()).unwrap().unwrap();
    assert_eq!(identity.principal.as_str(), "serviceaccount:sync");
    assert_eq!(identity.credential.to_string(), "token:ci");
    assert_eq!(identity.on_behalf_of, Some("user:corp/00u1".parse().unwrap()));
    let typo = api_token().expose().replace("_Bw", "_Cw");
    assert!(matches!(running.authenticate(&typo), Err(Refused::TokenForm(_))));
    metadata.insert(ON_BEHALF_OF, HeaderValue::from_static("user:corp"));
    let refused = running.authenticator.authenticate(&metadata, None, now());
    assert!(matches!(refused, Err(Refused::OnBehalfOf(_))), "{refused:?}");
}
