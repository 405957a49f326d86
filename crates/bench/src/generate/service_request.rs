//! What units of projects ask of their liaison officers, and what became of it.
//!
//! Invariant: the acts on a request are in the order of their days.

use milepost_proto::tracker::v1::{
    AcceptServiceRequestRequest, AnswerServiceRequestRequest, CreateServiceRequestRequest,
    PauseServiceRequestRequest, RateServiceRequestRequest, ResumeServiceRequestRequest,
    ReturnServiceRequestRequest, ServiceRequest, WithdrawServiceRequestRequest,
};

use jiff::civil::Date;

use super::draw::Draw;
use super::step::Step;
use super::value::{date, days, days_between, labels, marked};
use super::world::{Project, World};

const TITLES: [&str; 8] = [
    "施工用电报装",
    "渣土运输通行证",
    "夜间施工许可",
    "临时用地续期",
    "管线迁改协调",
    "农民工工资专户",
    "用工招聘",
    "贷款对接",
];

/// Adds the requests of a project that was started, with the acts on each.
pub fn ask(world: &World, project: &Project, step: &mut Step) {
    let mut draw = world.draw("requests", project.number);
    let last = if project.is_built() { project.expected.end } else { world.plan.until };
    let span = days_between(project.expected.start, last);
    if !project.is_started() || span < 1 {
        return;
    }
    for number in 0..draw.between(0, 4) {
        let asked = days(project.expected.start, draw.between(0, span));
        request(world, project, number, asked, &mut draw, step);
    }
}

fn request(world: &World, project: &Project, number: i64, asked: Date, draw: &mut Draw, step: &mut Step) {
    let id = format!("r{number}");
    let parent = world.project_name(project.number);
    let request = ServiceRequest {
        title: marked(draw.pick(&TITLES)),
        text: "请协调办理。".into(),
        requester_organization: world.organization_name(project.number % world.organizations),
        request_date: Some(date(asked)),
        due_date: (!draw.happens(10)).then(|| date(days(asked, draw.between(5, 30)))),
        labels: labels([("synthetic", "true")]),
        ..Default::default()
    };
    step.resources += 1;
    step.tracker(
        "/milepost.tracker.v1.ServiceRequestService/CreateServiceRequest",
        CreateServiceRequestRequest {
            parent: parent.clone(),
            service_request_id: id.clone(),
            service_request: Some(request),
            ..Default::default()
        },
    );
    let mut acts =
        Acts { name: format!("{parent}/serviceRequests/{id}"), day: asked, until: world.plan.until };
    acts.go_on(draw, step);
}

/// What is done with a request, day after day, as far as the days have come.
struct Acts {
    name: String,
    day: Date,
    until: Date,
}

impl Acts {
    /// The day of the next act, if it has come.
    fn next(&mut self, draw: &mut Draw, most: i64) -> Option<milepost_proto::google::r#type::Date> {
        self.day = days(self.day, draw.between(0, most));
        (self.day <= self.until).then(|| date(self.day))
    }

    fn go_on(&mut self, draw: &mut Draw, step: &mut Step) -> Option<()> {
        let name = self.name.clone();
        let day = Some(self.next(draw, 6)?);
        if draw.happens(4) {
            let request = WithdrawServiceRequestRequest { name, date: day, ..Default::default() };
            step.tracker("/milepost.tracker.v1.ServiceRequestService/WithdrawServiceRequest", request);
            return None;
        }
        let request = AcceptServiceRequestRequest { name: name.clone(), date: day, ..Default::default() };
        step.tracker("/milepost.tracker.v1.ServiceRequestService/AcceptServiceRequest", request);
        if draw.happens(10) {
            self.pause(draw, step)?;
        }
        self.answer(draw, step)?;
        if draw.happens(12) {
            let (date, reason) = (Some(self.next(draw, 8)?), "未解决".to_owned());
            let request =
                ReturnServiceRequestRequest { name: name.clone(), date, reason, ..Default::default() };
            step.tracker("/milepost.tracker.v1.ServiceRequestService/ReturnServiceRequest", request);
            self.answer(draw, step)?;
        }
        if !draw.happens(15) {
            let date = Some(self.next(draw, 10)?);
            let rating = draw.pick(&[5, 5, 4, 4, 4, 3, 2, 1]);
            let request = RateServiceRequestRequest { name, date, rating, ..Default::default() };
            step.tracker("/milepost.tracker.v1.ServiceRequestService/RateServiceRequest", request);
        }
        Some(())
    }

    fn pause(&mut self, draw: &mut Draw, step: &mut Step) -> Option<()> {
        let name = self.name.clone();
        let request = PauseServiceRequestRequest {
            name: name.clone(),
            date: Some(self.next(draw, 5)?),
            reason: "等待上级批复".into(),
            code: "waiting-approval".into(),
            ..Default::default()
        };
        step.tracker("/milepost.tracker.v1.ServiceRequestService/PauseServiceRequest", request);
        let request =
            ResumeServiceRequestRequest { name, date: Some(self.next(draw, 20)?), ..Default::default() };
        step.tracker("/milepost.tracker.v1.ServiceRequestService/ResumeServiceRequest", request);
        Some(())
    }

    fn answer(&mut self, draw: &mut Draw, step: &mut Step) -> Option<()> {
        let request = AnswerServiceRequestRequest {
            name: self.name.clone(),
            date: Some(self.next(draw, 25)?),
            text: "已协调解决。".into(),
            ..Default::default()
        };
        step.tracker("/milepost.tracker.v1.ServiceRequestService/AnswerServiceRequest", request);
        Some(())
    }
}
