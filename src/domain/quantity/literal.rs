//! Literals: a number with its magnitude and its unit, as in `1.2e6 req/min` or `$0.023 per GB per month`.
//!
//! The grammar, shared by literals, units and the literals inside formulas:
//!
//! ```text
//! literal  = [~] [-] [$] number magnitude* phrase
//! phrase   = (word | $ | %)*  { ("/" | "per" | "a" | "every") [number] magnitude* word+ }
//! ```
//!
//! Words that stand beside each other, or are joined by `-` or `·`, multiply (`GB-month`). A noun is 1.
//! Must never know rows and names: [`super::formula`] brings those in.

use std::ops::Range;

use super::lexer::{Kind, Token, lex};
use super::vocabulary::{self, Meaning};
use super::{ArithmeticError, Dimension, Formula, Quantity, QuantityError};

/// Reads a text that is one literal from end to end.
pub(super) fn parse(text: &str) -> Result<Literal, QuantityError> {
    let mut reader = Reader::new(text, 0)?;
    reader.skip_approximation();
    let negative = reader.take_sign('-');
    if !negative {
        reader.take_sign('+');
    }
    let mut literal = reader.literal(Place::Alone)?;
    if reader.at_range() {
        return Err(QuantityError::new(
            "This is a range: write the one number that you would design for. (A subtraction starts with `=`.)",
            span_of_trimmed(text),
        ));
    }
    if let Some(token) = reader.peek(0) {
        // Names are not known here, so only the shape tells a calculation from a slip.
        let is_calculation =
            Formula::calculation(text, 0).is_ok_and(|formula| formula.calculates());
        return Err(if is_calculation {
            let message = format!(
                "This is a calculation: start it with `=`, as in `= {}`.",
                text.trim()
            );
            QuantityError::new(message, span_of_trimmed(text))
        } else {
            reader.leftover(token)
        });
    }
    if negative {
        literal.quantity = literal.quantity.negated();
    }
    Ok(literal)
}

/// The bytes of a text without the spaces around it.
pub(super) fn span_of_trimmed(text: &str) -> Range<usize> {
    let start = text.len() - text.trim_start().len();
    start..start.max(text.trim_end().len())
}

/// Words after a `B` that leave it a byte: `300 B each`.
const NOT_COUNTED: [&str; 10] = [
    "per", "to", "x", "each", "avg", "average", "mean", "max", "payload", "overhead",
];

/// Where a literal stands, which decides what may belong to it.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// It is the whole text.
    Alone,
    /// It is an operand: only a unit that is glued to a slash belongs to it, anything else is an operator.
    InFormula,
}

/// A word that is counted, and so is 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Noun {
    pub span: Range<usize>,
    /// Were it the name of a row, the row could be meant: it stands below a slash or in a formula.
    pub could_be_name: bool,
}

/// A number with its unit.
pub(super) struct Literal {
    pub quantity: Quantity,
    /// The words in it that only decorate.
    pub nouns: Vec<Noun>,
    pub span: Range<usize>,
}

/// What stands after a number.
pub(super) struct Phrase {
    pub factor: f64,
    pub dimension: Dimension,
    pub nouns: Vec<Noun>,
    /// Whether a unit, rather than nouns alone, stands above the first slash.
    pub is_measured: bool,
    pub is_empty: bool,
    /// Whether the next word is below a slash.
    below: bool,
}

impl Phrase {
    fn new() -> Self {
        Self {
            factor: 1.0,
            dimension: Dimension::NONE,
            nouns: Vec::new(),
            is_measured: false,
            is_empty: true,
            below: false,
        }
    }

    /// Multiplies a unit in, or divides by it.
    fn apply(
        &mut self,
        factor: f64,
        dimension: Dimension,
        span: Range<usize>,
    ) -> Result<(), QuantityError> {
        let error = |fault: ArithmeticError| QuantityError::new(fault.to_string(), span.clone());
        let (factor, dimension) = if self.below {
            if factor == 0.0 {
                return Err(error(ArithmeticError::DivisionByZero));
            }
            (self.factor / factor, self.dimension.over(dimension))
        } else {
            (self.factor * factor, self.dimension.times(dimension))
        };
        if !(1.0 / Quantity::MAX..=Quantity::MAX).contains(&factor) {
            return Err(error(ArithmeticError::TooLarge));
        }
        self.factor = factor;
        self.dimension = dimension.ok_or_else(|| error(ArithmeticError::DimensionTooLarge))?;
        Ok(())
    }
}

/// The tokens of a text and how far they are read.
pub(super) struct Reader<'t> {
    pub text: &'t str,
    tokens: Vec<Token>,
    at: usize,
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t str, start: usize) -> Result<Self, QuantityError> {
        Ok(Self {
            text,
            tokens: lex(text, start)?,
            at: 0,
        })
    }

    pub fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead)
    }

    pub fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    pub fn sign(&self, ahead: usize) -> Option<char> {
        match self.peek(ahead)?.kind {
            Kind::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    /// The word that stands there, if it is one.
    pub fn word(&self, ahead: usize) -> Option<&'t str> {
        let token = self.peek(ahead)?;
        (token.kind == Kind::Word).then(|| &self.text[token.span.clone()])
    }

    pub fn is_number(&self, ahead: usize) -> bool {
        matches!(self.peek(ahead), Some(token) if matches!(token.kind, Kind::Number(_)))
    }

    pub fn is_glued(&self, ahead: usize) -> bool {
        self.peek(ahead).is_some_and(|token| token.glued)
    }

    pub fn take_sign(&mut self, sign: char) -> bool {
        let found = self.sign(0) == Some(sign);
        self.at += usize::from(found);
        found
    }

    pub fn skip_approximation(&mut self) {
        while self.take_sign('~') {}
    }

    /// The end of the text, where something is missing.
    pub fn end(&self) -> Range<usize> {
        let end = self.text.trim_end().len();
        end..end
    }

    fn span(&self, ahead: usize) -> Range<usize> {
        self.peek(ahead)
            .map_or_else(|| self.end(), |token| token.span.clone())
    }

    fn shown(&self, token: &Token) -> &'t str {
        &self.text[token.span.clone()]
    }

    /// A number with what belongs to it.
    pub fn literal(&mut self, place: Place) -> Result<Literal, QuantityError> {
        let start = self.span(0).start;
        let mut unit = Phrase::new();
        // `$5`, `US$5`, `USD 5`: the currency before the number.
        if self.word(0) == Some("US") && self.sign(1) == Some('$') {
            self.at += 1;
        }
        let in_money = self.sign(0) == Some('$')
            || (self
                .word(0)
                .is_some_and(|word| word.eq_ignore_ascii_case("usd"))
                && self.is_number(1));
        if in_money {
            let span = self.span(0);
            self.at += 1;
            unit.apply(1.0, Dimension::MONEY, span)?;
            unit.is_measured = true;
        }
        let negative = in_money && self.take_sign('-');
        let Some(Token {
            kind: Kind::Number(number),
            ..
        }) = self.peek(0)
        else {
            return Err(self.no_number());
        };
        let number = if negative { -*number } else { *number };
        self.at += 1;
        let magnitude_span = self.span(0);
        let magnitude = self.magnitudes(in_money);
        unit.apply(magnitude, Dimension::NONE, magnitude_span)?;
        self.phrase(&mut unit, place)?;
        let span = start..self.tokens[self.at - 1].span.end;
        let quantity = Quantity::new(number * unit.factor, unit.dimension)
            .map_err(|fault| QuantityError::new(fault.to_string(), span.clone()))?;
        Ok(Literal {
            quantity,
            nouns: unit.nouns,
            span,
        })
    }

    /// A unit that stands alone, as in `req/s`, `$/GB-month`, `1/s`.
    pub fn unit(&mut self) -> Result<Phrase, QuantityError> {
        let mut unit = Phrase::new();
        let one = matches!(self.peek(0), Some(token) if token.kind == Kind::Number(1.0));
        if one {
            self.at += 1;
            // `1/s` is a unit, `1 GB` is a quantity.
            if let Some(token) = self.peek(0).filter(|_| !self.starts_divisor(Place::Alone)) {
                return Err(self.leftover(token));
            }
        }
        let span = self.span(0);
        let magnitude = self.magnitudes(false);
        unit.is_measured = magnitude != 1.0;
        unit.apply(magnitude, Dimension::NONE, span)?;
        self.phrase(&mut unit, Place::Alone)?;
        if let Some(token) = self.peek(0) {
            return Err(self.leftover(token));
        }
        if unit.is_empty && !one && magnitude == 1.0 {
            return Err(QuantityError::new(
                "Name a unit, as in `req/s`, `GB`, `ms` or `users`.",
                self.end(),
            ));
        }
        Ok(unit)
    }

    /// The magnitudes right after a number: one sign (`k`, `M`, `B`), then words (`hundred million`).
    fn magnitudes(&mut self, in_money: bool) -> f64 {
        let mut factor = 1.0;
        let mut first = true;
        while let Some(word) = self.word(0) {
            let is_billion =
                first && matches!(word, "B" | "b") && (in_money || self.noun_follows());
            let magnitude = if is_billion {
                Some(1e9)
            } else {
                vocabulary::magnitude(word).filter(|_| first || word.len() > 1)
            };
            let Some(magnitude) = magnitude else { break };
            factor *= magnitude;
            first = false;
            self.at += 1;
        }
        factor
    }

    /// Whether the word after this one is counted, so that a `B` before it means billion.
    fn noun_follows(&self) -> bool {
        match self.word(1) {
            Some(word) => {
                let divides = matches!(word, "a" | "an" | "each" | "every") && self.is_time(2);
                !divides && !NOT_COUNTED.contains(&word)
            }
            None => matches!(self.sign(1), Some('$' | '¢')),
        }
    }

    fn is_time(&self, ahead: usize) -> bool {
        self.word(ahead)
            .and_then(vocabulary::unit)
            .is_some_and(|(_, dimension)| dimension == Dimension::TIME)
    }

    /// Everything that belongs to the unit.
    fn phrase(&mut self, unit: &mut Phrase, place: Place) -> Result<(), QuantityError> {
        loop {
            if self.starts_divisor(place) {
                self.at += 1;
                unit.below = true;
                self.divisor(unit)?;
                continue;
            }
            let Some(token) = self.peek(0).cloned() else {
                return Ok(());
            };
            match token.kind {
                Kind::Word => {
                    let word = self.shown(&token);
                    if self.ends_phrase(word, place) {
                        return Ok(());
                    }
                    self.at += 1;
                    if word == "per" && self.word(0) == Some("cent") {
                        self.at += 1;
                        self.unit_factor(unit, 0.01, Dimension::NONE, token.span)?;
                    } else {
                        self.factor(unit, word, &token, place)?;
                    }
                }
                Kind::Sign('$') if !self.is_number(1) => self.money(unit, 1.0)?,
                Kind::Sign('¢') => self.money(unit, 0.01)?,
                Kind::Sign('%') => {
                    self.at += 1;
                    unit.apply(0.01, Dimension::NONE, token.span)?;
                    unit.is_measured |= !unit.below;
                    unit.is_empty = false;
                }
                Kind::Sign('€' | '£' | '¥' | '₹') => {
                    return Err(QuantityError::new(vocabulary::FOREIGN_MONEY, token.span));
                }
                // `3 ×` is how some write `3 x`.
                Kind::Sign('×') if place == Place::Alone && self.peek(1).is_none() => {
                    self.at += 1;
                    unit.is_empty = false;
                }
                Kind::Sign('-' | '·') if !unit.is_empty && self.joins_words(place) => {
                    self.at += 1;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Whether a slash, a `per` or an `a` that divides stands here.
    fn starts_divisor(&self, place: Place) -> bool {
        if self.sign(0) == Some('/') {
            let named = self.word(1).is_some() || matches!(self.sign(1), Some('$' | '¢'));
            return match place {
                Place::Alone => {
                    // `$0.20 / 1M requests` divides by a literal; `5M / 2` is a calculation.
                    named || (self.is_number(1) && self.word(2).is_some())
                }
                Place::InFormula => {
                    self.is_glued(0)
                        && self.is_glued(1)
                        && self
                            .word(1)
                            .is_some_and(|word| vocabulary::unit(word).is_some())
                }
            };
        }
        match self.word(0) {
            // `5 per cent` is a percentage, see [`Self::phrase`].
            Some("per" | "Per") => self.word(1) != Some("cent"),
            Some("a" | "an" | "each" | "every") => self.is_time(1),
            _ => false,
        }
    }

    /// What stands right after a slash or a `per`: perhaps a number, then a word that the phrase goes on with.
    fn divisor(&mut self, unit: &mut Phrase) -> Result<(), QuantityError> {
        let mut has_number = false;
        if let Some(Token {
            kind: Kind::Number(number),
            span,
            ..
        }) = self.peek(0).cloned()
        {
            self.at += 1;
            has_number = true;
            unit.apply(number, Dimension::NONE, span)?;
        }
        let span = self.span(0);
        let before = self.at;
        let magnitude = self.magnitudes(false);
        unit.apply(magnitude, Dimension::NONE, span)?;
        let is_named = self.word(0).is_some() || matches!(self.sign(0), Some('$' | '¢'));
        if !has_number && self.at == before && !is_named {
            return Err(QuantityError::new(
                "A unit is missing after `per`, as in `per day`.",
                self.span(0),
            ));
        }
        unit.is_empty = false;
        Ok(())
    }

    /// Whether a word after a number is no part of its unit.
    fn ends_phrase(&self, word: &str, place: Place) -> bool {
        match place {
            // `5M to 10M` is a range.
            Place::Alone => word == "to" && self.is_number(1),
            // `3 x 5`: here the letter is an operator.
            Place::InFormula => matches!(word, "x" | "X") && self.starts_operand(1),
        }
    }

    pub fn starts_operand(&self, ahead: usize) -> bool {
        self.is_number(ahead)
            || self.word(ahead).is_some()
            || matches!(self.sign(ahead), Some('(' | '$'))
    }

    /// Whether the sign here joins two words into one unit, as in `GB-month`.
    fn joins_words(&self, place: Place) -> bool {
        let Some(next) = self.word(1) else {
            return false;
        };
        let is_hyphen = self.sign(0) == Some('-') && self.is_glued(0) && self.is_glued(1);
        match place {
            Place::Alone if is_hyphen => true,
            Place::Alone => self.sign(0) == Some('·') && vocabulary::unit(next).is_some(),
            Place::InFormula => is_hyphen && vocabulary::unit(next).is_some(),
        }
    }

    fn money(&mut self, unit: &mut Phrase, factor: f64) -> Result<(), QuantityError> {
        let span = self.span(0);
        self.at += 1;
        self.unit_factor(unit, factor, Dimension::MONEY, span)
    }

    fn unit_factor(
        &mut self,
        unit: &mut Phrase,
        factor: f64,
        dimension: Dimension,
        span: Range<usize>,
    ) -> Result<(), QuantityError> {
        unit.is_measured |= !unit.below;
        unit.is_empty = false;
        let Some(&Token {
            kind: Kind::Superscript(exponent),
            glued: true,
            ..
        }) = self.peek(0)
        else {
            return unit.apply(factor, dimension, span);
        };
        self.at += 1;
        let raised = dimension.power(exponent).ok_or_else(|| {
            QuantityError::new(ArithmeticError::DimensionTooLarge.to_string(), span.clone())
        })?;
        unit.apply(factor.powi(i32::from(exponent)), raised, span)
    }

    /// One word of the unit.
    fn factor(
        &mut self,
        unit: &mut Phrase,
        word: &str,
        token: &Token,
        place: Place,
    ) -> Result<(), QuantityError> {
        let span = token.span.clone();
        match vocabulary::meaning(word) {
            Some(Meaning::Unit { factor, dimension }) => {
                self.unit_factor(unit, factor, dimension, span)
            }
            Some(Meaning::Refused(message)) => Err(QuantityError::new(message, span)),
            meaning => {
                let is_glued = token.glued && unit.is_empty;
                if meaning.is_none()
                    && let Some(message) = strange_word(word, is_glued, place)
                {
                    return Err(QuantityError::new(message, span));
                }
                let could_be_name = unit.below || place == Place::InFormula;
                unit.nouns.push(Noun {
                    span,
                    could_be_name,
                });
                unit.is_empty = false;
                Ok(())
            }
        }
    }

    fn no_number(&self) -> QuantityError {
        let message = match (self.peek(0), self.sign(0)) {
            (None, _) => "A number is missing here, as in `5M/s`.",
            (_, Some('<' | '>' | '≤' | '≥')) => {
                "Write the number alone, without a comparison: `200 ms` rather than `< 200 ms`."
            }
            (_, Some('€' | '£' | '¥' | '₹')) => vocabulary::FOREIGN_MONEY,
            _ => {
                "Start with a number, as in `5M/s`, or with `=` for a formula, as in `= 12M / 1 day`."
            }
        };
        QuantityError::new(message, self.span(0))
    }

    /// Whether the literal goes on as a range: `1..2`, `1-2`, `1 to 2`, `1 ± 2`.
    fn at_range(&self) -> bool {
        match (self.sign(0), self.word(0)) {
            (Some('…' | '±'), _) | (_, Some("to")) => true,
            (Some('.'), _) => self.sign(1) == Some('.') || self.is_number(1),
            (Some('-' | '–' | '~'), _) => {
                self.is_number(1) || (self.sign(1) == Some('$') && self.is_number(2))
            }
            _ => false,
        }
    }

    /// What is wrong with a token that no rule takes.
    pub fn leftover(&self, token: &Token) -> QuantityError {
        let shown = self.shown(token);
        let message = match token.kind {
            Kind::Number(_) => {
                "Two numbers stand side by side: write thousands as `1,200,000`, and start a calculation with `=`."
                    .to_owned()
            }
            Kind::Sign('(' | '[' | '{') => {
                "Leave out what is in brackets, or start a calculation with `=`.".to_owned()
            }
            Kind::Sign('/') => "A unit is missing after `/`, as in `/s` or `/day`.".to_owned(),
            Kind::Sign('+') => "Write one number: leave out the `+`.".to_owned(),
            _ => format!("`{shown}` has no meaning here: write a number and a unit, as in `5M/s`."),
        };
        QuantityError::new(message, token.span.clone())
    }
}

/// Why an unknown word is more likely a slip than a noun.
fn strange_word(word: &str, glued_to_number: bool, place: Place) -> Option<String> {
    if vocabulary::magnitude(word).is_some() {
        return Some(format!(
            "Put `{word}` right after the number, as in `5 {word}`."
        ));
    }
    let mut letters = word.chars();
    let first = letters.next()?;
    if letters.as_str().is_empty() {
        let lower = word.to_ascii_lowercase();
        let advice = match vocabulary::unit(&lower) {
            Some(_) => format!("did you mean `{lower}`?"),
            None => "write the unit out.".to_owned(),
        };
        return Some(format!("`{word}` is not a unit: {advice}"));
    }
    if word.contains(|letter: char| letter.is_ascii_digit() || letter == '_') {
        return Some(match place {
            Place::Alone => format!(
                "`{word}` is not a unit. To calculate with a row, write a formula, which starts with `=`."
            ),
            Place::InFormula => {
                format!("An operator is missing before `{word}`, as in `2 * {word}`.")
            }
        });
    }
    if let Some(near) = vocabulary::near_unit(word) {
        return Some(format!(
            "`{word}` is not a unit: did you mean `{near}`? If it is what you count, leave the word out."
        ));
    }
    let rest = letters.as_str();
    (glued_to_number && matches!(first, 'k' | 'K' | 'M' | 'G' | 'T')).then(|| {
        format!("Put a space between `{first}` and `{rest}`, if `{first}` is the magnitude.")
    })
}
