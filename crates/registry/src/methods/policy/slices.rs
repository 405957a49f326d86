//! What many organizations are asked, slice by slice.
//!
//! Invariant: no slice costs much more than a bound, however many projects one organization has. Rows are read on one
//! thread; what they mean for policies is found on as many as there are processors, and encoded where it is found.

use std::cmp::Ordering;
use std::iter;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use milepost_proto::registry::v1::policy_match::Outcome;
use milepost_proto::registry::v1::{Organization, Project};
use milepost_resource::{Checked, Name, in_parts};
use milepost_service::access::Scopes;
use milepost_types::{Rejection, ResourceName};
use prost::Message;

use crate::policy::ask::{self, Question, Slice, Subject};
use crate::policy::expression::Language;
use crate::tables::Rows;

/// Pairs of policies and organizations that are looked at in one go.
const PAIRS_AT_ONCE: usize = 1_000;
/// What one slice of an organization costs: its projects are looked at on several threads.
const SLICE: usize = 2_000;

/// Resources as they are stored, each by its name.
pub(super) type Stored<R> = Vec<(Name<R>, Bytes)>;

/// Where a page of many organizations ended: the token of the list of organizations that it was in, and its last answer,
/// or where what was not looked at begins.
pub(super) struct Mark {
    pub(super) list: String,
    pub(super) last: Vec<u8>,
}

impl Mark {
    pub(super) fn encode(&self) -> Vec<u8> {
        [self.list.as_bytes(), b"\n", &self.last].concat()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let at = bytes.iter().position(|byte| *byte == b'\n')?;
        let list = std::str::from_utf8(&bytes[..at]).ok()?.to_owned();
        Some(Self { list, last: bytes[at + 1..].to_vec() })
    }

    /// The organization and the project that it is at.
    fn at(&self) -> (&str, Option<Name<Project>>) {
        let mut ids =
            self.last.split(|byte| *byte == 0).map(|id| std::str::from_utf8(id).unwrap_or_default());
        let organization = ids.next().unwrap_or_default();
        let project = ids.take(2).map(|id| id.parse().ok()).collect::<Option<Vec<_>>>();
        (organization, project.and_then(Name::of))
    }

    /// With which project to go on looking at this organization; none: with itself. Nothing if it was looked at.
    fn from(&self, organization: &Name<Organization>) -> Option<Option<Name<Project>>> {
        let (last, project) = self.at();
        match organization.id().as_str().cmp(last) {
            Ordering::Less => None,
            Ordering::Equal => Some(project),
            Ordering::Greater => Some(None),
        }
    }
}

/// An encoded answer, behind where it stands.
pub(super) type Found = (Vec<u8>, Bytes);

/// Organizations that are to be looked at, slice by slice.
pub(super) struct Slices<'a, 'b> {
    rows: &'a Rows<'b>,
    scopes: &'a Scopes,
    question: &'a Question,
    organizations: std::vec::IntoIter<(Name<Organization>, Bytes)>,
    /// The organization that is next, and with which of its projects; none: with itself.
    at: Option<(Checked<Organization>, Option<Name<Project>>)>,
}

impl<'a, 'b> Slices<'a, 'b> {
    /// Those that come after where a page before ended.
    pub(super) fn of(
        rows: &'a Rows<'b>,
        scopes: &'a Scopes,
        question: &'a Question,
        organizations: Stored<Organization>,
        mark: &Mark,
    ) -> Result<Self, Rejection> {
        let mut organizations = organizations.into_iter();
        let first = organizations.by_ref().find_map(|(name, row)| Some((mark.from(&name)?, name, row)));
        let at = first.map(|(from, name, row)| Ok::<_, Rejection>((rows.read(&name, row)?, from)));
        Ok(Self { rows, scopes, question, organizations, at: at.transpose()? })
    }

    /// Where what is next begins; none: all were looked at.
    pub(super) fn place(&self) -> Option<Vec<u8>> {
        let (organization, from) = self.at.as_ref()?;
        Some(ask::place(organization.name().id().as_str(), from.as_ref()))
    }

    /// The slice of this organization that begins with this project, or with itself.
    fn slice(
        &mut self,
        organization: Checked<Organization>,
        from: Option<&Name<Project>>,
    ) -> Result<Slice, Rejection> {
        let (rows, scopes, matchers) = (self.rows, self.scopes, &self.question.matchers);
        let slice = Subject::slice(rows, scopes, organization, matchers, (from, SLICE))?;
        self.at = match &slice.next {
            Some(next) => Some((slice.subject.organization.clone(), Some(next.clone()))),
            None => match self.organizations.next() {
                Some((name, row)) => Some((rows.read(&name, row)?, None)),
                None => None,
            },
        };
        Ok(slice)
    }
}

impl Iterator for Slices<'_, '_> {
    type Item = Result<Slice, Rejection>;

    fn next(&mut self) -> Option<Self::Item> {
        let (organization, from) = self.at.take()?;
        Some(self.slice(organization, from.as_ref()))
    }
}

/// How the policies stand to those in the next slices, in order, and what they cost: as many as may cost so much, until so
/// many bytes were found. A slice is read while those before it are looked at.
pub(super) fn found(
    slices: &mut Slices<'_, '_>,
    outcomes: &[Outcome],
    (most_cost, most_bytes): (usize, usize),
) -> Result<(impl Iterator<Item = Found> + use<>, usize), Rejection> {
    let question = slices.question;
    let (mut spent, bytes) = (0, AtomicUsize::new(0));
    let subjects = iter::from_fn(|| {
        if spent >= most_cost || bytes.load(Relaxed) > most_bytes {
            return None;
        }
        Some(slices.next()?.map(|Slice { subject, cost, .. }| {
            spent += cost;
            subject
        }))
    });
    let is_wanted = |outcome| outcomes.is_empty() || outcomes.contains(&outcome);
    let size = PAIRS_AT_ONCE.div_ceil(question.matchers.len().max(1));
    let parts = in_parts(subjects, size, |subjects| {
        let language = Language::of(question.on);
        // Of each, one answer for each policy, or few if few are wanted: a page may have hundreds of thousands.
        let most = subjects.len() * question.matchers.len();
        let mut found = Vec::with_capacity(if outcomes.is_empty() { most } else { 0 });
        for subject in subjects {
            let subject = subject?;
            let mut answers = question.ask(&language, &subject, is_wanted, ask::by_project);
            answers.sort_unstable_by(|one, other| one.key.cmp(&other.key));
            found.extend(answers.into_iter().map(|answer| {
                let encoded = Bytes::from(question.message(&language, &subject, &answer).encode_to_vec());
                bytes.fetch_add(encoded.len(), Relaxed);
                (answer.key, encoded)
            }));
        }
        Ok(found)
    });
    let parts = parts.into_iter().collect::<Result<Vec<_>, Rejection>>()?;
    Ok((parts.into_iter().flatten(), spent))
}
