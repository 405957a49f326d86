//! The columns of tables: which fields of a message they show, and as what.
//!
//! Invariant: a field is named as the schema names it. A column that is asked for is shown, or the error says which there
//! are.

use milepost_proto::options::v1::Content;
use milepost_types::suggest::nearest;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage, Value};

use super::table::{self, Cell, Room};
use super::zone::Zone;
use super::{event, text, value};
use crate::error::Error;
use crate::schema::field::{self, Access, Shape};

/// Columns where neither the schema nor the command line says which.
const MOST: usize = 6;

/// Which columns a command line asks for.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// These, if any are named.
    pub named: Vec<String>,
    /// All that have a value a row.
    pub wide: bool,
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name: the path of the field.
    pub name: String,
    /// The field, after those that it is in; empty: `own` says what is shown.
    path: Vec<FieldDescriptor>,
    /// What is shown of an event.
    own: Option<fn(&DynamicMessage) -> String>,
}

impl Column {
    /// The column of a field.
    pub fn of(field: FieldDescriptor) -> Self {
        Self { name: field.name().to_owned(), path: vec![field], own: None }
    }

    /// A column that shows what this function makes of an event.
    pub fn own(name: &str, own: fn(&DynamicMessage) -> String) -> Self {
        Self { name: name.to_owned(), path: Vec::new(), own: Some(own) }
    }

    /// What its values look like.
    pub fn shape(&self) -> Shape {
        self.path.last().map_or(Shape::Text, field::shape)
    }

    fn is_name(&self, resource: &MessageDescriptor) -> bool {
        self.name == "name" && crate::schema::resource_of(resource).is_some()
    }

    /// The column as a table takes it; `place` is its place among the others.
    pub fn head(&self, message: &MessageDescriptor, place: usize) -> table::Column {
        let shape = self.shape();
        let several = self.path.last().is_some_and(|field| field.is_list() || field.is_map());
        let reference = self.path.last().is_some_and(|field| field::reference(field).is_some());
        let (room, rank) = match self.name.as_str() {
            _ if self.is_name(message) => (Room::Id, 0),
            "display_name" => (Room::Name, 0),
            // What an event is called does not say what came of it.
            "type" if message.full_name() == event::MESSAGE => (Room::Whole, 0),
            "subject" => (Room::Id, place),
            _ if reference && !several => (Room::Id, place),
            "event_id" | "type" => (Room::Whole, place),
            _ if shape == Shape::Text || several => (Room::Text, place),
            _ => (Room::Whole, place),
        };
        let right = matches!(shape, Shape::Money | Shape::Whole | Shape::Double) && !several;
        table::Column {
            header: self.header(message),
            room,
            right,
            rank: u8::try_from(rank).unwrap_or(u8::MAX),
        }
    }

    /// What stands above it: `BASELINE` for `baseline_date`, `CREATED` for `create_time`.
    fn header(&self, message: &MessageDescriptor) -> String {
        if let Some(resource) = crate::schema::resource_of(message).filter(|_| self.is_name(message)) {
            return field::words(&resource.field).to_uppercase();
        }
        label(&self.name).to_uppercase()
    }

    /// The message that the field is in; none if it is in none that is there.
    fn holder(&self, message: &DynamicMessage) -> Option<DynamicMessage> {
        let (_, above) = self.path.split_last()?;
        above.iter().try_fold(message.clone(), |at, field| {
            at.has_field(field).then(|| at.get_field(field).as_message().cloned())?
        })
    }

    /// The value of the field, if it is there.
    pub fn value(&self, message: &DynamicMessage) -> Option<Value> {
        let (holder, field) = (self.holder(message)?, self.path.last()?);
        holder.has_field(field).then(|| holder.get_field(field).into_owned())
    }

    /// What is shown of a message.
    pub fn lines(&self, message: &DynamicMessage, zone: &Zone) -> Vec<String> {
        match (self.own, self.holder(message), self.path.last()) {
            (Some(own), _, _) => Some(own(message)).filter(|text| !text.is_empty()).into_iter().collect(),
            (None, Some(holder), Some(field)) => value::lines(&holder, field, zone),
            _ => Vec::new(),
        }
    }

    /// The cell of a message that is listed under a parent.
    pub fn cell(&self, message: &DynamicMessage, under: &str, zone: &Zone) -> Cell {
        let shown = self.lines(message, zone).join(", ");
        let is_reference = self.path.last().is_some_and(|field| field::reference(field).is_some());
        let shown = match self.name.as_str() {
            "name" => text::ids_under(&shown, under),
            "subject" => text::ids(&shown),
            _ if is_reference => {
                shown.split(", ").map(|name| text::ids_under(name, under)).collect::<Vec<_>>().join(", ")
            }
            _ => shown,
        };
        let style = match self.shape() {
            Shape::Enum(_) => text::style_of_state(&shown),
            _ => anstyle::Style::new(),
        };
        Cell { text: text::or_absent(&shown), style }
    }

    /// The field itself, if the column shows one.
    pub fn field(&self) -> Option<&FieldDescriptor> {
        self.path.last()
    }
}

/// What a field is called in a table or a card: `baseline` for `baseline_date`, `created` for `create_time`.
pub fn label(name: &str) -> String {
    let name = name.rsplit('.').next().unwrap_or(name);
    let participle = |verb: &str| if verb.ends_with('e') { format!("{verb}d") } else { format!("{verb}ed") };
    if let Some(verb) = name.strip_suffix("_time").filter(|verb| !verb.contains('_')) {
        return if verb == "commit" { "committed".to_owned() } else { participle(verb) };
    }
    let units = ["_date", "_time", "_working_days", "_count"];
    let stem = units.iter().find_map(|unit| name.strip_suffix(unit)).filter(|stem| *stem != "current");
    // A code of three letters after the word currency shows what it is.
    let stem = stem.unwrap_or(name);
    field::words(if stem.ends_with("currency_code") { stem.trim_end_matches("_code") } else { stem })
}

/// The columns that show messages of a type.
///
/// # Errors
/// If a column that is asked for is none of the message.
pub fn chosen(message: &MessageDescriptor, choice: &Choice) -> Result<Vec<Column>, Error> {
    if !choice.named.is_empty() {
        return choice.named.iter().map(|name| named(message, name)).collect();
    }
    if let Some(columns) = event::columns(message) {
        return Ok(columns);
    }
    let mut placed: Vec<(u32, FieldDescriptor)> = message
        .fields()
        .map(|field| (field::rules(&field).column, field))
        .filter(|(place, _)| *place > 0)
        .collect();
    placed.sort_by_key(|(place, _)| *place);
    let naming = message.fields().filter(|field| matches!(field.name(), "name" | "display_name"));
    let mut fields: Vec<FieldDescriptor> = naming.chain(placed.into_iter().map(|(_, field)| field)).collect();
    let simple = |field: &FieldDescriptor| {
        !field.is_list()
            && !field.is_map()
            && !matches!(field::shape(field), Shape::Message(_) | Shape::Bytes)
    };
    let rest = in_order(message).into_iter().filter(|field| !fields.contains(field) && simple(field));
    let rest: Vec<FieldDescriptor> = rest.filter(|field| field.name() != "etag").collect();
    if choice.wide {
        fields.extend(rest);
    } else if fields.len() <= 2 {
        let short = |field: &FieldDescriptor| {
            let text = field::shape(field) == Shape::Text && field::reference(field).is_none();
            !text && field.name() != "create_time" && field.name() != "delete_time"
        };
        let free = MOST - fields.len();
        fields.extend(rest.into_iter().filter(short).take(free));
    }
    Ok(fields.into_iter().map(Column::of).collect())
}

/// The fields of a message in the order in which people look for them: what it is called, what the server says of it, what
/// callers say, and when it changed.
pub fn in_order(message: &MessageDescriptor) -> Vec<FieldDescriptor> {
    let rank = |field: &FieldDescriptor| match field.name() {
        "name" | "display_name" | "translations" => 0,
        "create_time" | "update_time" | "delete_time" | "etag" => 3,
        _ if field::access(field) == Access::Output => 1,
        _ => 2,
    };
    let mut fields: Vec<FieldDescriptor> = message.fields().collect();
    if crate::schema::resource_of(message).is_some() {
        fields.sort_by_key(rank);
    }
    fields
}

/// The column of a path, as in `site.address`.
fn named(message: &MessageDescriptor, name: &str) -> Result<Column, Error> {
    if let Some(column) = event::columns(message).into_iter().flatten().find(|column| column.name == name) {
        return Ok(column);
    }
    let (mut at, mut path) = (message.clone(), Vec::new());
    for part in name.replace('-', "_").split('.') {
        let Some(field) = at.get_field_by_name(part) else {
            let known: Vec<String> = at.fields().map(|field| field.name().to_owned()).collect();
            let meant = nearest(part, known.iter().map(String::as_str));
            let meant = meant.map_or(".".to_owned(), |meant| format!("; did you mean {meant}?"));
            return Err(Error::Usage(format!(
                "--columns {name}: there is no such field{meant} There are: {}",
                known.join(", ")
            )));
        };
        if let Shape::Message(inner) = field::shape(&field) {
            at = inner;
        }
        path.push(field);
    }
    Ok(Column { name: name.to_owned(), path, own: None })
}

/// Whether a message is of a type whose times are in the zone that it names itself.
pub fn own_zone(message: &DynamicMessage) -> Option<String> {
    let field = message.descriptor().fields().find(|field| field::content(field) == Content::TimeZone)?;
    message.get_field(&field).as_str().map(str::to_owned)
}
