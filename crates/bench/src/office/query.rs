//! A query: a call whose answer is timed, or the calls for all its pages. Lists are read as pages, whatever they are of.
//!
//! Requests and pages of all lists have the same fields at the same numbers, so one message of each kind does for every
//! noun.

use bytes::Bytes;
use http::uri::PathAndQuery;
use milepost_client::Client;
use milepost_types::LedgerKind;
use prost::Message;

use crate::system::Error;

/// Milliseconds that a page or a report may take.
pub const PAGE_MS: f64 = 50.0;

/// What is called, and how fast it is to be.
#[derive(Debug, Clone)]
pub struct Query {
    /// What it is of.
    pub noun: &'static str,
    /// Which of it.
    pub title: String,
    /// The target of its median, in milliseconds.
    pub target_ms: f64,
    ledger: LedgerKind,
    /// Its method's path.
    method: &'static str,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// A page of a list, after so many resources.
    Page { request: ListRequest, after: usize },
    /// Whatever is in this message.
    Answer(Bytes),
    /// All pages one after another, whose request has its page token in the field of this number.
    AllPages { request: Bytes, token: u32 },
}

/// What the requests of all lists have in common.
#[derive(Clone, PartialEq, Message)]
struct ListRequest {
    #[prost(string, tag = "1")]
    parent: String,
    #[prost(int32, tag = "2")]
    page_size: i32,
    #[prost(string, tag = "3")]
    page_token: String,
    #[prost(string, tag = "4")]
    filter: String,
    #[prost(string, tag = "5")]
    order_by: String,
}

/// What the pages of all lists have in common.
#[derive(Clone, PartialEq, Message)]
struct Page {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    resources: Vec<Bytes>,
    #[prost(string, tag = "2")]
    next_page_token: String,
}

/// A list of a service, from which its queries are made.
#[derive(Debug, Clone, Copy)]
pub struct List {
    pub noun: &'static str,
    pub ledger: LedgerKind,
    pub method: &'static str,
}

impl List {
    /// The first page of what matches.
    pub fn page(self, parent: &str, filter: &str, order_by: &str, page_size: usize) -> Query {
        let said = [
            if parent.contains("/-") { "across all".to_owned() } else { String::new() },
            filter.to_owned(),
            if order_by.is_empty() { String::new() } else { format!("by {order_by}") },
            format!("page of {page_size}"),
        ];
        let request = ListRequest {
            parent: parent.to_owned(),
            page_size: page_size as i32,
            filter: filter.to_owned(),
            order_by: order_by.to_owned(),
            ..ListRequest::default()
        };
        let said: Vec<_> = said.into_iter().filter(|part| !part.is_empty()).collect();
        self.query(said.join(", "), What::Page { request, after: 0 })
    }

    fn query(self, title: String, what: What) -> Query {
        let Self { noun, ledger, method } = self;
        Query { noun, title, target_ms: PAGE_MS, ledger, method, what }
    }
}

impl Query {
    /// An answer that is no list.
    pub fn answer(list: List, title: &str, request: &impl Message) -> Self {
        list.query(title.to_owned(), What::Answer(request.encode_to_vec().into()))
    }

    /// All pages of an answer, together, whose request has its page token in the field of this number.
    pub fn all_pages(list: List, title: &str, request: &impl Message, token: u32, target_ms: f64) -> Self {
        let request = request.encode_to_vec().into();
        Self { target_ms, ..list.query(title.to_owned(), What::AllPages { request, token }) }
    }

    /// The same, with a target of its own.
    pub fn within(self, target_ms: f64) -> Self {
        Self { target_ms, ..self }
    }

    /// The page of a list after so many resources.
    pub fn deep(mut self, resources: usize) -> Self {
        if let What::Page { after, .. } = &mut self.what {
            *after = resources;
            self.title = format!("{}, after {resources}", self.title);
        }
        self
    }

    /// Asks for it once, and finds the place of a deep page before.
    pub async fn prepare(&self, client: &Client) -> Result<(Prepared, Seen), Error> {
        let body = match &self.what {
            What::Page { request, after } => self.place(client, request, *after).await?,
            What::Answer(body) | What::AllPages { request: body, .. } => body.clone(),
        };
        let token = if let What::AllPages { token, .. } = self.what { Some(token) } else { None };
        let prepared = Prepared {
            title: format!("{}: {}", self.noun, self.title),
            ledger: self.ledger,
            path: PathAndQuery::from_static(self.method),
            body,
            token,
        };
        let pages = prepared.call(client).await?;
        let mut seen = Seen { bytes: pages.iter().map(Bytes::len).sum(), ..Seen::default() };
        if matches!(self.what, What::Answer(_)) {
            return Ok((prepared, seen));
        }
        for page in pages {
            let page = Page::decode(page)?;
            *seen.rows.get_or_insert(0) += page.resources.len();
            if let What::Page { request, .. } = &self.what {
                let is_short = page.resources.len() < request.page_size as usize;
                seen.is_cut = is_short && !page.next_page_token.is_empty();
            }
        }
        Ok((prepared, seen))
    }

    /// The request for the page after so many resources, or the last page if there are fewer.
    async fn place(&self, client: &Client, request: &ListRequest, after: usize) -> Result<Bytes, Error> {
        let (mut walked, mut request) = (0, request.clone());
        while walked < after {
            // A page token is good for pages of any size.
            let page_size = (after - walked).min(1000) as i32;
            let wide = ListRequest { page_size, ..request.clone() };
            let path = PathAndQuery::from_static(self.method);
            let body = Bytes::from(wide.encode_to_vec());
            let answer = client.unary(self.ledger, path, tonic::Request::new(body)).await?.into_inner();
            let page = Page::decode(answer)?;
            if page.next_page_token.is_empty() {
                break;
            }
            walked += page.resources.len();
            request.page_token = page.next_page_token;
        }
        Ok(request.encode_to_vec().into())
    }
}

/// What an answer holds.
#[derive(Debug, Default)]
pub struct Seen {
    /// How many resources; none if it is no list.
    pub rows: Option<usize>,
    /// Whether the page is shorter than it may be, and not the last: the server cut a long search, or a large answer.
    pub is_cut: bool,
    pub bytes: usize,
}

/// A query that can be called.
#[derive(Debug)]
pub struct Prepared {
    title: String,
    ledger: LedgerKind,
    path: PathAndQuery,
    body: Bytes,
    /// Where the token of the next page goes, if all pages are called for.
    token: Option<u32>,
}

impl Prepared {
    /// Calls it once; the pages of the answer as they came.
    pub async fn call(&self, client: &Client) -> Result<Vec<Bytes>, Error> {
        let mut pages = vec![self.page(client, self.body.clone()).await?];
        while let (Some(tag), Some(last)) = (self.token, pages.last()) {
            let next = Page::decode(last.clone())?.next_page_token;
            if next.is_empty() {
                break;
            }
            let mut body = self.body.to_vec();
            prost::encoding::string::encode(tag, &next, &mut body);
            pages.push(self.page(client, body.into()).await?);
        }
        Ok(pages)
    }

    async fn page(&self, client: &Client, body: Bytes) -> Result<Bytes, Error> {
        let request = tonic::Request::new(body);
        let answer = client.unary(self.ledger, self.path.clone(), request).await;
        let answer = answer.map_err(|status| format!("{}: {}", self.title, status.message()))?;
        Ok(answer.into_inner())
    }
}
