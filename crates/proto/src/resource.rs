//! What the schemas say of messages that are resources, as data: their fields, their names, and their
//! standard requests. `build` generates it; crate `resource` acts on it.
//!
//! Invariant: facts only. No rule is here that a schema does not state.

use std::collections::BTreeMap;
use std::fmt::Debug;

use milepost_types::{NameError, NameShape, ResourceId, ResourceKind, filter};
use prost::Message;
use prost_types::{FieldMask, Timestamp};

use crate::WriteRequest;
use crate::event::v1::event;
use crate::google::r#type::{Date, Money};
pub use crate::options::v1::Content;
use crate::rule::AccessRequest;

/// The type of a resource (AIP-123).
#[derive(Debug)]
pub struct Type {
    /// `milepost.dev/Phase`
    pub name: &'static str,
    /// `phase`
    pub singular: &'static str,
    /// `portfolios/{portfolio}/projects/{project}/phases/{phase}`; of what floats, all of them, with `or` between.
    pub pattern: &'static str,
    /// The collections of the pattern, from the left; of what floats, of the longest.
    pub collections: &'static [&'static str],
    /// Whether it may also be at the top, and under each that its parent is under: names have fewer ids then.
    pub floats: bool,
    /// What it is under; none for what is at the top. What floats is under this at the lowest.
    pub parent: Option<&'static Type>,
}

impl Type {
    /// How its names look.
    pub const fn shape(&self) -> NameShape {
        let kind = ResourceKind::new(self.name, self.singular);
        let Self { pattern, collections, floats, .. } = *self;
        NameShape { kind, pattern, collections, floats }
    }

    /// Whether names may have so many ids.
    pub const fn allows(&self, ids: usize) -> bool {
        ids == self.collections.len() || self.floats && 0 < ids && ids < self.collections.len()
    }

    /// The collections of a name with so many ids, from the left.
    pub fn collections_of(&self, ids: usize) -> impl Iterator<Item = &'static str> {
        let (above, own) = self.collections.split_at(self.collections.len() - 1);
        above.iter().take(ids - 1).chain(own).copied()
    }

    /// The ids in the name of what one of these is under; none for what is at the top.
    ///
    /// # Errors
    /// If the text is no such name.
    pub fn parent_ids(&self, text: &str) -> Result<Vec<ResourceId>, NameError> {
        let Some(mut parent) = self.parent.filter(|_| !self.floats || !text.is_empty()) else {
            return Ok(Vec::new());
        };
        while let Some(above) = parent.parent.filter(|_| self.floats)
            && text.matches('/').count() < 2 * parent.collections.len() - 1
        {
            parent = above;
        }
        parent.shape().ids(text)
    }
}

/// The type of a field's values; of a list, of its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number with binary floating point.
    Double,
    /// Bytes.
    Bytes,
    /// One of the field's `names`.
    Enum,
    /// A civil date.
    Date,
    /// An exact amount.
    Money,
    /// An instant.
    Instant,
    /// A message with `fields`.
    Message,
    /// Texts by key.
    Map,
}

/// One field of a message.
#[derive(Debug)]
pub struct Field {
    /// Its name in the schema.
    pub name: &'static str,
    /// Its number on the wire.
    pub number: u32,
    /// What it holds, by its type.
    pub kind: Kind,
    /// What it holds, by its rules.
    pub content: Content,
    /// Whether it is a list.
    pub repeated: bool,
    /// Whether a value that is zero or false is distinguished from none.
    pub optional: bool,
    /// Whether it must be given.
    pub required: bool,
    /// Who sets it, and who changes it.
    pub access: Access,
    /// The most characters of a text, or the greatest number; 0: the limit of its content.
    pub limit: usize,
    /// The most members of a list; 0: no rule of the schema limits them.
    pub members: usize,
    /// What a member of a list of texts is called, none of which may be given twice; empty: they may.
    pub unique: &'static str,
    /// Whether the fields of the message may be named by themselves in an update mask.
    pub parts: bool,
    /// The answer where it is required and missing; empty: the general one.
    pub missing: &'static str,
    /// Whether a change of it alone is none.
    pub unannounced: bool,
    /// The values of an enum, without the first, which says nothing.
    pub names: &'static [&'static str],
    /// Their numbers.
    pub numbers: &'static [i32],
    /// The resources that it names.
    pub reference: Option<&'static Type>,
    /// The fields of a message.
    pub fields: &'static [Field],
}

/// Who sets a field, and who changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Callers, by creation and by update.
    Input,
    /// Callers by creation, then only these methods.
    Method(&'static str),
    /// The server; how it comes about.
    Output(&'static str),
    /// Name, times and etag: what every resource has.
    Meta,
}

/// Where a field to filter by is in a message.
#[derive(Debug)]
pub struct FilterPath {
    /// The indices of the fields on the way, from the outside.
    pub steps: &'static [usize],
    /// What of the last one is compared.
    pub leaf: Leaf,
}

/// What of a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    /// All of it.
    Whole,
    /// The currency of an amount.
    Currency,
    /// The whole units of an amount.
    Units,
    /// Of a name, that of what it is under: so many collections of it, from the left.
    Ancestor(usize),
}

/// The value of a field.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// A text; empty is not set.
    Text(&'a str),
    /// A truth, if it is set.
    Bool(Option<bool>),
    /// A whole number, if it is set.
    Int(Option<i64>),
    /// A number, if it is set.
    Double(Option<f64>),
    /// An enum's number; 0 is not set.
    Enum(i32),
    /// Bytes; empty is not set.
    Bytes(&'a [u8]),
    /// A date, if it is set.
    Date(Option<&'a Date>),
    /// An amount, if it is set.
    Money(Option<&'a Money>),
    /// An instant, if it is set.
    Instant(Option<&'a Timestamp>),
    /// A message, if it is set.
    Message(Option<&'a dyn Node>),
    /// Texts.
    Texts(&'a [String]),
    /// Whole numbers, or enums' numbers.
    Ints(&'a [i32]),
    /// Dates.
    Dates(&'a [Date]),
    /// Amounts.
    Amounts(&'a [Money]),
    /// Messages.
    Messages(&'a dyn Nodes),
    /// Texts by key.
    Map(&'a BTreeMap<String, String>),
}

/// The value of a field, to be brought into its canonical form.
pub enum Slot<'a> {
    /// A text.
    Text(&'a mut String),
    /// Texts.
    Texts(&'a mut Vec<String>),
    /// A number, if it is set.
    Double(&'a mut Option<f64>),
    /// Whole numbers.
    Ints(&'a mut Vec<i32>),
    /// Dates.
    Dates(&'a mut Vec<Date>),
    /// A message, if it is set.
    Message(Option<&'a mut dyn Node>),
    /// Messages.
    Messages(&'a mut dyn Nodes),
    /// Texts by key.
    Map(&'a mut BTreeMap<String, String>),
    /// A value that has one form only.
    Plain,
}

/// A message by its fields.
pub trait Node {
    /// The fields, in the order of the schema.
    fn fields(&self) -> &'static [Field];
    /// The value of the field with this index.
    fn value(&self, index: usize) -> Value<'_>;
    /// The value of the field with this index, to be changed.
    fn slot(&mut self, index: usize) -> Slot<'_>;
}

/// A list of messages.
pub trait Nodes {
    /// How many there are.
    fn len(&self) -> usize;
    /// The message with this index.
    fn node(&self, index: usize) -> Option<&dyn Node>;
    /// The message with this index, to be changed.
    fn node_mut(&mut self, index: usize) -> Option<&mut dyn Node>;
}

impl<M: Node> Nodes for Vec<M> {
    fn len(&self) -> usize {
        self.len()
    }

    fn node(&self, index: usize) -> Option<&dyn Node> {
        self.get(index).map(|message| message as &dyn Node)
    }

    fn node_mut(&mut self, index: usize) -> Option<&mut dyn Node> {
        self.get_mut(index).map(|message| message as &mut dyn Node)
    }
}

/// Since when a resource is there, when it last changed, and whether it is deleted.
pub struct Meta<'a> {
    /// Its name.
    pub name: &'a mut String,
    /// When it was created.
    pub create_time: &'a mut Option<Timestamp>,
    /// When it last changed.
    pub update_time: &'a mut Option<Timestamp>,
    /// When it was deleted, if it is.
    pub delete_time: &'a mut Option<Timestamp>,
    /// The sequence of its last change.
    pub etag: &'a mut String,
}

/// A message that is a resource.
pub trait Resource: Node + Message + Debug + Default + Clone + PartialEq + 'static {
    /// Its type.
    const TYPE: &'static Type;
    /// Its fields, in the order of the schema.
    const FIELDS: &'static [Field];
    /// The service that serves it, `package.Service`.
    const SERVICE: &'static str;
    /// The number of its field in an event.
    const EVENT_FIELD: u32;
    /// The types of the events that say that it was created, updated, deleted, and undeleted.
    const EVENT_TYPES: [&'static str; 4];

    /// What it can be filtered by; each field's id is its index.
    const FILTER: &'static [filter::Field<usize>];
    /// Where these fields are.
    const FILTER_PATHS: &'static [FilterPath];

    /// What it is under: its message, or [`TopLevel`], also of what floats.
    type Parent;
    /// The request that reads one.
    type Get: GetRequest;
    /// The request that lists them.
    type List: ListRequest;

    /// Its name.
    fn name(&self) -> &str;
    /// The sequence of its last change, as text.
    fn etag(&self) -> &str;
    /// When it was deleted, if it is.
    fn delete_time(&self) -> Option<&Timestamp>;
    /// What every resource has, to be set.
    fn meta(&mut self) -> Meta<'_>;
    /// Takes a field over from another.
    fn copy(&mut self, index: usize, from: &Self);
    /// Takes a part of a field over from another; a message that is empty after that is absent.
    fn copy_part(&mut self, index: usize, part: usize, from: &Self);
    /// Whether a field is the same in another.
    fn same(&self, index: usize, other: &Self) -> bool;
    /// The resource of an event.
    fn into_event(self) -> event::Resource;
}

/// A resource that callers create: others are made by their service alone.
pub trait Creatable: Resource {
    /// The request that creates one.
    type Create: CreateRequest<Self>;
}

/// A resource that can be deleted.
pub trait Deletable: Creatable {
    /// The request that deletes one.
    type Delete: TargetRequest;
}

/// A resource that has a state, which custom methods change.
pub trait Stateful: Resource {
    /// Its states; the first one is none.
    type State: Copy + Default + PartialEq + TryFrom<i32>;
    /// The number of its state, which this version may not know.
    fn state_number(&self) -> i32;
    /// A state as the schema spells it.
    fn state_name(state: Self::State) -> &'static str;
}

/// What a schema says of a resource, whichever it is.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Its type.
    pub of: &'static Type,
    /// Its fields, in the order of the schema.
    pub fields: &'static [Field],
    /// What it can be filtered by; each field's id is its index.
    pub filter: &'static [filter::Field<usize>],
    /// Where these fields are.
    pub filter_paths: &'static [FilterPath],
}

impl Facts {
    /// What the schema says of these resources.
    pub const fn of<R: Resource>() -> Self {
        Self { of: R::TYPE, fields: R::FIELDS, filter: R::FILTER, filter_paths: R::FILTER_PATHS }
    }
}

/// A resource that can be changed after its creation, and undeleted.
pub trait Mutable: Deletable {
    /// The request that updates one.
    type Update: UpdateRequest<Self> + AccessRequest;
    /// The request that undeletes one.
    type Undelete: TargetRequest + AccessRequest;
}

/// What is at the top is under this.
#[derive(Debug, Clone, Copy)]
pub struct TopLevel;

/// A request that creates a resource.
pub trait CreateRequest<R>: WriteRequest + AccessRequest {
    /// The field of the id to be.
    const ID: &'static str;
    /// The parent's name; empty for what is at the top.
    fn parent(&self) -> &str;
    /// The id to be; empty: the server makes one.
    fn id(&self) -> &str;
    /// The resource to be.
    fn take_resource(&mut self) -> Option<R>;
}

/// A request that updates a resource.
pub trait UpdateRequest<R>: WriteRequest + AccessRequest {
    /// The fields to take over.
    fn take_update_mask(&mut self) -> Option<FieldMask>;
    /// The resource with these fields.
    fn take_resource(&mut self) -> Option<R>;
}

/// A request that changes one resource in another way: deletes it, or what a method is named after.
pub trait TargetRequest: WriteRequest + AccessRequest {
    /// The resource's name.
    fn name(&self) -> &str;
    /// The etag that it must have; empty: any.
    fn etag(&self) -> &str;
}

/// A request that reads one resource.
pub trait GetRequest: AccessRequest + Default + Debug + 'static {
    /// The resource's name.
    fn name(&self) -> &str;
    /// The revisions to wait for.
    fn min_revisions(&self) -> &[String];
}

/// A request that lists resources.
pub trait ListRequest: AccessRequest + Default + Debug + 'static {
    /// The method's full name.
    const METHOD: &'static str;
    /// The parent's name or pattern; none for what is at the top.
    fn parent(&self) -> Option<&str>;
    /// How many at most.
    fn page_size(&self) -> i32;
    /// Where to go on.
    fn page_token(&self) -> &str;
    /// Which.
    fn filter(&self) -> &str;
    /// In which order.
    fn order_by(&self) -> &str;
    /// Whether deleted ones are listed too.
    fn show_deleted(&self) -> bool;
    /// The revisions to wait for.
    fn min_revisions(&self) -> &[String];
}

include!(concat!(env!("OUT_DIR"), "/resources.rs"));
