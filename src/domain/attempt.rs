//! An attempt at a prompt: how it is taken, its clock, its phases' target minutes and what arrives while it runs.
//!
//! Must never know where the time comes from: every function takes `now`. All instants are Unix milliseconds on the
//! server's clock, all lengths are milliseconds unless a name says minutes.

use serde::{Deserialize, Serialize};

use super::level::Level;
use super::phase::Phase;

/// Milliseconds since the Unix epoch, on the server's clock.
pub type UnixMillis = i64;

pub const MINUTE: i64 = 60_000;

/// The longest section that is kept, in bytes of UTF-8.
pub const SECTION_BYTES: usize = 64 * 1024;

/// The most attempts that one guest may keep.
pub const ATTEMPTS_PER_GUEST: i64 = 200;
/// The most attempts that one account may keep.
pub const ATTEMPTS_PER_ACCOUNT: i64 = 2000;

/// The longest silence that still counts as time in a phase: a page left open overnight is not eight hours of work.
pub const LONGEST_SILENCE: i64 = 15 * MINUTE;

/// The round length that content is written for: curveballs name their minute in it.
pub const WRITTEN_FOR_MINUTES: u32 = 60;

/// How an attempt is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Hints at hand, a soft clock, and what is looked for in each phase.
    Guided,
    /// A strict clock, hints only when asked for, and curveballs.
    Interview,
}

impl Way {
    pub const ALL: [Self; 2] = [Self::Guided, Self::Interview];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Guided => "guided",
            Self::Interview => "interview",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Guided => "Guided",
            Self::Interview => "Interview",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.slug() == slug)
    }
}

/// The lengths that are offered, in minutes; `None` is untimed.
pub const LENGTHS: [Option<u32>; 4] = [Some(45), Some(60), Some(90), None];

/// Reads a length as forms and addresses write it: `45`, `60`, `90` or `untimed`.
pub fn length_from_slug(slug: &str) -> Option<Option<u32>> {
    LENGTHS
        .into_iter()
        .find(|length| length_slug(*length) == slug)
}

pub fn length_slug(length: Option<u32>) -> String {
    length.map_or_else(|| "untimed".to_owned(), |minutes| minutes.to_string())
}

/// What a person chose when the attempt was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub way: Way,
    pub level: Level,
    /// The length of the round; `None` is untimed.
    pub minutes: Option<u32>,
}

/// Target minutes for each phase of a round of 60 minutes, by level. Our own: the sources give the parts of a round
/// but not their lengths. A staff round spends less on the contract and more on what fails and what is traded.
fn minutes_of_sixty(level: Level) -> [u32; 8] {
    match level {
        Level::Mid => [6, 6, 10, 10, 14, 6, 3, 5],
        Level::Senior => [5, 6, 8, 8, 15, 8, 5, 5],
        Level::Staff => [5, 5, 6, 7, 14, 10, 6, 7],
    }
}

impl Terms {
    /// The length that targets and curveballs are reckoned in; an untimed attempt uses the usual hour.
    fn nominal_minutes(&self) -> u32 {
        self.minutes.unwrap_or(WRITTEN_FOR_MINUTES)
    }

    /// Target minutes for each phase, in the order of [`Phase::ALL`]; they add up to the length of the round.
    /// Scaled from an hour by the method of largest remainders.
    pub fn targets(&self) -> [u32; 8] {
        let hour = minutes_of_sixty(self.level);
        let total = self.nominal_minutes();
        let mut targets = hour.map(|minutes| minutes * total / 60);
        let mut remainders: Vec<(u32, usize)> = hour
            .iter()
            .enumerate()
            .map(|(index, minutes)| (minutes * total % 60, index))
            .collect();
        remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let missing = total - targets.iter().sum::<u32>();
        for (_, index) in remainders.into_iter().take(missing as usize) {
            targets[index] += 1;
        }
        targets
    }

    pub fn target(&self, phase: Phase) -> u32 {
        self.targets()[phase.index()]
    }

    /// What should stand by which minute, reckoned from the targets.
    pub fn milestones(&self) -> Vec<Milestone> {
        let targets = self.targets();
        let end_of = |phase: Phase| targets[..=phase.index()].iter().sum();
        vec![
            Milestone {
                minute: end_of(Phase::Requirements),
                text: "scope and priorities agreed",
            },
            Milestone {
                minute: end_of(Phase::Estimates),
                text: "the numbers that shape the design",
            },
            Milestone {
                minute: end_of(Phase::Api),
                text: "a working API contract",
            },
            Milestone {
                minute: end_of(Phase::Architecture),
                text: "every requirement met end to end",
            },
            Milestone {
                minute: end_of(Phase::TradeOffs),
                text: "what fails, what was traded, how it ships",
            },
        ]
    }

    /// When a curveball written for a minute of an hour arrives, in milliseconds after the start.
    pub fn curveball_after(&self, minute: u32) -> i64 {
        i64::from(minute) * MINUTE * i64::from(self.nominal_minutes())
            / i64::from(WRITTEN_FOR_MINUTES)
    }

    /// The same in minutes of this round.
    pub fn curveball_minute(&self, minute: u32) -> i64 {
        self.curveball_after(minute) / MINUTE
    }

    /// Whether a curveball of this level is thrown at a person who aims at `self.level`.
    pub fn receives(&self, level: Level) -> bool {
        self.way == Way::Interview && level <= self.level
    }
}

/// Something that should stand by a minute of the round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Milestone {
    pub minute: u32,
    pub text: &'static str,
}

/// The clock of a round: a pure function of when it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundClock {
    pub started_at: UnixMillis,
    /// The length of the round; `None` is untimed.
    pub minutes: Option<u32>,
}

/// How pressing a clock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    Calm,
    /// The phase is over its target.
    Amber,
    /// The round is over; work goes on as overtime.
    Red,
}

impl Tone {
    pub fn slug(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Amber => "amber",
            Self::Red => "red",
        }
    }
}

impl RoundClock {
    /// Time since the start; a clock that stepped back counts as none.
    pub fn elapsed(&self, now: UnixMillis) -> i64 {
        now.saturating_sub(self.started_at).max(0)
    }

    /// When the round ends; `None` when untimed.
    pub fn ends_at(&self) -> Option<UnixMillis> {
        self.minutes
            .map(|minutes| self.started_at.saturating_add(i64::from(minutes) * MINUTE))
    }

    /// Time that is left, negative in overtime; `None` when untimed.
    pub fn left(&self, now: UnixMillis) -> Option<i64> {
        self.minutes
            .map(|minutes| i64::from(minutes) * MINUTE - self.elapsed(now))
    }

    pub fn is_overtime(&self, now: UnixMillis) -> bool {
        self.left(now).is_some_and(|left| left <= 0)
    }

    /// `spent` is the time in the current phase, `target` its target in minutes.
    pub fn tone(&self, now: UnixMillis, spent: i64, target: u32) -> Tone {
        if self.is_overtime(now) {
            Tone::Red
        } else if spent > i64::from(target) * MINUTE {
            Tone::Amber
        } else {
            Tone::Calm
        }
    }

    /// The clock as it is shown: time left (or elapsed, when the clock is soft or there is no end) and what it is.
    pub fn face(&self, now: UnixMillis, way: Way) -> ClockFace {
        match (self.left(now), self.minutes, way) {
            (Some(left), Some(minutes), _) if left <= 0 => ClockFace {
                time: format!("+{}", minutes_seconds(-left)),
                caption: format!("overtime after {minutes} minutes"),
            },
            (Some(left), Some(minutes), Way::Interview) => {
                // Rounded up, so that the last second shows 0:01 and the end shows the end.
                ClockFace {
                    time: minutes_seconds(left + 999),
                    caption: format!("left of {minutes} minutes"),
                }
            }
            (_, Some(minutes), _) => ClockFace {
                time: minutes_seconds(self.elapsed(now)),
                caption: format!("of {minutes} minutes"),
            },
            (_, None, _) => ClockFace {
                time: minutes_seconds(self.elapsed(now)),
                caption: "untimed".to_owned(),
            },
        }
    }
}

/// A clock as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockFace {
    pub time: String,
    pub caption: String,
}

/// `125_000` as `2:05`, an hour and more as `1:02:05`.
pub fn minutes_seconds(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// Where a person is in an attempt and for how long each phase has been worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    pub phase: Phase,
    /// When the person was last known to be there.
    pub marked_at: UnixMillis,
    /// Milliseconds by phase, in the order of [`Phase::ALL`].
    pub spent: [i64; 8],
}

impl Presence {
    /// The person is seen in `phase` at `now`: the time since the last sign of life goes to the phase they were in.
    #[must_use]
    pub fn marked(&self, phase: Phase, now: UnixMillis) -> Self {
        let mut spent = self.spent;
        spent[self.phase.index()] += now.saturating_sub(self.marked_at).clamp(0, LONGEST_SILENCE);
        // A mark that lies far ahead was made by a clock that was wrong: time counts again from now on.
        let ahead = self.marked_at.saturating_sub(now) > LONGEST_SILENCE;
        Self {
            phase,
            marked_at: if ahead { now } else { self.marked_at.max(now) },
            spent,
        }
    }
}

/// The name of a section: a phase, the worksheet, or the answer to a curveball.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SectionName {
    Phase(Phase),
    Worksheet,
    /// By the curveball's id in the prompt.
    Curveball(String),
}

const CURVEBALL: &str = "curveball-";

impl SectionName {
    pub fn from_slug(slug: &str) -> Option<Self> {
        if slug == "worksheet" {
            return Some(Self::Worksheet);
        }
        if let Some(id) = slug.strip_prefix(CURVEBALL) {
            let plain = |character: char| {
                character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
            };
            return (!id.is_empty() && id.len() <= 60 && id.chars().all(plain))
                .then(|| Self::Curveball(id.to_owned()));
        }
        Phase::from_slug(slug).map(Self::Phase)
    }

    pub fn slug(&self) -> String {
        match self {
            Self::Phase(phase) => phase.slug().to_owned(),
            Self::Worksheet => "worksheet".to_owned(),
            Self::Curveball(id) => format!("{CURVEBALL}{id}"),
        }
    }

    /// The phase whose page shows the section, where there is one.
    pub fn phase(&self) -> Option<Phase> {
        match self {
            Self::Phase(phase) => Some(*phase),
            Self::Worksheet => Some(Phase::Estimates),
            Self::Curveball(_) => None,
        }
    }

    /// What the section is called; `curveball` gives the title of a curveball by its id, where that is known.
    pub fn title<'t>(&self, curveball: impl FnOnce(&str) -> Option<&'t str>) -> String {
        match self {
            Self::Phase(phase) => phase.title().to_owned(),
            Self::Worksheet => "Numbers".to_owned(),
            Self::Curveball(id) => format!("Curveball: {}", curveball(id).unwrap_or(id)),
        }
    }

    /// Sorts sections as they are read: the phases, with the worksheet before its notes, then the curveballs.
    pub fn reading_order(&self) -> (usize, u8, &str) {
        match self {
            Self::Phase(phase) => (phase.index(), 1, ""),
            Self::Worksheet => (Phase::Estimates.index(), 0, ""),
            Self::Curveball(id) => (Phase::ALL.len(), 0, id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(level: Level, minutes: Option<u32>) -> Terms {
        Terms {
            way: Way::Interview,
            level,
            minutes,
        }
    }

    #[test]
    fn targets_fill_the_round() {
        for level in Level::ALL {
            for minutes in LENGTHS {
                let terms = terms(level, minutes);
                let targets = terms.targets();
                assert_eq!(
                    targets.iter().sum::<u32>(),
                    minutes.unwrap_or(60),
                    "{terms:?}"
                );
                assert!(
                    targets.iter().all(|minutes| *minutes >= 2),
                    "{terms:?}: {targets:?}"
                );
                assert!(
                    terms
                        .milestones()
                        .is_sorted_by_key(|milestone| milestone.minute)
                );
            }
        }
        assert_eq!(
            terms(Level::Senior, Some(45)).targets(),
            [4, 4, 6, 6, 11, 6, 4, 4]
        );
    }

    #[test]
    fn the_clock_is_a_function_of_the_time_passed_in() {
        let clock = RoundClock {
            started_at: 1_000_000,
            minutes: Some(45),
        };
        let at = |seconds: i64| 1_000_000 + seconds * 1000;
        let shown = |seconds: i64, way| {
            let face = clock.face(at(seconds), way);
            format!("{} {}", face.time, face.caption)
        };
        assert_eq!(shown(0, Way::Interview), "45:00 left of 45 minutes");
        assert_eq!(shown(1, Way::Interview), "44:59 left of 45 minutes");
        assert_eq!(shown(2699, Way::Interview), "0:01 left of 45 minutes");
        assert_eq!(
            shown(2700, Way::Interview),
            "+0:00 overtime after 45 minutes"
        );
        assert_eq!(shown(2765, Way::Guided), "+1:05 overtime after 45 minutes");
        assert_eq!(shown(65, Way::Guided), "1:05 of 45 minutes");
        assert_eq!(clock.tone(at(60), 60_000, 1), Tone::Calm);
        assert_eq!(clock.tone(at(61), 60_001, 1), Tone::Amber);
        assert_eq!(clock.tone(at(2700), 0, 1), Tone::Red);
        // The server's clock may be set back; the candidate's never runs backwards past the start.
        assert_eq!(clock.elapsed(0), 0);
        let untimed = RoundClock {
            started_at: 0,
            minutes: None,
        };
        assert_eq!(untimed.face(3_725_000, Way::Interview).time, "1:02:05");
        assert!(!untimed.is_overtime(i64::MAX));
        assert_eq!(
            RoundClock {
                started_at: i64::MIN,
                minutes: Some(45)
            }
            .elapsed(i64::MAX),
            i64::MAX
        );
    }

    #[test]
    fn silence_counts_up_to_a_limit() {
        let start = Presence {
            phase: Phase::Requirements,
            marked_at: 0,
            spent: [0; 8],
        };
        let worked = start
            .marked(Phase::Api, 5 * MINUTE)
            .marked(Phase::Api, 7 * MINUTE);
        assert_eq!(worked.spent[Phase::Requirements.index()], 5 * MINUTE);
        assert_eq!(worked.spent[Phase::Api.index()], 2 * MINUTE);
        let overnight = worked.marked(Phase::Consistency, 600 * MINUTE);
        assert_eq!(
            overnight.spent[Phase::Api.index()],
            2 * MINUTE + LONGEST_SILENCE
        );
        // Another node's clock may lag a little.
        let lagging = overnight.marked(Phase::Api, 599 * MINUTE);
        assert_eq!(lagging.spent, overnight.spent);
        assert_eq!(lagging.marked_at, 600 * MINUTE);
        // A clock that was far ahead and is right again: from now on time counts.
        let stepped_back = overnight.marked(Phase::Api, MINUTE);
        assert_eq!(stepped_back.spent, overnight.spent);
        let goes_on = stepped_back.marked(Phase::Api, 3 * MINUTE);
        assert_eq!(
            goes_on.spent[Phase::Api.index()],
            overnight.spent[Phase::Api.index()] + 2 * MINUTE
        );
    }

    #[test]
    fn curveballs_scale_with_the_round_and_go_by_level() {
        assert_eq!(
            terms(Level::Senior, Some(90)).curveball_after(40),
            60 * MINUTE
        );
        assert_eq!(terms(Level::Senior, None).curveball_after(40), 40 * MINUTE);
        assert!(terms(Level::Senior, None).receives(Level::Mid));
        assert!(!terms(Level::Senior, None).receives(Level::Staff));
        assert!(
            !Terms {
                way: Way::Guided,
                ..terms(Level::Staff, None)
            }
            .receives(Level::Mid)
        );
    }

    #[test]
    fn section_names_read_back() {
        for slug in [
            "requirements",
            "trade-offs",
            "worksheet",
            "curveball-key-reused",
        ] {
            assert_eq!(
                SectionName::from_slug(slug)
                    .map(|name| name.slug())
                    .as_deref(),
                Some(slug)
            );
        }
        for slug in [
            "",
            "curveball-",
            "curveball-../x",
            "Api",
            "score",
            "curveball-\u{e9}",
        ] {
            assert_eq!(SectionName::from_slug(slug), None, "{slug}");
        }
    }
}
