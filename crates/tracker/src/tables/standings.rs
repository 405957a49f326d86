//! Tables 73 and 74: how the members of each campaign stood, as was found when a day had passed, and as sign-offs froze it.
//!
//! Keys: see [`super`]. Value: the encoded `tracker.v1.CampaignStandings`, as in the event that says it. Put by
//! `milepost.campaign.standings_computed`.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::key::{Key, date_of, ordered_date};
use milepost_ledger::{Direction, KeyRange, Read, Row, Write};
use milepost_proto::google::r#type as gtype;
use milepost_proto::tracker::v1::CampaignStandings;
use milepost_resource::{Unreadable, date};
use milepost_types::DamagedRow;
use prost::Message;

use super::Table;
use crate::names::CampaignName;

/// What of standings their key is made of, with the numbers of the schema.
#[derive(Clone, PartialEq, prost::Message)]
struct StandingsView {
    #[prost(string, tag = "1")]
    campaign: String,
    #[prost(message, optional, tag = "2")]
    date: Option<gtype::Date>,
    #[prost(int32, tag = "5")]
    sign_off: i32,
}

/// The key of these standings.
fn key(value: &Bytes) -> Result<Vec<u8>, Unreadable> {
    let view = StandingsView::decode(value.clone())?;
    let name: CampaignName = view.campaign.parse().map_err(Unreadable::new)?;
    if let Some(number) = u32::try_from(view.sign_off).ok().filter(|number| *number > 0) {
        return Ok(under(Table::FrozenStandings, &name).bytes(&number.to_be_bytes()).done());
    }
    let day = date(view.date.as_ref()).ok_or_else(|| Unreadable::of("date", "is no date"))?;
    Ok(under(Table::DailyStandings, &name).bytes(&ordered_date(day)).done())
}

fn under(table: Table, name: &CampaignName) -> Key {
    name.ids().iter().fold(Key::of(table), Key::under)
}

/// Refuses standings that cannot be put.
///
/// # Errors
/// If they cannot be decoded, or are of no campaign or no day.
pub(crate) fn check(value: &Bytes) -> Result<(), Unreadable> {
    key(value)?;
    CampaignStandings::decode(value.clone())?;
    Ok(())
}

/// Sets standings, of a day or of a sign-off.
///
/// # Errors
/// If they are of no campaign or no day.
pub(crate) fn put(rows: &mut dyn Write, value: Bytes) -> Result<(), Unreadable> {
    rows.put(key(&value)?, value);
    Ok(())
}

/// The standings of a day, as they were found when it had passed.
///
/// # Errors
/// If the row cannot be decoded; so with the others.
pub(crate) fn of_day(
    rows: &dyn Read,
    name: &CampaignName,
    day: Date,
) -> Result<Option<CampaignStandings>, DamagedRow> {
    let key = under(Table::DailyStandings, name).bytes(&ordered_date(day)).done();
    rows.get(&key).map(|value| read(Table::DailyStandings, &key, value)).transpose()
}

/// The last day before this one whose standings were found.
pub(crate) fn last_day(rows: &dyn Read, name: &CampaignName, before: Date) -> Option<Date> {
    let (key, _) = last(rows, name, before)?;
    date_of(key.get(key.len().checked_sub(ordered_date(before).len())?..)?)
}

/// The last standings that were found of a day before this one.
pub(crate) fn before(
    rows: &dyn Read,
    name: &CampaignName,
    day: Date,
) -> Result<Option<CampaignStandings>, DamagedRow> {
    last(rows, name, day).map(|(key, value)| read(Table::DailyStandings, &key, value)).transpose()
}

fn last(rows: &dyn Read, name: &CampaignName, before: Date) -> Option<Row> {
    let range = KeyRange::prefix(&under(Table::DailyStandings, name).done());
    let end = under(Table::DailyStandings, name).bytes(&ordered_date(before)).done();
    rows.scan(&KeyRange { end: Some(end), ..range }, Direction::Backward).next()
}

/// The standings that a sign-off froze.
pub(crate) fn of_sign_off(
    rows: &dyn Read,
    name: &CampaignName,
    number: u32,
) -> Result<Option<CampaignStandings>, DamagedRow> {
    let key = under(Table::FrozenStandings, name).bytes(&number.to_be_bytes()).done();
    rows.get(&key).map(|value| read(Table::FrozenStandings, &key, value)).transpose()
}

fn read(table: Table, key: &[u8], value: Bytes) -> Result<CampaignStandings, DamagedRow> {
    CampaignStandings::decode(value).map_err(|error| table.damaged(key, error))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use milepost_resource::date_message;

    use super::*;
    use crate::tests::world::Rows;

    fn standings(day: Date, sign_off: i32) -> Bytes {
        let campaign = "portfolios/wsc/campaigns/c".to_owned();
        let date = Some(date_message(day));
        CampaignStandings { campaign, date, sign_off, ..CampaignStandings::default() }.encode_to_vec().into()
    }

    /// Persisted: stores hold these bytes.
    #[test]
    fn the_keys_never_change_and_rows_are_read_back() {
        let (mut rows, name) = (Rows::default(), "portfolios/wsc/campaigns/c".parse().unwrap());
        let (first, second) = (date(2021, 4, 18), date(2021, 4, 19));
        put(&mut rows, standings(second, 0)).unwrap();
        put(&mut rows, standings(first, 0)).unwrap();
        put(&mut rows, standings(second, 2)).unwrap();
        let keys: Vec<_> = rows.0.keys().map(|key| &key[..]).collect();
        let days: [&[u8]; 2] = [b"\x49wsc\0c\0\x07\xe5\x04\x12", b"\x49wsc\0c\0\x07\xe5\x04\x13"];
        assert_eq!(keys, [days[0], days[1], &b"\x4awsc\0c\0\0\0\0\x02"[..]]);
        let day = |standings: Option<CampaignStandings>| standings.and_then(|found| found.date);
        assert_eq!(day(of_day(&rows, &name, first).unwrap()), Some(date_message(first)));
        assert_eq!(day(of_day(&rows, &name, date(2021, 4, 20)).unwrap()), None);
        assert_eq!(day(before(&rows, &name, date(2021, 5, 1)).unwrap()), Some(date_message(second)));
        assert_eq!(day(before(&rows, &name, second).unwrap()), Some(date_message(first)));
        assert_eq!(before(&rows, &name, first), Ok(None));
        let last = [date(2021, 5, 1), second, first].map(|day| last_day(&rows, &name, day));
        assert_eq!(last, [Some(second), Some(first), None]);
        assert_eq!(of_sign_off(&rows, &name, 2).unwrap().map(|found| found.sign_off), Some(2));
        assert_eq!(of_sign_off(&rows, &name, 1), Ok(None));
        assert!(check(&Bytes::from_static(b"\x0a\x01x")).is_err());
    }
}
