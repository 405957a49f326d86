//! The programs under test: `milepost` and its bench, of the profile that this test was built with.
//!
//! They are built here, once a process, so that a plain `cargo test -p milepost-tests` needs nothing before
//! it. `tests/run` builds them once for all test processes and names the first in `TESTS_BINARY`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of the program.
///
/// # Panics
/// If it cannot be built, or is not where `TESTS_BINARY` says.
pub fn milepost() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| match std::env::var_os("TESTS_BINARY") {
        Some(path) => {
            let path = PathBuf::from(path);
            assert!(path.is_file(), "TESTS_BINARY names {}, which is not there", path.display());
            path
        }
        None => build("milepost"),
    })
}

/// The path of the bench, which stands beside the program.
///
/// # Panics
/// If it cannot be built, or is not there.
pub fn bench() -> PathBuf {
    if std::env::var_os("TESTS_BINARY").is_none() {
        return build("milepost-bench");
    }
    let path = milepost().with_file_name("milepost-bench");
    assert!(path.is_file(), "{} is not there: cargo build --workspace", path.display());
    path
}

/// The root of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

fn build(package: &str) -> PathBuf {
    // target/{profile}/deps/e2e-…: the program goes beside `deps`.
    let this = std::env::current_exe().expect("the path of this test");
    let dir = this.ancestors().nth(2).expect("tests run in target/{profile}/deps");
    let profile = match dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", package, "--bin", package, "--profile", profile]);
    let status = command.current_dir(root()).status().expect("cargo can be run");
    assert!(status.success(), "{package} does not build: run `cargo build -p {package}`");
    let path = dir.join(package);
    assert!(path.is_file(), "cargo built {package}, but it is not at {}", path.display());
    path
}
