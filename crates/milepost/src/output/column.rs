//! The columns of tables: which fields of a message they show, and as what.
//!
//! Invariant: a field is named as the schema names it. A column that is asked for is shown, or the error says
//! which there are.

use milepost_types::suggest::nearest;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor};

use super::table::{self, Cell, Room};
use super::zone::Zone;
use super::{event, text, value};
use crate::error::Error;
use crate::schema::field::{self, Access, Shape};
use crate::schema::resource_of;

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

    /// The field itself, if the column shows one.
    pub fn field(&self) -> Option<&FieldDescriptor> {
        self.path.last()
    }

    /// What its values look like; several in one are text.
    pub fn shape(&self) -> Shape {
        let one = self.field().filter(|field| !field.is_list() && !field.is_map());
        one.map_or(Shape::Text, field::shape)
    }

    /// Whether it shows names of resources.
    fn is_reference(&self) -> bool {
        self.field().is_some_and(|field| field::reference(field).is_some())
            || matches!(&*self.name, "name" | "subject")
    }

    /// The column of a table with these cells; `place` is its place among the others, from 1.
    pub fn head(&self, message: &MessageDescriptor, place: usize, cells: Vec<Cell>) -> table::Column {
        let resource = resource_of(message).filter(|_| self.name == "name");
        let is_list = self.field().is_some_and(FieldDescriptor::is_list);
        let (room, rank) = match (&*self.name, self.shape()) {
            _ if resource.is_some() => (Room::Id, 0),
            ("display_name", _) => (Room::Name, 0),
            // What an event is called does not say what came of it.
            ("type", _) if message.full_name() == event::MESSAGE => (Room::Whole, 0),
            ("type" | "event_id", _) => (Room::Whole, place),
            (_, Shape::Text) if self.is_reference() && !is_list => (Room::Id, place),
            (_, Shape::Text) => (Room::Text, place),
            (_, Shape::Money | Shape::Whole | Shape::Double) => (Room::Number, place),
            _ => (Room::Whole, place),
        };
        let header = match resource {
            Some(resource) => field::words(&resource.field),
            // Two fields of a message that would be called the same keep their whole names.
            None if self.is_ambiguous(message) => field::words(&self.name),
            None => label(&self.name),
        };
        table::Column::new(&header.to_uppercase(), room, rank, cells)
    }

    /// Whether another field of the message is what this one is called.
    fn is_ambiguous(&self, message: &MessageDescriptor) -> bool {
        let label = label(&self.name);
        label != self.name && message.get_field_by_name(&label).is_some()
    }

    /// The message that the field is in, if it is there, and the field.
    fn place(&self, message: &DynamicMessage) -> Option<(DynamicMessage, &FieldDescriptor)> {
        let (field, above) = self.path.split_last()?;
        let inner = |at: DynamicMessage, field: &FieldDescriptor| {
            at.has_field(field).then(|| at.get_field(field).as_message().cloned())?
        };
        Some((above.iter().try_fold(message.clone(), inner)?, field))
    }

    /// The value of the field, if it is there and of this type.
    pub fn typed<M: prost::Message + Default>(&self, message: &DynamicMessage) -> Option<M> {
        let (holder, field) = self.place(message)?;
        holder.has_field(field).then(|| value::typed(holder.get_field(field).as_message()?))?
    }

    /// The digits of the whole number that is shown, without what makes it easy to read.
    pub fn digits(&self, message: &DynamicMessage) -> Option<String> {
        let (holder, field) = self.place(message)?;
        value::is_there(&holder, field).then(|| holder.get_field(field).to_string())
    }

    /// What is shown of a message.
    pub fn lines(&self, message: &DynamicMessage, zone: &Zone) -> Vec<String> {
        match self.own {
            Some(own) => Some(own(message)).filter(|text| !text.is_empty()).into_iter().collect(),
            None => {
                let place = self.place(message);
                place.map(|(holder, field)| value::lines(&holder, field, zone)).unwrap_or_default()
            }
        }
    }

    /// The cell of a message that is listed under a parent.
    pub fn cell(&self, message: &DynamicMessage, under: &str, zone: &Zone) -> Cell {
        let mut lines = self.lines(message, zone);
        if self.is_reference() {
            lines.iter_mut().for_each(|name| *name = text::ids_under(name, under));
        }
        let text = lines.join(", ");
        let style = match self.shape() {
            Shape::Enum(_) => text::style_of_state(&text),
            _ => anstyle::Style::new(),
        };
        Cell { text: text::or_absent(&text), style }
    }
}

/// What a field is called in a table or a card: `baseline` for `baseline_date`, `created` for `create_time`, `expires`
/// for `expire_time`.
pub fn label(name: &str) -> String {
    let name = name.rsplit('.').next().unwrap_or(name);
    match name.strip_suffix("_time").filter(|verb| !verb.contains('_')) {
        Some("commit") => return "committed".to_owned(),
        // It is mostly still to come.
        Some("expire") => return "expires".to_owned(),
        Some(verb) => return format!("{}ed", verb.trim_end_matches('e')),
        None => {}
    }
    let units = ["_date", "_time", "_working_days", "_count"];
    // By themselves these say something else, as the state beside its date does.
    let is_other = |stem: &&str| {
        matches!(*stem, "act" | "current" | "event" | "finding" | "inspection" | "opening" | "state")
    };
    let stem = units.iter().find_map(|unit| name.strip_suffix(unit)).filter(|stem| !is_other(stem));
    // A code of three letters after the word currency shows what it is.
    let stem = stem.unwrap_or(name);
    field::words(if stem.ends_with("currency_code") { stem.trim_end_matches("_code") } else { stem })
}

/// The columns that show messages of a type: those that are named, or else those that the schema places, or
/// all that have a value a row.
///
/// # Errors
/// If a column that is asked for is none of the message.
pub fn chosen(message: &MessageDescriptor, names: &[String], wide: bool) -> Result<Vec<Column>, Error> {
    if !names.is_empty() {
        return names.iter().map(|name| named(message, name)).collect();
    }
    if let Some(columns) = event::columns(message) {
        return Ok(columns);
    }
    let place = |field: &FieldDescriptor| field::rules(field).column;
    let is_placed =
        |field: &FieldDescriptor| matches!(field.name(), "name" | "display_name") || place(field) > 0;
    let (mut fields, mut rest): (Vec<_>, Vec<_>) = in_order(message).into_iter().partition(is_placed);
    fields.sort_by_key(place);
    if wide {
        rest.retain(|field| {
            let several = field.is_list() || field.is_map() || field.name() == "etag";
            !several && !matches!(field::shape(field), Shape::Message(_) | Shape::Bytes)
        });
        fields.append(&mut rest);
    }
    Ok(fields.into_iter().map(Column::of).collect())
}

/// The fields of a message in the order in which people look for them: what it is called, what the server
/// says of it, what callers say, and when it changed.
pub fn in_order(message: &MessageDescriptor) -> Vec<FieldDescriptor> {
    let rank = |field: &FieldDescriptor| match field.name() {
        "name" | "display_name" | "translations" => 0,
        "create_time" | "update_time" | "delete_time" | "etag" => 3,
        _ if field::access(field) == Access::Output => 1,
        _ => 2,
    };
    let mut fields: Vec<FieldDescriptor> = message.fields().collect();
    if resource_of(message).is_some() {
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
            let known = known.join(", ");
            return Err(Error::Usage(format!(
                "--columns {name}: there is no such field{meant} There are: {known}"
            )));
        };
        if let Shape::Message(inner) = field::shape(&field) {
            at = inner;
        }
        path.push(field);
    }
    Ok(Column { name: name.to_owned(), path, own: None })
}
