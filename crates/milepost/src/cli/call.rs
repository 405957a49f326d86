//! The steps that every verb takes, written once: call, then show what the answer holds.
//!
//! Macros, because each call has a request, a response and a stub method of its own type.

/// Sends a write and shows the resource of its answer.
macro_rules! write_and_show {
    ($session:expr, $stub:ident.$method:ident($request:expr) -> $field:ident) => {{
        let response = $session
            .write($request, |client, request| async move { client.$stub().$method(request).await })
            .await?;
        $session.show(response.$field, &response.revision).await
    }};
}

/// Reads one resource and shows it.
macro_rules! read_and_show {
    ($session:expr, $stub:ident.$method:ident($request:expr) -> $field:ident) => {{
        let response = $session
            .read($request, |client, request| async move { client.$stub().$method(request).await })
            .await?;
        $session.show(response.$field, &response.revision).await
    }};
}

/// Follows the pages of a list under a parent, whose first request is given, and shows them.
macro_rules! list_and_show {
    ($session:expr, $limit:expr, $under:expr, $stub:ident.$method:ident($first:expr) -> $field:ident) => {{
        let first = $first;
        $session
            .list($limit, $under, async |page_size, page_token| {
                let mut request = first.clone();
                request.page_size = page_size;
                request.page_token = page_token;
                let response = $session
                    .read(request, |client, request| async move { client.$stub().$method(request).await })
                    .await?;
                Ok($crate::cli::session::Page { items: response.$field, next: response.next_page_token })
            })
            .await
    }};
}

/// As `list_and_show!`, of a list with a filter: it is shown where it was refused.
macro_rules! filter_and_show {
    ($session:expr, $limit:expr, $under:expr, $stub:ident.$method:ident($first:expr) -> $field:ident) => {{
        let first = $first;
        let filter = first.filter.clone();
        list_and_show!($session, $limit, $under, $stub.$method(first) -> $field)
            .map_err(|error: $crate::error::Error| error.of_filter(&filter))
    }};
}

/// The first request of a list, under a parent if it has one.
macro_rules! list {
    ($Request:ident, $listing:expr $(, parent: $parent:expr)?) => {
        $Request {
            $(parent: $parent,)?
            filter: $listing.filter,
            order_by: $listing.order_by,
            show_deleted: $listing.show_deleted,
            min_revisions: $listing.reading.min_revision,
            ..Default::default()
        }
    };
}

/// The request of an act on one resource: its name and guards, and what else the act says.
macro_rules! act {
    ($Request:ident, $on:expr, $kind:expr $(, $field:ident: $value:expr)* $(,)?) => {
        $Request {
            name: $on.name(&$kind)?,
            etag: $on.etag(),
            request_id: $on.writing.request_id(),
            validate_only: $on.writing.validate_only,
            $($field: $value,)*
        }
    };
}

/// The request of an update: the draft under its name, with the fields to take over.
macro_rules! update {
    ($Request:ident { $field:ident }, $on:expr, $kind:expr, $draft:expr, $changing:expr) => {{
        let mut draft = $draft;
        let update_mask = Some(draft.mask(&$changing)?);
        draft.resource.name = $on.name(&$kind)?;
        if let Some(etag) = &$on.etag {
            draft.resource.etag.clone_from(etag);
        }
        $Request {
            $field: Some(draft.resource),
            update_mask,
            request_id: $on.writing.request_id(),
            validate_only: $on.writing.validate_only,
        }
    }};
}
