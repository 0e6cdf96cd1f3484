//! Charts of ranges on one shared axis, as SVG that takes the width there is: across in percent, down in pixels, so that the
//! letters keep their size on a phone.
//!
//! A chart is a picture with one sentence; its table twin is the page's to show. Must never know what is measured.

use leptos::prelude::*;

use crate::domain::content::shelf::Range;

/// What the axis goes to and how often it is labeled, in the unit of the ranges.
pub(super) struct Axis {
    pub most: u32,
    pub every: u32,
    /// How a number on it is written.
    pub label: fn(u32) -> String,
}

/// A line of the chart: what it is, its ranges in words, and its bars from top to bottom.
pub(super) struct Line {
    pub label: String,
    pub words: String,
    pub bars: Vec<Bar>,
}

pub(super) struct Bar {
    pub range: Range,
    /// The shape: `solid` or `hollow`.
    pub shape: &'static str,
}

/// Above the lines, for the labels of the axis.
pub(super) const TOP: u32 = 22;
const TEXT: u32 = 17;
const BAR: u32 = 8;
const GAP: u32 = 3;
const BELOW: u32 = 9;

impl Axis {
    /// An axis for numbers up to `highest`, labeled five to ten times at round numbers.
    pub fn up_to(highest: u32, label: fn(u32) -> String) -> Self {
        let mut every = 1;
        let steps = [2, 5, 10];
        let mut power = 1_u32;
        'found: while power < 1_000_000_000 {
            for step in steps {
                every = power.saturating_mul(step);
                if highest / every < 8 {
                    break 'found;
                }
            }
            power = power.saturating_mul(10);
        }
        Self {
            most: highest.div_ceil(every).max(1).saturating_mul(every),
            every,
            label,
        }
    }

    /// How far along the axis a number stands.
    pub fn at(&self, number: u32) -> String {
        percent(number, self.most)
    }

    /// The labels and the lines down from them.
    pub fn drawn(&self, height: u32) -> AnyView {
        let ticks = self.most / self.every.max(1);
        (0..=ticks)
            .map(|tick| {
                let number = tick * self.every;
                let x = self.at(number);
                let anchor = match tick {
                    0 => "start",
                    tick if tick == ticks => "end",
                    _ => "middle",
                };
                let class = if tick % 2 == 0 { "tick-label" } else { "tick-label odd" };
                view! {
                    <line class="grid" x1=x.clone() x2=x.clone() y1=(TOP - 4).to_string() y2=height.to_string()/>
                    <text class=class x=x y="11" text-anchor=anchor>{(self.label)(number)}</text>
                }
            })
            .collect_view()
            .into_any()
    }
}

/// `number` of `whole`, in percent.
fn percent(number: u32, whole: u32) -> String {
    format!(
        "{:.2}%",
        f64::from(number.min(whole)) * 100.0 / f64::from(whole.max(1))
    )
}

/// Ranges from their low to their high end, an arrow where they are open. `sentence` says what is to be seen.
pub(super) fn ranges(sentence: &str, axis: &Axis, lines: &[Line]) -> AnyView {
    let mut top = TOP;
    let drawn = lines
        .iter()
        .map(|line| {
            let text = top + TEXT - 4;
            let bars = line
                .bars
                .iter()
                .zip(0_u32..)
                .map(|(bar, number)| drawn_bar(bar, axis, top + TEXT + number * (BAR + GAP)))
                .collect_view();
            top += TEXT + line.bars.len() as u32 * (BAR + GAP) + BELOW;
            view! {
                <text x="0" y=text.to_string()>{line.label.clone()}</text>
                <text class="words" x="100%" y=text.to_string() text-anchor="end">{line.words.clone()}</text>
                {bars}
            }
        })
        .collect_view();
    let height = top;
    view! {
        <figure class="chart">
            <figcaption>{sentence.to_owned()}</figcaption>
            <svg class="ranges" width="100%" height=height.to_string() role="img" aria-label=sentence.to_owned()>
                {axis.drawn(height)}
                {drawn}
            </svg>
        </figure>
    }
    .into_any()
}

fn drawn_bar(bar: &Bar, axis: &Axis, y: u32) -> AnyView {
    let Range { low, high, open } = bar.range;
    let width = percent(high.saturating_sub(low), axis.most);
    // A range of one number is still to be seen.
    let mark = (low == high).then(|| {
        view! { <svg class="open" x=axis.at(low) y=y.to_string()><rect class=bar.shape x="-2" y="0" width="4" height=BAR.to_string()/></svg> }
    });
    let arrow = open.then(|| {
        view! { <svg class="open" x=axis.at(high) y=y.to_string()><path class="arrow" d="M3 0l5 4-5 4"/></svg> }
    });
    view! {
        <rect class=bar.shape x=axis.at(low) y=y.to_string() width=width height=BAR.to_string()/>
        {mark}
        {arrow}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (highest, most, every) in [
            (900_000, 1_000_000, 200_000),
            (1_500_000, 1_600_000, 200_000),
            (510, 600, 100),
            (540_000, 600_000, 100_000),
            (1, 2, 2),
            (0, 2, 2),
            (u32::MAX, u32::MAX, 1_000_000_000),
        ] {
            let axis = Axis::up_to(highest, |number| number.to_string());
            assert_eq!((axis.most, axis.every), (most, every), "{highest}");
            assert!(axis.most >= highest);
        }
        let axis = Axis::up_to(900_000, |number| number.to_string());
        assert_eq!(axis.at(500_000), "50.00%");
        assert_eq!(axis.at(2_000_000), "100.00%");
    }
}
