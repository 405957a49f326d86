//! Templates: sets of milestones that projects have in common, in versions that are in force from a day on.
//!
//! `version` has the rules of versions, `items` finds what is wrong with what they consist of. `apply` makes milestones of
//! them, on the dates of `plan`, and brings those up to a later version. What such milestones have beyond others stands in
//! `made` (how they are found), `settled` (what they satisfy, and what keeps what they bring), `validity` (how long), `acts`
//! (what may be done) and `days` (what a day ends); `requirements` answers what a project still needs. Invariant: what was
//! published never changes, so that what a project was made of can be read for ever. A template without versions that are
//! not deleted may be deleted; the milestones that were made of it stay.

mod acts;
mod apply;
pub(crate) mod days;
mod items;
mod made;
mod plan;
mod requirements;
mod settled;
mod validity;
mod version;

#[cfg(test)]
mod tests;

use milepost_proto::tracker::v1::{Template, TemplateVersion};
use milepost_resource::{Checked, Presence, Rules};
use milepost_types::Rejection;

pub(crate) use acts::{
    Extend, JointReport, achieve, achieve_coupled, check_deletion, check_update, extend, reforecast_with,
    reopen,
};
pub(crate) use apply::{Application, DATE_UNKNOWN, Dates, Which, apply, of_project, upgrade};
pub(crate) use made::{
    BY_COUPLING, BY_MEMBER, BY_REQUIREMENT, BY_TYPE, BY_UNTIL_TYPE, FILE_BY, NEXT_EXPIRY, is_made,
};
pub(crate) use plan::ProjectDays;
pub(crate) use requirements::{RequirementQuery, page};
pub(crate) use settled::{Settled, settle_all, settled_besides, take_back};
pub(crate) use validity::announcements;
pub(crate) use version::publish;

use crate::decide::{Scope, Tracker};
use crate::parent::Followed;

impl Rules<Tracker> for Template {
    type Above = Followed<Self>;

    const TABLE: u8 = 55;
    const TABLE_NAME: &'static str = "tracker.template";
    const ID_PREFIX: char = 't';

    fn release(scope: &Scope<'_>, template: &Checked<Self>) -> Result<(), Rejection> {
        for found in scope.rows.under::<TemplateVersion>(template.name().ids(), None) {
            let (name, _) = found?;
            if scope.rows.presence(&name)? == Presence::Present {
                return Err(Rejection::precondition(
                    "HAS_VERSIONS",
                    name.to_string(),
                    "the template has versions that are not deleted, of which this is one",
                ));
            }
        }
        Ok(())
    }
}
