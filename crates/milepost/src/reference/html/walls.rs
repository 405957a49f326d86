//! Warnings: a wall of lights, project by period.
//!
//! Invariant: a light is a letter besides a colour, and the colours differ in how dark they are, so that they do on paper
//! without colours.

use super::{Writer, framed, paragraph};
use crate::output::markup::escaped;
use crate::output::text;
use crate::output::wall::{LIGHTS, Light, Wall, place};
use crate::reference::view::Warnings;

/// The classes of lights, in the order of [`LIGHTS`].
const CLASSES: [&str; 4] = ["red", "yellow", "none", "green"];

impl Writer<'_> {
    pub(super) fn warnings(&self) -> String {
        let words = self.words;
        if self.view.warnings.is_empty() {
            return String::new();
        }
        let mut content: String = self.view.warnings.iter().map(|warnings| self.wall(warnings)).collect();
        if !self.view.is_today {
            content += &self.nothing(words.warnings_as_of_today());
        }
        self.section("warnings", words.warnings(), &content)
    }

    fn wall(&self, Warnings { title, description, wall }: &Warnings) -> String {
        let words = self.words;
        let mut out = format!("<article>\n<h3>{}</h3>\n{}", escaped(title), paragraph("text", description));
        let (Some(last), Some(counts)) = (wall.periods.last(), wall.counts.last()) else {
            out += &self.nothing(words.no_warnings());
            return out + "</article>\n";
        };
        out += &paragraph("lead", &words.light_counts(*last, *counts));
        let rows: String = wall.rows.iter().map(|row| self.lights(wall, &row.title, &row.lights)).collect();
        let bodies =
            format!("<tbody>\n{rows}</tbody>\n<tbody class=\"counts\">\n{}</tbody>\n", self.counts(wall));
        out += &framed("wall", title, &self.periods(wall), &bodies);
        out += &self.wall_key();
        out += &paragraph("note", &words.not_in_wall(wall.more_rows, 0));
        out += &paragraph("note", &words.not_counted(wall.uncounted()));
        out + "</article>\n"
    }

    /// The years and the months that stand above the lights.
    fn periods(&self, wall: &Wall) -> String {
        let year = |(periods, year): (usize, i16)| {
            format!("<th scope=\"colgroup\" colspan=\"{periods}\">{year}</th>")
        };
        let month = |month: Option<i8>| match month {
            Some(month) => format!("<th scope=\"col\">{month}</th>"),
            None => "<td></td>".to_owned(),
        };
        let years: String = wall.years().into_iter().map(year).collect();
        let months: String = wall.months().into_iter().map(month).collect();
        format!("<tr class=\"years\"><td></td>{years}</tr><tr><td></td>{months}</tr>")
    }

    /// The row of a project.
    fn lights(&self, wall: &Wall, title: &str, lights: &[Option<Light>]) -> String {
        let cells = wall.periods.iter().zip(lights).map(|(period, light)| {
            let letter = self.words.letters().of(*light);
            let Some(light) = light else { return format!("<td>{letter}</td>") };
            let excused =
                if light.is_excused { format!(", {}", self.words.excused()) } else { String::new() };
            let class = if light.is_excused { " excused" } else { "" };
            format!(
                "<td class=\"light {}{class}\" title=\"{period}: {}{excused}\">{letter}</td>",
                CLASSES[place(light.shown)],
                self.words.light(light.shown),
            )
        });
        format!("<tr><th scope=\"row\">{}</th>{}</tr>\n", escaped(title), cells.collect::<String>())
    }

    /// How many projects have which light, period by period.
    fn counts(&self, wall: &Wall) -> String {
        let row = |(place, light): (usize, &_)| {
            let uncounted = std::iter::repeat_n(0, wall.uncounted());
            let counts = uncounted.chain(wall.counts.iter().map(|counts| counts[place]));
            let cells = counts.map(|count| match count {
                0 => "<td></td>".to_owned(),
                count => format!("<td>{}</td>", text::grouped(&count.to_string())),
            });
            format!(
                "<tr><th scope=\"row\">{}</th>{}</tr>\n",
                self.words.light(*light),
                cells.collect::<String>()
            )
        };
        let is_there = |(place, _): &(usize, &_)| wall.counts.iter().any(|counts| counts[*place] > 0);
        LIGHTS.iter().enumerate().filter(is_there).map(row).collect()
    }

    /// What letters and colours stand for.
    fn wall_key(&self) -> String {
        let words = self.words;
        let letters = words.letters();
        let lights = LIGHTS.iter().zip(letters.shown).zip(CLASSES).map(|((light, letter), class)| {
            format!("<li><span class=\"light {class}\">{letter}</span> {}</li>", words.light(*light))
        });
        format!(
            "<ul class=\"legend\" aria-label=\"{}\">{}<li><span class=\"light yellow excused\">{}</span> {}</li></ul>\n",
            words.legend(),
            lights.collect::<String>(),
            letters.excused[1],
            words.excused(),
        )
    }
}
