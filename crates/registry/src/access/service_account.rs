//! Service accounts: programs that call the services.
//!
//! Invariant: the id of one is never that of another, because it is part of a principal: a deleted one can be
//! undeleted, and is not replaced. Its tokens and its grants stay as they are while it is deleted.

use milepost_proto::access::v1::ServiceAccount;
use milepost_proto::resource::TopLevel;
use milepost_resource::{PutBesides, Rules, decode};
use milepost_service::access::table;

use crate::tables::Registry;

impl Rules<Registry> for ServiceAccount {
    type Above = TopLevel;

    const TABLE: u8 = 7;
    const TABLE_NAME: &'static str = "registry.service_accounts";
    const ID_PREFIX: char = 's';
    const PUT_BESIDES: Option<PutBesides> = Some(|rows, _, row| {
        table::put_service_account(rows, &decode::<Self>(row)?);
        Ok(())
    });
}
