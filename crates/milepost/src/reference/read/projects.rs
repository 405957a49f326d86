//! Reads projects, milestones and concentrated starts.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use milepost_proto::registry::v1::{
    Batch as BatchMessage, ListBatchesRequest, ListBatchesResponse, ListProjectsRequest,
    ListProjectsResponse, Project, batch,
};
use milepost_proto::tracker::v1::milestone::{Outlook, State};
use milepost_proto::tracker::v1::{ListMilestonesRequest, ListMilestonesResponse, Milestone};

use super::{PAGE, Reader, amount, status_of};
use crate::error::Error;
use crate::output::value::civil_date;
use crate::reference::view::{Batch, MilestoneState, Projects, Sum};

impl Reader<'_> {
    /// The projects as they are today, and how many started on which days up to that of the page.
    pub(super) async fn projects(&mut self) -> Result<(Projects, Vec<(Date, u64)>), Error> {
        let (mut projects, mut by_status) = (Projects::default(), BTreeMap::<i32, u64>::new());
        let (mut starts, mut titles) = (BTreeMap::<Date, u64>::new(), HashMap::new());
        let request = |page_token| ListProjectsRequest {
            parent: self.name.clone(),
            page_size: PAGE,
            page_token,
            ..ListProjectsRequest::default()
        };
        let split = |page: ListProjectsResponse| (page.projects, page.next_page_token);
        let each = |project: Project| {
            projects.count += 1;
            projects.key += u64::from(project.key == Some(true));
            *by_status.entry(project.status).or_default() += 1;
            let start = project.actual_period.and_then(|period| civil_date(period.start_date));
            if let Some(start) = start.filter(|start| *start <= self.date) {
                *starts.entry(start).or_default() += 1;
            }
            titles.insert(project.name, self.title(&project.display_name, &project.translations));
        };
        self.list("projects", request, split, each).await?;
        let statuses = by_status.into_iter();
        projects.by_status = statuses.map(|(status, count)| (status_of(status), count)).collect();
        self.titles = titles;
        Ok((projects, starts.into_iter().collect()))
    }

    pub(super) async fn milestones(&self) -> Result<Vec<(MilestoneState, u64)>, Error> {
        let mut counts = BTreeMap::<MilestoneState, u64>::new();
        let request = |page_token| ListMilestonesRequest {
            parent: format!("{}/projects/-", self.name),
            page_size: PAGE,
            page_token,
            ..ListMilestonesRequest::default()
        };
        let split = |page: ListMilestonesResponse| (page.milestones, page.next_page_token);
        let each = |milestone: Milestone| *counts.entry(milestone_state(&milestone)).or_default() += 1;
        self.list("milestones", request, split, each).await?;
        Ok(counts.into_iter().collect())
    }

    /// The concentrated starts: those up to the day of the page, and if that is today, those to come.
    pub(super) async fn batches(&self) -> Result<Vec<Batch>, Error> {
        let mut batches = Vec::new();
        let request = |page_token| ListBatchesRequest {
            parent: self.name.clone(),
            page_size: PAGE,
            page_token,
            order_by: "start_date".to_owned(),
            ..ListBatchesRequest::default()
        };
        let split = |page: ListBatchesResponse| (page.batches, page.next_page_token);
        let each = |batch: BatchMessage| {
            let is_shown =
                self.is_today || civil_date(batch.start_date).is_some_and(|date| date <= self.date);
            if is_shown && batch.state() != batch::State::Cancelled {
                batches.push(self.batch(&batch));
            }
        };
        self.list("concentrated starts", request, split, each).await?;
        Ok(batches)
    }

    fn batch(&self, batch: &BatchMessage) -> Batch {
        Batch {
            title: self.title(&batch.display_name, &batch.translations),
            date: civil_date(batch.start_date),
            is_started: batch.state() == batch::State::Started,
            declared: Sum {
                count: batch.declared_count.map(i64::from),
                amounts: batch.declared_investment.iter().map(amount).collect(),
                without_amount: 0,
            },
            registered: Sum {
                count: Some(batch.registered_count.into()),
                amounts: batch.registered_investments.iter().map(amount).collect(),
                without_amount: batch.registered_without_investment_count.into(),
            },
        }
    }
}

fn milestone_state(milestone: &Milestone) -> MilestoneState {
    match (milestone.state(), milestone.outlook()) {
        (State::Achieved, _) => MilestoneState::Achieved,
        (State::PartiallyAchieved, _) => MilestoneState::PartiallyAchieved,
        (State::NotMet, _) => MilestoneState::NotMet,
        (State::Cancelled, _) => MilestoneState::Cancelled,
        (_, Outlook::Unspecified) => MilestoneState::Undated,
        (_, Outlook::OnTrack) => MilestoneState::OnTrack,
        (_, Outlook::DueSoon) => MilestoneState::DueSoon,
        (_, Outlook::AtRisk) => MilestoneState::AtRisk,
        (_, Outlook::Late) => MilestoneState::Late,
        (_, Outlook::Overdue) => MilestoneState::Overdue,
    }
}
