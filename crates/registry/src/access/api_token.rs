//! API tokens: by which a program says that it is a service account.
//!
//! Invariants: only the SHA-256 of a token is kept, in its event and in its row while it is not revoked; no read shows
//! it. A token ends by itself, and one that was revoked does not come back. The token itself is in no resource, and
//! nothing here prints one.

use jiff::{SignedDuration, Timestamp};
use milepost_proto::access::v1::ApiToken;
use milepost_proto::resource::TopLevel;
use milepost_resource::{Checked, EventKind, Name, PutBesides, Rules, Show, decode, instant};
use milepost_service::access::table;
use milepost_types::Rejection;

use super::{check_expire_time, check_service_account};
use crate::tables::{Registry, Rows, Scope};

/// How far ahead a token may end.
const LONGEST_DAYS: i64 = 400;

impl Rules<Registry> for ApiToken {
    type Above = TopLevel;

    const TABLE: u8 = 8;
    const TABLE_NAME: &'static str = "registry.api_tokens";
    const ID_PREFIX: char = 't';
    const PUT_BESIDES: Option<PutBesides> = Some(|rows, _, row| {
        table::put_token(rows, &decode::<Self>(row)?);
        Ok(())
    });

    const SHOW: Option<Show<Registry, Self>> = Some(show);

    fn admit(scope: &Scope<'_>, _: Option<&Checked<Self>>, token: &Checked<Self>) -> Result<(), Rejection> {
        let expire_time = instant(token.expire_time.as_ref());
        check_expire_time(scope, "api_token.expire_time", expire_time)?;
        let latest = scope.context.now.saturating_add(SignedDuration::from_hours(24 * LONGEST_DAYS));
        let latest = latest.unwrap_or(Timestamp::MAX);
        if let Some(time) = expire_time.filter(|time| *time > latest) {
            let description =
                format!("{time} is more than {LONGEST_DAYS} days ahead; give {latest} at the latest");
            return Err(Rejection::invalid("api_token.expire_time", "OUT_OF_RANGE", description));
        }
        match token.service_account.parse() {
            Ok(name) => check_service_account(scope, "api_token.service_account", &name),
            Err(error) => Err(Rejection::fault("api_token.service_account", error)),
        }
    }

    /// A revoked token is never compared again, so its hash is dropped.
    fn complete(
        _: &Scope<'_>,
        kind: &EventKind,
        _: &Name<Self>,
        _: Option<&Checked<Self>>,
        token: &mut Self,
    ) -> Result<(), Rejection> {
        if *kind == EventKind::Deleted {
            token.secret_sha256.clear();
        }
        Ok(())
    }
}

/// Clears the hash of the secret, which no read shows.
fn show(_: &Rows<'_>, _: Timestamp, _: &Name<ApiToken>, token: &mut ApiToken) -> Result<bool, Rejection> {
    let is_kept = !token.secret_sha256.is_empty();
    token.secret_sha256.clear();
    Ok(is_kept)
}
