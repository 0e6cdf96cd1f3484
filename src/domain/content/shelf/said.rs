//! What the shelf's data say, as plain texts to be found by a search.
//!
//! Must never know how a search works.

use super::{Money, Shelf};

/// Something that the data say: on which page, under which title, in which words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub page: &'static str,
    pub title: String,
    pub text: String,
}

impl Shelf {
    /// Everything that the data say, a piece for each row that somebody may look for.
    pub fn said(&self) -> Vec<Said> {
        let mut all = Vec::new();
        let mut say = |page, title: String, text: String| all.push(Said { page, title, text });
        for level in &self.levels.levels {
            let parts = [&level.grades, &level.scope, &level.round, &level.documents];
            let texts: Vec<&str> = parts
                .into_iter()
                .flatten()
                .map(|statement| statement.text.as_str())
                .collect();
            say("levels", level.rung.title().to_owned(), texts.join(" "));
        }
        for one in &self.loops.loops {
            let rounds: Vec<&str> = one.rounds.iter().map(|round| round.asks.as_str()).collect();
            say(
                "loops",
                format!("Interview loop: {}", one.title),
                rounds.join(" "),
            );
        }
        let pay = &self.compensation;
        for row in &pay.rows {
            let company = pay
                .companies
                .iter()
                .find(|company| company.id == row.company)
                .map_or(row.company.as_str(), |company| &company.name);
            say(
                "compensation",
                format!(
                    "{company} {}, {}",
                    row.grade,
                    row.level.title().to_lowercase()
                ),
                format!(
                    "Base {}, total {} a year, {}.",
                    Money::dollars(row.base),
                    Money::dollars(row.total),
                    row.place
                ),
            );
        }
        for dimension in &self.scorecard.dimensions {
            say(
                "scorecard",
                format!("Scorecard: {}", dimension.title),
                format!("{} {}", dimension.meets, dimension.pitfalls.join(" ")),
            );
        }
        for phase in &self.roadmap.phases {
            let milestones: Vec<&str> = phase
                .milestones
                .iter()
                .map(|milestone| milestone.text.as_str())
                .collect();
            say(
                "roadmap",
                format!("Roadmap: {}", phase.title),
                format!("{} {}", phase.why, milestones.join(" ")),
            );
        }
        for work in &self.reading.works {
            say(
                "reading",
                work.about.title.clone(),
                format!("{}. {}", work.about.author, work.about.purpose),
            );
        }
        for number in &self.numbers.numbers {
            let note = number.note.as_deref().unwrap_or_default();
            say("numbers", number.item.clone(), note.to_owned());
        }
        all
    }
}
