//! Where backups are: a directory or a bucket, with the few operations that a backup needs.
//!
//! Invariants: an object is only ever created, never overwritten or removed; a create that returns is durable
//! (files and their directories are synced). A store that overwrites what it should only create is found by
//! [`BackupTarget::probe`] before anything is written to it, and so is a directory that others may read or write by
//! [`BackupTarget::open`]. Credentials come from the standard variables of
//! AWS, never from a URL.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use milepost_ledger::journal::disk::{Disk, SystemDisk};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, RetryConfig};
use url::Url;

use crate::error::Error;

/// The object that shows whether the store honours conditions.
const PROBE: &str = "probe";
/// How long a request to S3 is repeated before the backup fails, which is tried again later.
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

/// What a target is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// To read backups that are there.
    Read,
    /// To add backups; a missing directory is made, for its owner alone, and one that others may use is refused.
    Write,
}

/// Whether a create found the name free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Created {
    /// It did.
    New,
    /// There is an object of that name.
    Exists,
}

/// A place of backups. Clones share it.
#[derive(Clone)]
pub struct BackupTarget {
    name: String,
    store: Arc<dyn ObjectStore>,
}

impl BackupTarget {
    /// Opens `file:///a/directory` or `s3://bucket/prefix`. Nothing is written but a missing directory.
    ///
    /// # Errors
    /// If the text is no target, or a directory cannot be used. A bucket is not asked.
    pub fn open(url: &str, usage: Use) -> Result<Self, Error> {
        let refused = |what: &str| Error::Url { url: url.to_owned(), what: what.to_owned() };
        let parsed = Url::parse(url).map_err(|error| refused(&error.to_string()))?;
        let has_user = !parsed.username().is_empty() || parsed.password().is_some();
        if parsed.query().is_some() || parsed.fragment().is_some() || has_user {
            return Err(refused(
                "it has more than a path; credentials and options come from the AWS_ variables",
            ));
        }
        let store = match parsed.scheme() {
            // `file:name` would be taken for `file:///name`.
            "file" if !url.starts_with("file:///") => return Err(refused("it has no whole path")),
            "file" => {
                let path = parsed.to_file_path().map_err(|()| refused("it names no local directory"))?;
                directory(&path, usage)?
            }
            "s3" if parsed.host_str().is_none_or(str::is_empty) => return Err(refused("it names no bucket")),
            "s3" => bucket(&parsed).map_err(|source| refused(&source.to_string()))?,
            _ => return Err(refused("its scheme is neither file nor s3")),
        };
        Ok(Self { name: url.to_owned(), store })
    }

    /// The target in a store that is open already; `name` is for messages.
    pub fn with_store(name: &str, store: Arc<dyn ObjectStore>) -> Self {
        Self { name: name.to_owned(), store }
    }

    /// The target as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Shows by a double create that the store refuses to overwrite. Leaves a small object `probe`.
    ///
    /// # Errors
    /// `Unconditional` if it does overwrite; else if it cannot be written.
    pub async fn probe(&self) -> Result<(), Error> {
        let content = || Bytes::from_static(b"A second create of this object must fail.\n");
        for _ in 0..2 {
            if self.create(PROBE, content()).await? == Created::Exists {
                return Ok(());
            }
        }
        Err(Error::Unconditional { target: self.name.clone() })
    }

    /// Creates an object, durably, if there is none of that name.
    pub(crate) async fn create(&self, object: &str, content: Bytes) -> Result<Created, Error> {
        use object_store::Error::{AlreadyExists, Precondition};
        let put = self.store.put_opts(&Path::from(object), content.into(), PutMode::Create.into()).await;
        match put {
            Ok(_) => Ok(Created::New),
            Err(AlreadyExists { .. } | Precondition { .. }) => Ok(Created::Exists),
            Err(source) => Err(self.error("written", object)(source)),
        }
    }

    /// The content of an object, which must be there.
    pub(crate) async fn get(&self, object: &str) -> Result<Bytes, Error> {
        let found = match self.store.get(&Path::from(object)).await {
            Ok(found) => found.bytes().await,
            Err(error) => Err(error),
        };
        found.map_err(|error| match error {
            object_store::Error::NotFound { .. } => {
                Error::Damaged { object: object.to_owned(), what: "it is missing".to_owned() }
            }
            source => self.error("read", object)(source),
        })
    }

    /// The names of the objects beside the folders of ledgers.
    pub(crate) async fn names(&self) -> Result<Vec<String>, Error> {
        let listed =
            self.store.list_with_delimiter(None).await.map_err(self.error("listed", "the manifests"))?;
        let name = |object: object_store::ObjectMeta| object.location.filename().map(str::to_owned);
        Ok(listed.objects.into_iter().filter_map(name).collect())
    }

    fn error(&self, action: &'static str, object: &str) -> impl FnOnce(object_store::Error) -> Error {
        let (object, target) = (object.to_owned(), self.name.clone());
        move |source| Error::Store { action, object, target, source: Box::new(source) }
    }
}

impl fmt::Debug for BackupTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BackupTarget").field(&self.name).finish()
    }
}

/// A store in a directory.
fn directory(path: &FilePath, usage: Use) -> Result<Arc<dyn ObjectStore>, Error> {
    let failed = |source| Error::Directory { path: path.to_owned(), source };
    if usage == Use::Write {
        SystemDisk.create_dir_all(path).map_err(failed)?;
    }
    let path: PathBuf = path.canonicalize().map_err(failed)?;
    if usage == Use::Write {
        let mode = path.metadata().map_err(failed)?.permissions().mode() & 0o7777;
        if is_exposed(mode) {
            return Err(Error::Exposed { path, mode });
        }
    }
    let store = LocalFileSystem::new_with_prefix(&path)
        .map_err(|error| failed(std::io::Error::other(error)))?
        .with_fsync(true);
    Ok(Arc::new(store))
}

/// Whether others than its owner may read or write a directory of this mode. Its group may where it hands itself on to
/// what is made in it (setgid): somebody chose that group for it, or for the directory that it was made in.
fn is_exposed(mode: u32) -> bool {
    let refused = if mode & 0o2000 == 0 { 0o077 } else { 0o007 };
    mode & refused != 0
}

/// A store in a bucket of S3, or of a service that speaks its protocol.
fn bucket(url: &Url) -> object_store::Result<Arc<dyn ObjectStore>> {
    // The only provider of this program; another part may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let retry = RetryConfig { max_retries: 5, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() };
    let mut builder =
        AmazonS3Builder::from_env().with_bucket_name(url.host_str().unwrap_or_default()).with_retry(retry);
    let endpoint = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint]
        .into_iter()
        .find_map(|key| builder.get_config_value(&key));
    // Whoever gives an endpoint without TLS means it.
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
        builder = builder.with_allow_http(true);
    }
    let prefix = Path::from_url_path(url.path())?;
    let store = builder.build()?;
    Ok(if prefix.as_ref().is_empty() { Arc::new(store) } else { Arc::new(PrefixStore::new(store, prefix)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Faults, FaultyStore};
    use object_store::memory::InMemory;

    #[test]
    fn what_is_no_target_is_refused_with_what_is_one() {
        for url in [
            "",
            "backups",
            "/var/backups",
            "file:relative",
            "ftp://x/y",
            "s3://",
            "file://host/dir",
            "s3://user:secret@bucket/x",
            "s3://bucket/x?region=y",
        ] {
            let refused = BackupTarget::open(url, Use::Read).map(|_| ()).unwrap_err().to_string();
            assert!(refused.contains("is no target") && refused.contains("file:///a/directory"), "{refused}");
        }
    }

    #[test]
    fn a_directory_is_made_for_its_owner_to_write_and_must_be_there_to_read() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("备份/a");
        let url = Url::from_directory_path(&path).unwrap();
        assert!(matches!(BackupTarget::open(url.as_str(), Use::Read), Err(Error::Directory { .. })));
        BackupTarget::open(url.as_str(), Use::Write).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        BackupTarget::open(url.as_str(), Use::Read).unwrap();
    }

    #[test]
    fn a_directory_that_others_may_use_is_not_written_to_and_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let url = Url::from_directory_path(dir.path()).unwrap();
        for (mode, is_written) in [
            (0o700, true),
            (0o750, false),
            (0o770, false),
            (0o701, false),
            (0o755, false),
            (0o1777, false),
            // What is made in a directory whose group was chosen.
            (0o2700, true),
            (0o2770, true),
            // As Kubernetes makes the root of a volume with an `fsGroup`.
            (0o2775, false),
        ] {
            std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            let opened = BackupTarget::open(url.as_str(), Use::Write);
            assert_eq!(opened.is_ok(), is_written, "{mode:o}");
            if let Err(refused) = opened {
                assert_eq!(refused.reason(), "TARGET_EXPOSED");
                let said = refused.to_string();
                assert!(said.contains("chmod 0700") && said.contains(&format!("{mode:04o}")), "{said}");
            }
            BackupTarget::open(url.as_str(), Use::Read).unwrap();
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_store_that_overwrites_is_refused_and_one_that_does_not_is_taken_twice() {
        let honest = BackupTarget::with_store("memory", Arc::new(InMemory::new()));
        honest.probe().await.unwrap();
        honest.probe().await.unwrap();
        let faults = Faults { overwrites: true, ..Faults::default() };
        let overwriting = BackupTarget::with_store("x", Arc::new(FaultyStore::new(InMemory::new(), faults)));
        assert!(matches!(overwriting.probe().await, Err(Error::Unconditional { .. })));
    }
}
