//! A store against its rebuild, by the operators' own commands.

use std::path::Path;

use crate::cli;

/// The stores of a stopped server equal those that are rebuilt from their journals, row by row: the
/// digest counts every row, and the position says that both are of the same entry.
///
/// # Panics
/// If one does not, or cannot be read.
pub async fn assert_equals_rebuild(data: &Path) {
    let check = cli::run(["store".as_ref(), "check".as_ref(), "--data-dir".as_ref(), data.as_os_str()]).await;
    let rebuild =
        cli::run(["store".as_ref(), "rebuild".as_ref(), "--data-dir".as_ref(), data.as_os_str()]).await;
    let (check, rebuild) = (check.succeeded(), rebuild.succeeded());
    assert!(check.out.contains("rows"), "nothing was checked: {check:?}");
    assert_eq!(check.out, rebuild.out, "a store is not what its journal makes of it");
}
