//! Object stores of tests: one that fails or stops at a given write, and one that overwrites.
//!
//! Invariant: apart from the fault it does what the store inside it does.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// What goes wrong.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// Objects are overwritten although they should only be created.
    pub(crate) overwrites: bool,
    /// So many writes succeed; those after them fail.
    pub(crate) writes: Option<usize>,
    /// Whether the first write that fails is stored all the same, as if its answer were lost.
    pub(crate) stores_the_last: bool,
}

/// A store with faults, which shares its content with its clones.
#[derive(Debug, Clone)]
pub(crate) struct FaultyStore {
    inner: Arc<InMemory>,
    faults: Faults,
    written: Arc<AtomicUsize>,
}

impl FaultyStore {
    pub(crate) fn new(inner: InMemory, faults: Faults) -> Self {
        Self { inner: Arc::new(inner), faults, written: Arc::default() }
    }

    /// The same content with other faults.
    pub(crate) fn with(&self, faults: Faults) -> Self {
        Self { inner: self.inner.clone(), faults, written: Arc::default() }
    }

    /// The writes so far.
    pub(crate) fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a faulty store")
    }
}

fn refused() -> object_store::Error {
    object_store::Error::Generic { store: "faulty", source: "a fault of the test".into() }
}

#[async_trait::async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, at: &Path, content: PutPayload, options: PutOptions) -> Result<PutResult> {
        let before = self.written.fetch_add(1, Ordering::Relaxed);
        if self.faults.overwrites {
            return self.inner.put_opts(at, content, PutOptions::default()).await;
        }
        let Some(most) = self.faults.writes.filter(|most| *most <= before) else {
            return self.inner.put_opts(at, content, options).await;
        };
        if self.faults.stores_the_last && before == most {
            self.inner.put_opts(at, content, options).await?;
        }
        Err(refused())
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(refused())
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(at, options).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(refused())
    }
}
