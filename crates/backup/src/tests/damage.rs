//! Targets in which something was changed, truncated or removed: `verify` names the first fault.

use std::path::{Path, PathBuf};

use super::world::{Registry, World, directory};
use crate::{Error, Manifest, read_chain, verify};

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let (mut found, mut dirs) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|own| own == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_changed_truncated_or_missing_object_is_named_and_what_was_whole_before_it_is_counted() {
    let world = World::new();
    let (dir, target) = directory();
    let mut backup = world.backup(&target);
    for _ in 0..3 {
        world.go_on(2);
        backup.run().await.unwrap();
    }
    let objects = [files(dir.path(), "entries"), files(dir.path(), "manifest")].concat();
    assert_eq!(objects.len(), 9 + 3);
    for path in objects {
        let whole = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let changed = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            Some(bytes)
        };
        let last = name == Manifest::object(3);
        for damage in [changed(0), changed(whole.len() / 2), changed(whole.len() - 1), Some(vec![]), None] {
            match &damage {
                Some(bytes) => std::fs::write(&path, bytes).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            let verified = verify(&target, &mut |_, _| {}).await;
            if last && damage.is_none() {
                assert!(verified.fault.is_none(), "a backup without its last manifest is the one before");
            } else {
                let fault = verified.fault.unwrap_or_else(|| panic!("{name} is not missed: {damage:?}"));
                let said = fault.to_string();
                assert!(matches!(fault, Error::Damaged { .. }), "{said}");
                // A manifest that is changed and still reads is noticed by the next one.
                assert!(said.contains(name) || name.ends_with(".manifest"), "{name}: {said}");
                assert!(verified.manifests < 3);
            }
            std::fs::write(&path, &whole).unwrap();
        }
    }
    assert!(verify(&target, &mut |_, _| {}).await.fault.is_none());
}

#[tokio::test]
async fn an_empty_target_and_a_manifest_that_is_not_there_are_said_so() {
    let world = World::new();
    let (_dir, target) = directory();
    assert!(matches!(verify(&target, &mut |_, _| {}).await.fault, Some(Error::Empty { .. })));
    world.go_on(1);
    world.backup(&target).run().await.unwrap();
    for number in [0, 2] {
        let refused = read_chain(&target, Some(number), |_, _| Ok(())).await.unwrap_err();
        assert!(matches!(refused, Error::NoManifest { last: 1, .. }), "{refused}");
    }
    let chain = read_chain(&target, Some(1), |_, _| Ok(())).await.unwrap();
    assert_eq!(chain.ledgers[&Registry].position(), world.tail(Registry));
}
