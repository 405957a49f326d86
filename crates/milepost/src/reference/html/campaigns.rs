//! Campaigns: a table of the members, with bars.

use super::{Writer, framed, paragraph};
use crate::output::markup::escaped;
use crate::output::standings::{Score, Standing};
use crate::reference::phrases::ABSENT;
use crate::reference::view::Campaign;

impl Writer<'_> {
    pub(super) fn campaigns(&self) -> String {
        let campaigns = &self.view.campaigns;
        if campaigns.is_empty() {
            return String::new();
        }
        let content: String = campaigns.iter().map(|campaign| self.campaign(campaign)).collect();
        self.section("campaigns", self.words.campaigns(), &content)
    }

    fn campaign(&self, campaign: &Campaign) -> String {
        let words = self.words;
        let mut out = format!(
            "<article>\n<h3>{}</h3>\n{}{}",
            escaped(&campaign.title),
            paragraph("note", &words.about_campaign(campaign)),
            paragraph("text", &campaign.description),
        );
        if campaign.standings.is_empty() {
            out += &self.nothing(words.no_members());
            return out + "</article>\n";
        }
        let scores = campaign.criteria.iter().map(|criterion| {
            format!("<th scope=\"col\" class=\"score\">{}</th>", escaped(&words.criterion(criterion)))
        });
        let head = format!(
            "<tr><th scope=\"col\" class=\"number\">{}</th><th scope=\"col\">{}</th><th scope=\"col\" \
             class=\"number\">{}</th><td class=\"bar\"></td>{}</tr>",
            words.rank(),
            words.project(),
            words.total(),
            scores.collect::<String>(),
        );
        let rows: String =
            campaign.standings.iter().map(|standing| self.standing(campaign, standing)).collect();
        out += &framed("standings", &campaign.title, &head, &format!("<tbody>\n{rows}</tbody>\n"));
        if campaign.more > 0 {
            out += &paragraph("note", &words.more_members(campaign.more, campaign.more_unranked));
        }
        out + "</article>\n"
    }

    fn standing(&self, campaign: &Campaign, standing: &Standing) -> String {
        let rank = match standing.rank {
            None => self.absent(ABSENT),
            Some(rank) => format!("<strong>{rank}</strong>"),
        };
        let note = self.words.standing_note(campaign, standing);
        let note = match note.is_empty() {
            true => String::new(),
            false => format!("<br/><small>{}</small>", escaped(&note)),
        };
        let (total, bar) = match &standing.total {
            Some(total) => (format!("<strong>{}</strong>", escaped(total)), self.share_bar(total)),
            None => (self.absent(ABSENT), String::new()),
        };
        let scores = standing.scores.iter().zip(&campaign.criteria);
        let scores: String = scores
            .map(|(score, criterion)| self.score(&self.words.criterion_title(criterion), score))
            .collect();
        format!(
            "<tr><td class=\"number\">{rank}</td><th scope=\"row\">{}{note}</th><td class=\"number\">{total}</td>\
             <td class=\"bar\">{bar}</td>{scores}</tr>\n",
            escaped(&standing.title),
        )
    }

    /// A score over its bar, or why there is none; a phone shows by what it is beside it.
    fn score(&self, of: &str, score: &Score) -> String {
        let words = self.words;
        let shown = match &score.value {
            Some(value) => {
                let least =
                    if score.is_lower_bound { format!("{} ", words.at_least()) } else { String::new() };
                let bar = self.share_bar(value);
                format!("{least}{}{bar}", escaped(value))
            }
            None => {
                let why: Vec<String> = score.why.iter().map(|why| words.why(why)).collect();
                self.absent(&if why.is_empty() { ABSENT.to_owned() } else { why.join(words.comma()) })
            }
        };
        format!("<td class=\"score\"><small class=\"of\">{}</small>{shown}</td>", escaped(of))
    }
}
