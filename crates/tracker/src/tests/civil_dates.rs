//! office.md, section 0: every act has a civil date: today in the portfolio's time zone unless it is given, and never a
//! later one. It is the date of the event.

use jiff::SignedDuration;
use jiff::civil::date;
use milepost_proto::tracker::v1::timeline_entry_service_client::TimelineEntryServiceClient;
use tonic::Status;
use tonic_types::StatusExt;

use super::*;

/// A day of May 2021. In Chongqing it is the 14th, in UTC still the 13th.
fn may(of_month: i8) -> Option<DateMessage> {
    day(date(2021, 5, of_month))
}

async fn office() -> (RegistryServer, Running) {
    let (registry, tracker) = road().await;
    tracker.clock.advance(SignedDuration::from_hours(13));
    (registry, tracker)
}

/// Acts on an entry of a timeline, in the order in which they are possible, and the events that say what they did.
const ACTS: [(&str, &str); 3] = [("publish", "published"), ("withdraw", "withdrawn"), ("revise", "revised")];

/// Makes an entry that tells of another day, and does to it what comes before an act.
async fn make(tracker: &Running, act: &str, id: &str) {
    let request = CreateTimelineEntryRequest {
        parent: "portfolios/wsc".into(),
        timeline_entry_id: id.into(),
        timeline_entry: Some(TimelineEntry {
            date: may(1),
            kind: timeline_entry::Kind::Editorial.into(),
            headline: "规划公布".into(),
            ..TimelineEntry::default()
        }),
        ..CreateTimelineEntryRequest::default()
    };
    let mut client = TimelineEntryServiceClient::new(tracker.channel.clone());
    client.create_timeline_entry(request).await.unwrap();
    for (before, _) in ACTS.iter().take_while(|(before, _)| *before != act) {
        done(tracker, before, id, None, false).await.unwrap();
    }
}

/// Does an act on a day, or only validates it.
async fn done(
    tracker: &Running,
    act: &str,
    id: &str,
    date: Option<DateMessage>,
    validate_only: bool,
) -> Result<(), Status> {
    let (name, etag) = (format!("portfolios/wsc/timelineEntries/{id}"), String::new());
    let (reason, request_id) = ("有误".to_owned(), String::new());
    let mut client = TimelineEntryServiceClient::new(tracker.channel.clone());
    match act {
        "publish" => {
            let request = PublishTimelineEntryRequest { name, etag, request_id, validate_only, date };
            client.publish_timeline_entry(request).await?;
        }
        "withdraw" => {
            let request =
                WithdrawTimelineEntryRequest { name, etag, request_id, validate_only, reason, date };
            client.withdraw_timeline_entry(request).await?;
        }
        _ => {
            let request = ReviseTimelineEntryRequest { name, etag, request_id, validate_only, date };
            client.revise_timeline_entry(request).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_event_of_an_act_is_of_its_day_which_is_today_unless_it_is_given() {
    let (registry, tracker) = office().await;
    for (act, said) in ACTS {
        for (given, day) in [(None, may(14)), (may(14), may(14)), (may(7), may(7))] {
            let id = format!("{act}-{}", given.map_or(0, |given| given.day));
            make(&tracker, act, &id).await;
            done(&tracker, act, &id, given, false).await.unwrap();
            let (event, expected) = (tracker.last_event(), format!("milepost.timeline_entry.{said}"));
            assert_eq!((event.r#type, event.event_date), (expected, day), "{act}");
        }
    }
    drop(registry);
    tracker.stop().await;
}

#[tokio::test]
async fn no_act_is_of_a_day_that_has_not_come() {
    let (registry, tracker) = office().await;
    for (act, _) in ACTS {
        make(&tracker, act, act).await;
        let rows = tracker.rows();
        for validate_only in [true, false] {
            let no_day = DateMessage { year: 2021, month: 2, day: 30 };
            for (date, reason) in [(may(15), "DATE_IN_FUTURE"), (Some(no_day), "INVALID_DATE")] {
                let refused = done(&tracker, act, act, date, validate_only).await.unwrap_err();
                let faults = refused.get_details_bad_request().unwrap().field_violations;
                let faults: Vec<_> = faults.iter().map(|fault| (&*fault.field, &*fault.reason)).collect();
                assert_eq!(faults, [("date", reason)], "{act}");
            }
        }
        done(&tracker, act, act, may(7), true).await.unwrap();
        assert_eq!(tracker.rows(), rows, "{act} changed something");
    }
    drop(registry);
    tracker.stop().await;
}
