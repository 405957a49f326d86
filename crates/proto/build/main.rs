//! Compiles the schemas under `proto/` without protoc, and writes the descriptor set that reflection and
//! JSON read. It changes nothing of them: comments become documentation. What resources and requests have in
//! common by their fields becomes traits.

mod access;
mod answers;
mod fields;
mod filters;
mod names;
mod nodes;
mod resources;
mod schema;

use std::error::Error;
use std::path::{Path, PathBuf};

use prost::Message;
use prost_types::FileDescriptorSet;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed=build");
    // Not documents and examples beside the schemas.
    for schemas in ["milepost", "google"] {
        println!("cargo::rerun-if-changed={}", root.join(schemas).display());
    }

    let mut files = Vec::new();
    collect(&root.join("milepost"), &mut files)?;
    files.sort();

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;
    // Re-encoding the decoded set would drop the options, so reflection gets the compiler's own bytes.
    let encoded = compiler.encode_file_descriptor_set();
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), &encoded)?;

    let set = FileDescriptorSet::decode(encoded.as_slice())?;
    std::fs::write(out.join("write_requests.rs"), write_requests(&set))?;
    std::fs::write(out.join("resources.rs"), resources::code(&compiler.descriptor_pool()))?;
    std::fs::write(out.join("rules.rs"), access::code(&compiler.descriptor_pool()))?;
    let mut config = tonic_prost_build::Config::new();
    // Entries and events are passed on as they were stored, without a copy.
    config.bytes([".milepost.journal.v1"]);
    config.btree_map(["."]);
    config.enable_type_names();
    // It holds a secret.
    config.skip_debug([".milepost.access.v1.CreateApiTokenResponse"]);
    let generated = tonic_prost_build::configure().build_transport(true);
    generated.codec_path("crate::codec::SmallBuffers").compile_fds_with_config(set, config)?;
    Ok(())
}

/// Implements `WriteRequest` for every request that has a request id.
fn write_requests(set: &FileDescriptorSet) -> String {
    let mut code = String::new();
    for file in &set.file {
        let package = file.package().replace('.', "::");
        for message in &file.message_type {
            let has_id = message.field.iter().any(|field| field.name() == "request_id");
            if has_id && message.name().ends_with("Request") {
                code += &format!("write_request!(crate::{package}::{});\n", message.name());
            }
        }
    }
    code
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
