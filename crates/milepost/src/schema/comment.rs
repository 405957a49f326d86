//! The comments of the schemas, as text for help.
//!
//! Invariant: what help says of a field is what the schema says of it. Nothing is rephrased here.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost_reflect::{EnumValueDescriptor, FieldDescriptor, FileDescriptor, MethodDescriptor};

use super::POOL;

/// The path of a file's `syntax` line, whose comment is about the file.
const SYNTAX: &[i32] = &[12];

/// By file and path in it.
static COMMENTS: LazyLock<HashMap<(String, Vec<i32>), String>> = LazyLock::new(|| {
    let of_file = |file: FileDescriptor| {
        let proto = file.file_descriptor_proto().clone();
        let name = file.name().to_owned();
        let locations = proto.source_code_info.unwrap_or_default().location;
        locations.into_iter().filter_map(move |location| {
            let comment = location.leading_comments.filter(|comment| !comment.is_empty())?;
            Some(((name.clone(), location.path), comment))
        })
    };
    POOL.files().filter(|file| file.name().starts_with("milepost/")).flat_map(of_file).collect()
});

/// What a file is about.
pub fn of_file(file: &FileDescriptor) -> String {
    text(file, SYNTAX)
}

/// What a method does.
pub fn of_method(method: &MethodDescriptor) -> String {
    text(&method.parent_file(), method.path())
}

/// What a field holds.
pub fn of_field(field: &FieldDescriptor) -> String {
    text(&field.parent_file(), field.path())
}

/// What a value of an enumeration means.
pub fn of_value(value: &EnumValueDescriptor) -> String {
    text(&value.parent_file(), value.path())
}

/// The first paragraph, on one line, without the full stop at its end.
fn text(file: &FileDescriptor, path: &[i32]) -> String {
    let comment = COMMENTS.get(&(file.name().to_owned(), path.to_vec()));
    let lines = comment.map(String::as_str).unwrap_or_default().lines().map(str::trim);
    let paragraph: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    let text = paragraph.join(" ");
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}
