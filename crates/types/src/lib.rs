//! Names, ids, positions, tokens, money, dates, filters: values without I/O.
//!
//! Invariant: every type here can only hold a value that its rules allow. No tokio, tonic, prost
//! or sled: the domain is built from these and stays testable without any of them.

pub mod clock;
mod code;
mod currency;
mod cursor;
mod damaged_row;
mod date;
mod etag;
mod event_id;
pub mod event_type;
pub mod filter;
mod follow_check;
mod id;
mod kind;
mod language;
mod ledger_name;
pub mod limits;
mod lineage;
mod money;
mod name;
pub mod order;
mod page;
mod parent;
mod plain;
mod position;
mod quote;
mod rejection;
mod request;
mod revision;
mod room;
pub mod suggest;
pub mod text;
mod token;
mod violation;
mod zone;

pub use clock::{Clock, ManualClock, SystemClock};
pub use code::{CodeError, ProjectCode};
pub use currency::{CurrencyCode, CurrencyError};
pub use cursor::{Cursor, EntryOffset};
pub use damaged_row::DamagedRow;
pub use date::{DateError, Period, date_from_parts};
pub use etag::{Etag, EtagError};
pub use event_id::{EventId, EventIdError};
pub use filter::{Filter, FilterError};
pub use follow_check::{Diverged, FollowCheck};
pub use id::{IdError, ResourceId};
pub use kind::ResourceKind;
pub use language::{LanguageTag, LanguageTagError};
pub use ledger_name::{LedgerName, LedgerNameError};
pub use lineage::{GoOn, Lineage, same_places};
pub use money::{Money, MoneyError, MoneySums};
pub use name::{
    BatchName, MilestoneName, NameError, NameShape, OrganizationName, PhaseName, PortfolioName, ProjectName,
    ResourceName,
};
pub use order::{OrderBy, OrderError};
pub use page::{PageSizeError, PageToken, RequestDigest, page_size};
pub use parent::{
    BatchParent, MilestoneParent, PhaseParent, PortfolioPattern, ProjectParent, ProjectPattern, parent_ids,
};
pub use plain::without_number;
pub use position::{Hash, HashPrefix, LogId, LogIdError, Position, PositionError};
pub use quote::quoted;
pub use rejection::{Precondition, Rejection};
pub use request::{RequestId, RequestIdError};
pub use revision::{LedgerKind, LedgerKindError, Revision};
pub use room::{Room, Search, check_batch};
pub use token::{TokenError, TokenKind};
pub use violation::{Fault, Violation, Violations};
pub use zone::{TimeZoneId, TimeZoneIdError};
