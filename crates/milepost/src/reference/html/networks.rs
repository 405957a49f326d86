//! Collections: rings drawn as rings, grids as grids, everything else as bars.
//!
//! Invariant: a line that is built, planned, without a measure, or only declared differs by more than its colour: on
//! paper without colours it is thick, pale, dashed or dotted.

use super::{BAR, Writer, paragraph, table};
use crate::output::markup::escaped;
use crate::reference::network::{Line, Network, State};
use crate::reference::phrases::{ABSENT, LISTED};
use crate::reference::view::{Collection, Element, Progress};

/// The room between lines of a grid, and around them.
const STEP: usize = 32;
const MARGIN: usize = 24;

impl Writer<'_> {
    pub(super) fn collections(&self) -> String {
        let words = self.words;
        let Some(collections) = &self.view.collections else { return String::new() };
        if collections.is_empty() {
            return self.section("collections", words.collections(), &self.nothing(words.no_collections()));
        }
        let numbered = collections.iter().enumerate();
        let content: String =
            numbered.map(|(number, collection)| self.collection(number, collection)).collect();
        self.section("collections", words.collections(), &content)
    }

    fn collection(&self, number: usize, collection: &Collection) -> String {
        let words = self.words;
        let network = Network::of(collection);
        let kind = match collection.kind.as_str() {
            "" => String::new(),
            kind => format!(" <small>{}</small>", escaped(kind)),
        };
        let mut out = format!(
            "<article>\n<h3>{}{kind}</h3>\n{}",
            escaped(&collection.title),
            paragraph("text", &collection.description)
        );
        if !network.is_empty() {
            out += "<figure class=\"network\">\n";
            if !network.rings.is_empty() {
                out += &self.rings(&format!("rings-{number}"), &collection.title, &network.rings);
            }
            if !network.across.is_empty() {
                out += &self.grid(&format!("grid-{number}"), &collection.title, &network);
            }
            out += &format!("<figcaption>{}</figcaption>\n</figure>\n", self.legend(&network));
        }
        let whole = (words.whole_collection(), &collection.whole);
        let groups = collection.groups.iter().map(|group| (group.group.as_str(), group));
        let shown = groups.chain([whole]).filter(|(_, progress)| progress.is_shown());
        let rows: Vec<String> =
            shown.map(|(title, progress)| self.progress(title, progress, &collection.unit)).collect();
        out += &if rows.is_empty() {
            String::new()
        } else {
            table("progress", &collection.title, &["", &format!("#{}", words.built()), BAR, ""], &rows)
        };
        if collection.elements.len() > LISTED {
            out += &paragraph("note", &words.not_drawn(collection.elements.len()));
        } else if !collection.elements.is_empty() {
            out += &self.elements(collection);
        }
        if collection.member_count > 0 {
            out += &paragraph("note", &words.members_text(collection));
        }
        out + "</article>\n"
    }

    /// The row of a group, and one for what is missing in it.
    fn progress(&self, title: &str, progress: &Progress, unit: &str) -> String {
        let words = self.words;
        let share = words.share(&progress.share);
        let (value, bar) = match &progress.share.value {
            Some(value) => (format!("<strong>{}</strong>", escaped(&share)), self.share_bar(value)),
            None => (self.absent(&share), String::new()),
        };
        let mut row = format!(
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{value}</td><td class=\"bar\">{bar}</td><td>{}</td></tr>\n",
            escaped(title),
            escaped(&words.progress_text(progress, unit)),
        );
        for missing in words.missing_texts(&progress.share) {
            row += &format!(
                "<tr class=\"missing\"><td></td><td colspan=\"3\">{}</td></tr>\n",
                escaped(&missing)
            );
        }
        row
    }

    fn elements(&self, collection: &Collection) -> String {
        let words = self.words;
        let measure = |number: &str| match number {
            "" => self.absent(ABSENT),
            number => escaped(&words.measure(number, &collection.unit)),
        };
        let row = |element: &Element| {
            let state = if element.is_complete { words.complete() } else { "" };
            format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
                 <td>{state}</td></tr>\n",
                escaped(&element.title),
                escaped(&element.group),
                measure(&element.planned),
                measure(&element.built),
            )
        };
        let measured = collection.elements.iter().filter(|element| element.is_measured());
        let rows: Vec<String> = measured.map(row).collect();
        let heads = [words.planned(), words.built()].map(|head| format!("#{head}"));
        let measured = match rows.is_empty() {
            true => String::new(),
            false => {
                table("plain", &collection.title, &[words.element(), "", &heads[0], &heads[1], ""], &rows)
            }
        };
        measured + &paragraph("note", &words.unmeasured_text(&collection.elements))
    }

    /// What a picture shows, for those who do not see it.
    fn described(&self, lines: &[&Line]) -> String {
        let words = self.words;
        let state = |line: &&Line| match line.state {
            State::Complete => words.complete().to_owned(),
            State::Measured(share) => format!("{} {:.0}%", words.built(), share * 100.0),
            State::Unmeasured => words.without_measure().to_owned(),
            State::Declared => words.elements_declared_only().to_owned(),
        };
        let line = |line: &&Line| match line.title.as_str() {
            "" => state(line),
            title => format!("{title}{}{}", words.colon(), state(line)),
        };
        escaped(&lines.iter().map(line).collect::<Vec<_>>().join("; "))
    }

    /// Rings in each other, from the top clockwise.
    fn rings(&self, id: &str, title: &str, rings: &[Line]) -> String {
        let mut shapes = String::new();
        for (place, ring) in (1..).zip(rings) {
            let radius = 88.0 * part(place, rings.len());
            let circle = |class: &str, dashes: &str| {
                format!(
                    "<circle class=\"{class}\" cx=\"100\" cy=\"100\" r=\"{radius:.1}\" pathLength=\"100\" \
                     transform=\"rotate(-90 100 100)\"{dashes}/>\n"
                )
            };
            shapes += &circle(base(ring.state), "");
            if let Some(share) = ring.state.share().filter(|share| *share > 0.0) {
                let built = share * 100.0;
                shapes += &circle("built", &format!(" stroke-dasharray=\"{built:.2} {:.2}\"", 100.0 - built));
            }
            let title = if ring.title.is_empty() { self.words.elements_declared_only() } else { &ring.title };
            shapes += &format!(
                "<text class=\"name\" x=\"100\" y=\"{:.1}\">{}</text>\n",
                100.0 + radius - 11.0,
                escaped(&short(title))
            );
        }
        self.picture(id, title, &rings.iter().collect::<Vec<_>>(), "rings", [200, 200], &shapes)
    }

    /// Lines that cross each other: those down under those across.
    fn grid(&self, id: &str, title: &str, network: &Network) -> String {
        let (across, down) = (&network.across, &network.down);
        let (wide, high) = (STEP * (down.len() + 1), STEP * (across.len() + 1));
        let mut shapes = String::new();
        for (place, line) in (1..).zip(down) {
            let x = MARGIN + STEP * place;
            let draw = |class: &str, length: f64| {
                format!(
                    "<line class=\"{class}\" x1=\"{x}\" x2=\"{x}\" y1=\"{MARGIN}\" y2=\"{:.1}\"/>\n",
                    number(MARGIN) + length
                )
            };
            shapes += &self.stretches(line.state, number(high), draw);
            shapes += &format!("<text class=\"name\" x=\"{x}\" y=\"{}\">{place}</text>\n", MARGIN - 8);
        }
        for (place, line) in (1..).zip(across) {
            let y = MARGIN + STEP * place;
            let draw = |class: &str, length: f64| {
                format!(
                    "<line class=\"{class}\" x1=\"{MARGIN}\" x2=\"{:.1}\" y1=\"{y}\" y2=\"{y}\"/>\n",
                    number(MARGIN) + length
                )
            };
            shapes += &self.stretches(line.state, number(wide), draw);
            shapes += &format!("<text class=\"name\" x=\"{}\" y=\"{}\">{place}</text>\n", MARGIN - 12, y + 4);
        }
        let lines: Vec<&Line> = across.iter().chain(down).collect();
        self.picture(id, title, &lines, "grid", [wide + 2 * MARGIN, high + 2 * MARGIN], &shapes)
    }

    /// A line of this length, and over it what of it is built.
    fn stretches(&self, state: State, length: f64, draw: impl Fn(&str, f64) -> String) -> String {
        let built = state.share().filter(|share| *share > 0.0).map(|share| draw("built", share * length));
        draw(base(state), length) + &built.unwrap_or_default()
    }

    fn picture(
        &self,
        id: &str,
        title: &str,
        lines: &[&Line],
        class: &str,
        size: [usize; 2],
        shapes: &str,
    ) -> String {
        let [wide, high] = size;
        format!(
            "<svg class=\"{class}\" role=\"img\" aria-labelledby=\"{id}-title {id}-text\" viewBox=\"0 0 {wide} {high}\">\n\
             <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-text\">{}</desc>\n{shapes}</svg>\n",
            escaped(title),
            self.described(lines),
        )
    }

    /// The kinds of lines that a picture has.
    fn legend(&self, network: &Network) -> String {
        let words = self.words;
        let has = |of: fn(State) -> bool| network.lines().any(|line| of(line.state));
        let kinds = [
            (has(|state| state.share().is_some_and(|share| share > 0.0)), "built", words.built()),
            (has(|state| state.share().is_some_and(|share| share < 1.0)), "planned", words.planned()),
            (has(|state| state == State::Unmeasured), "unmeasured", words.without_measure()),
            (has(|state| state == State::Declared), "only-declared", words.elements_declared_only()),
        ];
        let item = |(_, class, meaning): (bool, &str, &str)| {
            format!(
                "<li><svg width=\"40\" height=\"12\" aria-hidden=\"true\"><line class=\"{class}\" x1=\"2\" x2=\"38\" y1=\"6\" \
                 y2=\"6\"/></svg> {meaning}</li>"
            )
        };
        let items: String = kinds.into_iter().filter(|(is_there, ..)| *is_there).map(item).collect();
        format!("<ul class=\"legend\" aria-label=\"{}\">{items}</ul>", words.legend())
    }
}

/// How the whole of a line looks, under what is built of it.
fn base(state: State) -> &'static str {
    match state {
        State::Measured(_) | State::Complete => "planned",
        State::Unmeasured => "unmeasured",
        State::Declared => "only-declared",
    }
}

/// A name that has room in a picture.
fn short(title: &str) -> String {
    crate::output::width::fit(title, 16)
}

/// A length to draw by.
fn number(length: usize) -> f64 {
    f64::from(u32::try_from(length).unwrap_or(u32::MAX))
}

/// A share to draw by.
fn part(part: usize, whole: usize) -> f64 {
    number(part) / number(whole.max(1))
}
