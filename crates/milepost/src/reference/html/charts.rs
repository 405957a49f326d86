//! Bars, and starts over time, as inline SVG.
//!
//! Invariant: texts in a picture have the size of other texts, on any screen: places along the width are shares of it.

use super::{Writer, table};
use crate::output::chart::share;
use crate::output::markup::escaped;
use crate::output::text;
use crate::reference::bins::Bins;

/// Pixels of the bars of a chart over time, and of what stands above and below them.
const HIGH: f64 = 110.0;
const ABOVE: f64 = 20.0;
const BELOW: f64 = 38.0;
/// Bins of a chart whose labels have no room on a phone.
const DENSE: usize = 14;

impl Writer<'_> {
    /// A bar of a count where the most takes all the width; it is said beside it.
    pub(super) fn bar(&self, class: &str, count: i64, most: i64) -> String {
        bar(class, share(count, most) * 100.0)
    }

    /// A bar of a percentage.
    pub(super) fn share_bar(&self, percent: &str) -> String {
        let percent = percent.parse::<f64>().ok().filter(|percent| percent.is_finite());
        bar("registered of-whole", percent.unwrap_or(0.0).clamp(0.0, 100.0))
    }

    pub(super) fn starts(&self) -> String {
        let words = self.words;
        let declared = self.view.declared_starts();
        let days = self.view.starts.iter().chain(&declared).map(|(day, _)| *day);
        let Some(bins) = Bins::of(days) else {
            return self.section("starts", words.starts(), &self.nothing(words.no_starts()));
        };
        let declared = bins.counts(declared.iter().copied());
        let registered = bins.counts(self.view.starts.iter().copied());
        let mut content = self.over_time("declared", words.starts_declared(), &bins, &declared);
        content += &self.over_time("registered", words.starts_registered(), &bins, &registered);
        let happened = (0..bins.count).filter(|bin| declared[*bin] + registered[*bin] > 0);
        let row = |bin: usize| {
            let [declared, registered] = [declared[bin], registered[bin]].map(|count| match count {
                0 => String::new(),
                count => text::grouped(&count.to_string()),
            });
            format!(
                "<tr><th scope=\"row\">{}</th><td class=\"number\">{declared}</td><td class=\"number\">{registered}</td></tr>\n",
                bins.name(bin)
            )
        };
        let heads = [words.starts_declared(), words.starts_registered()].map(|head| format!("#{head}"));
        let rows: Vec<String> = happened.map(row).collect();
        let figures = table("plain", words.starts(), &[words.span(bins.span), &heads[0], &heads[1]], &rows);
        content += &format!("<details>\n<summary>{}</summary>\n{figures}</details>\n", words.figures());
        self.section("starts", words.starts(), &content)
    }

    /// Upright bars over time, each with its number.
    fn over_time(&self, class: &str, title: &str, bins: &Bins, counts: &[u64]) -> String {
        let most = counts.iter().copied().max().unwrap_or(0);
        if most == 0 {
            return String::new();
        }
        let (years, parts) = (bins.years(), bins.parts());
        let wide = 100.0 / f64::from(u32::try_from(bins.count).unwrap_or(u32::MAX));
        let (base, high) = (ABOVE + HIGH, ABOVE + HIGH + BELOW);
        let mut shapes = format!("<line class=\"axis\" x1=\"0\" x2=\"100%\" y1=\"{base}\" y2=\"{base}\"/>\n");
        let mut left = 0.0;
        for (bin, count) in counts.iter().enumerate() {
            let middle = left + wide / 2.0;
            if *count > 0 {
                let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
                let tall = (share(signed(*count), signed(most)) * HIGH).max(2.0);
                let (x, y, width) = (left + wide * 0.15, base - tall, wide * 0.7);
                shapes += &format!(
                    "<rect class=\"{class}\" x=\"{x:.2}%\" y=\"{y:.1}\" width=\"{width:.2}%\" height=\"{tall:.1}\"/>\n\
                     <text class=\"count\" x=\"{middle:.2}%\" y=\"{:.1}\">{}</text>\n",
                    y - 5.0,
                    text::grouped(&count.to_string()),
                );
            }
            if !parts[bin].is_empty() {
                shapes += &format!(
                    "<text class=\"part\" x=\"{middle:.2}%\" y=\"{}\">{}</text>\n",
                    base + 15.0,
                    parts[bin]
                );
            }
            if let Some(year) = &years[bin] {
                let (class, x) = if parts[bin].is_empty() { ("part", middle) } else { ("year", left) };
                shapes +=
                    &format!("<text class=\"{class}\" x=\"{x:.2}%\" y=\"{}\">{year}</text>\n", base + 32.0);
            }
            left += wide;
        }
        let dense = if bins.count > DENSE { " dense" } else { "" };
        let named = |(bin, count): (usize, &u64)| format!("{} {count}", bins.name(bin));
        let said: Vec<String> =
            counts.iter().enumerate().filter(|(_, count)| **count > 0).map(named).collect();
        format!(
            "<figure>\n<figcaption>{caption}</figcaption>\n<svg class=\"over-time{dense}\" role=\"img\" \
             aria-labelledby=\"{class}-title {class}-text\" width=\"100%\" height=\"{high}\">\n\
             <title id=\"{class}-title\">{caption}</title>\n<desc id=\"{class}-text\">{}</desc>\n{shapes}</svg>\n</figure>\n",
            said.join(self.words.comma()),
            caption = escaped(title),
        )
    }
}

/// A bar of so much of the width, in percent. What is there shows, however small.
fn bar(class: &str, percent: f64) -> String {
    if percent <= 0.0 && !class.contains("of-whole") {
        return String::new();
    }
    let whole =
        if class.contains("of-whole") { "<rect class=\"whole\" width=\"100%\" height=\"12\"/>" } else { "" };
    let drawn = if percent > 0.0 {
        format!("<rect class=\"{class}\" width=\"{:.2}%\" height=\"12\"/>", percent.max(0.8))
    } else {
        String::new()
    };
    format!("<svg width=\"100%\" height=\"12\" aria-hidden=\"true\">{whole}{drawn}</svg>")
}
