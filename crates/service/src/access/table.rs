//! The rows that decisions about access are made on: the same tables in the store of every service.
//!
//! The registry puts them as it accepts grants; the others as they follow it. Invariant: they follow from grants,
//! service accounts and tokens alone, as events carry them, whatever the event.
//!
//! | table | tag | key after the tag | value |
//! |---|---|---|---|
//! | grants in force or expired | 240 | principal 0 name of the grant | sequence role (u8) expire second (i64; the last one: never) |
//! | an administrator was granted | 241 | | |
//! | tokens that are not revoked | 242 | id | sequence SHA-256 (32) expire second (i64) service account |
//! | service accounts | 243 | id | sequence of the first entry of it, and [`DELETED`] if it is deleted |
//! | the last change of access | 244 | | sequence, resets (u64) unless that is 0 |
//! | grants of break glass, in force or expired | 245 | name of the grant | sequence expire second (i64) |
//!
//! A sequence (u64) is that of the registry's entry that says so.

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::key::Key;
use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_proto::access::v1::{ApiToken, Grant, ServiceAccount};
use milepost_proto::resource::Resource;
use milepost_types::{Place, ResourceId, Role};
use prost::{DecodeError, Message};

use crate::identity::TokenRecord;

const GRANTS: u8 = 240;
const ADMINISTRATOR: u8 = 241;
const TOKENS: u8 = 242;
const SERVICE_ACCOUNTS: u8 = 243;
const CHANGED: u8 = 244;
const BREAK_GLASS: u8 = 245;

/// After the sequence of a service account that is deleted.
const DELETED: u8 = 1;

/// Bytes of a sequence.
const SEQUENCE: usize = 8;

/// A grant that was not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    /// The grant's name, which says where it holds.
    pub name: String,
    /// Which role.
    pub role: Role,
    /// The second in which it ends.
    expires: i64,
}

impl GrantRow {
    /// Where it holds.
    pub fn place(&self) -> Place<'_> {
        Place::of(&self.name)
    }

    /// Whether it is in force.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        now.as_second() < self.expires
    }

    /// When it ends by itself, if it does.
    pub fn expire_time(&self) -> Option<Timestamp> {
        Some(self.expires).filter(|at| *at != i64::MAX).and_then(|at| Timestamp::from_second(at).ok())
    }
}

/// The grants of a principal.
pub fn grants<'a>(rows: &'a dyn Read, principal: &str) -> impl Iterator<Item = GrantRow> + use<'a> {
    let prefix = Key::of(GRANTS).text(principal).done();
    let start = prefix.len();
    rows.scan(&KeyRange::prefix(&prefix), Direction::Forward).filter_map(move |(key, value)| {
        let name = std::str::from_utf8(&key[start..]).ok()?.to_owned();
        let (role, expires) = value.get(SEQUENCE..)?.split_first()?;
        let role = Role::from_number((*role).into())?;
        Some(GrantRow { name, role, expires: i64::from_be_bytes(expires.try_into().ok()?) })
    })
}

/// Whether an administrator was ever granted.
pub fn had_administrator(rows: &dyn Read) -> bool {
    rows.get(&[ADMINISTRATOR]).is_some()
}

/// Which change of any of this was the last. Rows of one service with the same one say the same of access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changed {
    /// The sequence of the entry that made it.
    pub sequence: u64,
    /// How often the registry was restored to before what these rows had: entries may have the same sequences then.
    pub resets: u64,
}

/// The last change of any of this.
pub fn changed(rows: &dyn Read) -> Changed {
    let value = rows.get(&[CHANGED]).unwrap_or_default();
    let number =
        |at: usize| value.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
    Changed { sequence: number(0).unwrap_or(0), resets: number(SEQUENCE).unwrap_or(0) }
}

fn set_changed(rows: &mut dyn Write, Changed { sequence, resets }: Changed) {
    let resets = (resets > 0).then(|| resets.to_be_bytes());
    let value = [&sequence.to_be_bytes()[..], resets.as_ref().map_or(&[], |resets| &resets[..])].concat();
    rows.put(vec![CHANGED], value.into());
}

/// How many grants of break glass are in force.
pub fn break_glass(rows: &dyn Read, now: Timestamp) -> usize {
    let all = rows.scan(&KeyRange::prefix(&[BREAK_GLASS]), Direction::Forward);
    let ends = all.filter_map(|(_, value)| {
        let expires = i64::from_be_bytes(value.get(SEQUENCE..)?.try_into().ok()?);
        Timestamp::from_second(expires).ok()
    });
    ends.filter(|ends| *ends > now).count()
}

/// The token with this id, if it was not revoked, and its service account is not deleted.
pub fn token(rows: &dyn Read, id: &str) -> Option<TokenRecord> {
    let value = rows.get(&Key::of(TOKENS).beginning(id).done())?;
    let (hash, rest) = value.get(SEQUENCE..)?.split_first_chunk::<32>()?;
    let (expires, account) = rest.split_first_chunk::<8>()?;
    let service_account: ResourceId = std::str::from_utf8(account).ok()?.parse().ok()?;
    let account = rows.get(&Key::of(SERVICE_ACCOUNTS).beginning(service_account.as_str()).done())?;
    if account.get(SEQUENCE) == Some(&DELETED) {
        return None;
    }
    let expire_time = Timestamp::from_second(i64::from_be_bytes(*expires)).ok()?;
    Some(TokenRecord { hash: *hash, service_account, expire_time })
}

/// Puts what an event of the registry says of access: the field of it that holds a grant, a service account or a token,
/// if it is of one.
///
/// # Errors
/// If it cannot be decoded.
pub fn put_field(rows: &mut dyn Write, field: u32, resource: &[u8]) -> Result<(), DecodeError> {
    match field {
        Grant::EVENT_FIELD => put_grant(rows, &Grant::decode(resource)?),
        ServiceAccount::EVENT_FIELD => put_service_account(rows, &ServiceAccount::decode(resource)?),
        ApiToken::EVENT_FIELD => put_token(rows, &ApiToken::decode(resource)?),
        _ => {}
    }
    Ok(())
}

/// Which events are of access: the field that holds what [`put_field`] puts, and how their types begin.
const OF_ACCESS: [(u32, &str); 3] = [
    (Grant::EVENT_FIELD, "milepost.grant."),
    (ServiceAccount::EVENT_FIELD, "milepost.service_account."),
    (ApiToken::EVENT_FIELD, "milepost.api_token."),
];

/// Whether a field of an event holds something that [`put_field`] puts.
pub fn is_of_access(field: u32) -> bool {
    OF_ACCESS.iter().any(|(own, _)| *own == field)
}

/// Whether events of this type are of access.
pub fn is_event_of_access(event_type: &str) -> bool {
    OF_ACCESS.iter().any(|(_, beginning)| event_type.starts_with(beginning))
}

/// Puts what a grant says.
pub fn put_grant(rows: &mut dyn Write, grant: &Grant) {
    let key = Key::of(GRANTS).text(&grant.principal).beginning(&grant.name).done();
    let sequence = put_changed(rows, &grant.etag);
    let break_glass = grant.break_glass.then(|| Key::of(BREAK_GLASS).beginning(&grant.name).done());
    if grant.delete_time.is_some() {
        [Some(key), break_glass].into_iter().flatten().for_each(|key| rows.delete(&key));
    } else {
        let role = u8::try_from(grant.role).unwrap_or(0);
        let expires = grant.expire_time.as_ref().map_or(i64::MAX, |time| time.seconds).to_be_bytes();
        rows.put(key, [&sequence[..], &[role], &expires].concat().into());
        if let Some(key) = break_glass {
            rows.put(key, [sequence, expires].concat().into());
        }
    }
    if grant.role == Role::Admin as i32 {
        rows.put(vec![ADMINISTRATOR], Bytes::new());
    }
}

/// Puts what a service account says.
pub fn put_service_account(rows: &mut dyn Write, account: &ServiceAccount) {
    let key = Key::of(SERVICE_ACCOUNTS).beginning(id(&account.name)).done();
    let sequence = put_changed(rows, &account.etag);
    // Changes of it do not make it new: where the registry is restored to before them, it is there still.
    let before = rows.get(&key);
    let first = before.as_deref().and_then(|value| value.get(..SEQUENCE)).unwrap_or(&sequence);
    let deleted: &[u8] = if account.delete_time.is_some() { &[DELETED] } else { &[] };
    rows.put(key, [first, deleted].concat().into());
}

/// Puts what a token says.
pub fn put_token(rows: &mut dyn Write, token: &ApiToken) {
    let key = Key::of(TOKENS).beginning(id(&token.name)).done();
    let sequence = put_changed(rows, &token.etag);
    if token.delete_time.is_some() {
        rows.delete(&key);
    } else {
        let expires = token.expire_time.as_ref().map_or(0, |time| time.seconds).to_be_bytes();
        let account = id(&token.service_account).as_bytes();
        rows.put(key, [&sequence[..], &token.secret_sha256[..], &expires, account].concat().into());
    }
}

/// The etag of what changed is the sequence of the entry that changed it.
fn put_changed(rows: &mut dyn Write, etag: &str) -> [u8; SEQUENCE] {
    let sequence = etag.parse().unwrap_or(0);
    let before = changed(rows);
    set_changed(rows, Changed { sequence: before.sequence.max(sequence), ..before });
    sequence.to_be_bytes()
}

/// Removes what entries of the registry after this one said: it was restored to there, and they are not any more. What
/// they revoked stays revoked.
pub fn forget_after(rows: &mut dyn Write, sequence: u64) {
    for tag in [GRANTS, TOKENS, SERVICE_ACCOUNTS, BREAK_GLASS] {
        let all = rows.scan(&KeyRange::prefix(&[tag]), Direction::Forward);
        let later = all.filter(|(_, value)| value.get(..SEQUENCE) > Some(&sequence.to_be_bytes()[..]));
        let keys: Vec<_> = later.map(|(key, _)| key).collect();
        keys.iter().for_each(|key| rows.delete(key));
    }
    let before = changed(rows);
    if before.sequence > sequence {
        set_changed(rows, Changed { sequence, resets: before.resets + 1 });
    }
}

fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_access_are_known_by_their_field_and_by_their_type() {
        fn check<R: Resource>() {
            assert!(is_of_access(R::EVENT_FIELD), "{}", R::TYPE.name);
            assert!(R::EVENT_TYPES.into_iter().all(is_event_of_access), "{:?}", R::EVENT_TYPES);
        }
        check::<Grant>();
        check::<ServiceAccount>();
        check::<ApiToken>();
        assert!(is_event_of_access("milepost.grant.break_glass"));
        assert!(!is_of_access(milepost_proto::registry::v1::Project::EVENT_FIELD));
        assert!(!is_event_of_access("milepost.project.created"));
    }
}
