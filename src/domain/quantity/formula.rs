//! Formulas: a calculation with literals and names, as in `= dau * 2 / 1 day`.
//!
//! A formula is kept as steps in reverse Polish order, so that evaluation needs a stack of values and no recursion.
//! Precedence, as usual: `^` (right to left), sign, `*` and `/`, `+` and `-`. A literal binds its unit more tightly than any
//! operator when no space stands before the slash: `1 TB / 50 MB/s` is a duration, `1 TB / 50 MB / s` is not.
//! Must never know where the names come from.

use std::ops::Range;

use super::lexer::Kind;
use super::literal::{self, Place, Reader};
use super::spelling::nearest;
use super::vocabulary;
use super::{ArithmeticError, Dimension, Quantity, QuantityError, check_length};

/// How deep brackets, signs and exponents may nest.
const MAX_DEPTH: usize = 64;

/// A formula, or a single literal: anything that a row may hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
struct Step {
    action: Action,
    span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
enum Action {
    Push(Quantity),
    /// A word that decorates a literal: harmless unless it is a name.
    Noun {
        word: String,
        could_be_name: bool,
    },
    Name {
        name: String,
        /// It may also be a noun that is counted, as `req` in `300 KB/req`.
        may_be_noun: bool,
    },
    Negate,
    /// The value so far stands in brackets.
    Bracket,
    Apply(Operator),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

impl Operator {
    fn precedence(self) -> u8 {
        match self {
            Self::Add | Self::Subtract => 1,
            Self::Multiply | Self::Divide => 2,
            Self::Power => 3,
        }
    }

    fn apply(self, left: Quantity, right: Quantity) -> Result<Quantity, ArithmeticError> {
        match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide => left.checked_div(right),
            Self::Power => left.checked_pow(right),
        }
    }
}

impl Formula {
    /// Reads a formula that starts with `=`, or else a literal.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        check_length(text)?;
        if let Some(equals) = text.find('=')
            && text[..equals].trim().is_empty()
        {
            return Self::calculation(text, equals + 1);
        }
        let literal = literal::parse(text)?;
        let mut formula = Self { steps: Vec::new() };
        formula.push_literal(literal, text);
        Ok(formula)
    }

    /// Reads a calculation from the byte `start` on.
    pub(super) fn calculation(text: &str, start: usize) -> Result<Self, QuantityError> {
        let mut reader = Reader::new(text, start)?;
        reader.skip_approximation();
        let mut parser = Parser {
            reader,
            formula: Self { steps: Vec::new() },
            may_be_noun: false,
        };
        parser.expression(0, 0)?;
        if let Some(token) = parser.reader.peek(0) {
            return Err(out_of_place(token.kind, token.span.clone()));
        }
        Ok(parser.formula)
    }

    /// Whether anything is calculated: more than one literal or name.
    pub(super) fn calculates(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step.action, Action::Apply(_)))
    }

    /// The names in it, with their places, in the order of writing. A name may turn out to be a unit (`= total / day`).
    pub fn names(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Name { name, .. } => Some((name.as_str(), step.span.clone())),
            _ => None,
        })
    }

    /// The value, with names taken from `scope`.
    pub fn evaluate(&self, scope: &[(String, Quantity)]) -> Result<Quantity, QuantityError> {
        let names: Vec<&str> = scope.iter().map(|(name, _)| name.as_str()).collect();
        self.evaluate_with(&names, |wanted| {
            let found = scope.iter().find(|(name, _)| name == wanted);
            found.map(|(_, quantity)| *quantity)
        })
    }

    /// The value; `names` are those that exist, `value` is what one of them stands for.
    pub(crate) fn evaluate_with(
        &self,
        names: &[&str],
        value: impl Fn(&str) -> Option<Quantity>,
    ) -> Result<Quantity, QuantityError> {
        let mut stack: Vec<(Quantity, Range<usize>)> = Vec::new();
        for step in &self.steps {
            let span = step.span.clone();
            let entry = match &step.action {
                Action::Push(quantity) => (*quantity, span),
                Action::Noun {
                    word,
                    could_be_name,
                } => {
                    // `5M users` counts users even where a row has that name; `10 TB / users` could mean either.
                    if names.contains(&word.as_str())
                        && (*could_be_name || !vocabulary::is_noun(word))
                    {
                        return Err(QuantityError::new(
                            format!(
                                "`{word}` is the name of a row: to calculate with it, put an operator before it, as in `= 2 * {word}`; else leave the word out."
                            ),
                            span,
                        ));
                    }
                    continue;
                }
                Action::Name { name, may_be_noun } => {
                    let quantity = match value(name) {
                        Some(quantity) => quantity,
                        None => word_value(name, *may_be_noun, names, &span)?,
                    };
                    (quantity, span)
                }
                Action::Negate => match stack.pop() {
                    Some((quantity, operand)) => (quantity.negated(), span.start..operand.end),
                    None => continue,
                },
                Action::Bracket => match stack.pop() {
                    Some((quantity, _)) => (quantity, span),
                    None => continue,
                },
                Action::Apply(operator) => match (stack.pop(), stack.pop()) {
                    (Some((right, right_span)), Some((left, left_span))) => {
                        let span = left_span.start..right_span.end;
                        let quantity = operator
                            .apply(left, right)
                            .map_err(|fault| QuantityError::new(fault.to_string(), span.clone()))?;
                        (quantity, span)
                    }
                    _ => continue,
                },
            };
            stack.push(entry);
        }
        stack
            .pop()
            .map(|(quantity, _)| quantity)
            .ok_or_else(|| QuantityError::new("The formula is empty.", 0..0))
    }

    fn push(&mut self, action: Action, span: Range<usize>) {
        self.steps.push(Step { action, span });
    }

    fn push_literal(&mut self, literal: literal::Literal, text: &str) {
        for literal::Noun {
            span,
            could_be_name,
        } in literal.nouns
        {
            let word = text[span.clone()].to_owned();
            self.push(
                Action::Noun {
                    word,
                    could_be_name,
                },
                span,
            );
        }
        self.push(Action::Push(literal.quantity), literal.span);
    }
}

/// The value of a word that is no name: one of a unit, or 1 for a noun.
fn word_value(
    word: &str,
    may_be_noun: bool,
    names: &[&str],
    span: &Range<usize>,
) -> Result<Quantity, QuantityError> {
    let error = |message: String| QuantityError::new(message, span.clone());
    match vocabulary::meaning(word) {
        Some(vocabulary::Meaning::Unit { factor, dimension }) => {
            Quantity::new(factor, dimension).map_err(|fault| error(fault.to_string()))
        }
        Some(vocabulary::Meaning::Noun) if may_be_noun => {
            Quantity::new(1.0, Dimension::NONE).map_err(|fault| error(fault.to_string()))
        }
        Some(vocabulary::Meaning::Refused(message)) => Err(error(message)),
        _ => {
            let mut message = format!("Nothing here is called `{word}`");
            match nearest(word, names.iter().copied()) {
                Some(near) => {
                    message.push_str(": did you mean `");
                    message.push_str(near);
                    message.push_str("`?");
                }
                None => message.push_str(": add a row of that name, or write the number."),
            }
            Err(error(message))
        }
    }
}

/// What is wrong with a token that stands where an operator should.
fn out_of_place(kind: Kind, span: Range<usize>) -> QuantityError {
    let message = match kind {
        Kind::Sign(')') => "This `)` closes nothing.",
        Kind::Number(_) | Kind::Word | Kind::Sign('(' | '$') => {
            "An operator is missing here: put `*` or `/` between two values."
        }
        Kind::Sign(',') => {
            "A comma has no meaning here: thousands are written `1,200,000`, a fraction `1.5`."
        }
        Kind::Sign('<' | '>' | '≤' | '≥' | '=') => {
            "A formula gives one number: leave the comparison out."
        }
        _ => {
            "This has no place in a formula: use numbers, names of rows, `+ - * / ^` and brackets."
        }
    };
    QuantityError::new(message, span)
}

struct Parser<'t> {
    reader: Reader<'t>,
    formula: Formula,
    /// Whether the next operand, if it is a word, may be a noun.
    may_be_noun: bool,
}

impl Parser<'_> {
    /// An operand and all operators of at least this precedence after it.
    fn expression(&mut self, lowest: u8, depth: usize) -> Result<(), QuantityError> {
        self.operand(depth)?;
        while let Some((operator, may_be_noun)) = self.operator() {
            let precedence = operator.precedence();
            if precedence < lowest {
                break;
            }
            let Some(token) = self.reader.next() else {
                break;
            };
            if self.reader.peek(0).is_none() {
                return Err(QuantityError::new(
                    "The formula stops here: a number or the name of a row is missing.",
                    token.span,
                ));
            }
            self.may_be_noun = may_be_noun;
            if operator == Operator::Power {
                self.expression(precedence, depth + 1)?;
            } else {
                self.expression(precedence + 1, depth)?;
            }
            self.formula.push(Action::Apply(operator), token.span);
        }
        Ok(())
    }

    /// The operator that stands here, and whether the word after it may be a noun: after a slash that is glued to a literal
    /// (`300 KB/req`), or after `per`.
    fn operator(&self) -> Option<(Operator, bool)> {
        let reader = &self.reader;
        let operator = match reader.sign(0) {
            Some('+') => Operator::Add,
            Some('-' | '–') => Operator::Subtract,
            Some('*' | '×' | '·') => Operator::Multiply,
            Some('/') => {
                let after_literal = matches!(
                    self.formula.steps.last(),
                    Some(step) if matches!(step.action, Action::Push(_))
                );
                let glued = reader.is_glued(0) && reader.is_glued(1);
                return Some((Operator::Divide, after_literal && glued));
            }
            Some('^') => Operator::Power,
            Some(_) => return None,
            None => match reader.word(0)? {
                "x" | "X" if reader.starts_operand(1) => Operator::Multiply,
                "per" => return Some((Operator::Divide, true)),
                _ => return None,
            },
        };
        Some((operator, false))
    }

    fn operand(&mut self, depth: usize) -> Result<(), QuantityError> {
        let may_be_noun = std::mem::take(&mut self.may_be_noun);
        let Some(token) = self.reader.peek(0).cloned() else {
            return Err(QuantityError::new(
                "A number or the name of a row is missing here, as in `= dau * 2`.",
                self.reader.end(),
            ));
        };
        if depth > MAX_DEPTH {
            return Err(QuantityError::new(
                "The brackets nest too deeply: split the formula into two rows.",
                token.span,
            ));
        }
        match token.kind {
            Kind::Number(_) | Kind::Sign('$') => self.literal()?,
            Kind::Word if self.starts_with_currency() => self.literal()?,
            Kind::Word => {
                self.reader.next();
                let name = self.reader.text[token.span.clone()].to_owned();
                self.formula
                    .push(Action::Name { name, may_be_noun }, token.span);
            }
            Kind::Sign('(') => {
                self.reader.next();
                self.expression(0, depth + 1)?;
                let next = self.reader.next();
                match next {
                    Some(next) if next.kind == Kind::Sign(')') => {
                        let span = token.span.start..next.span.end;
                        self.formula.push(Action::Bracket, span);
                    }
                    Some(next) => return Err(out_of_place(next.kind, next.span)),
                    None => {
                        return Err(QuantityError::new(
                            "This `(` is never closed: add a `)`.",
                            token.span,
                        ));
                    }
                }
            }
            Kind::Sign(sign @ ('-' | '–' | '+')) => {
                self.reader.next();
                self.expression(Operator::Power.precedence(), depth + 1)?;
                if sign != '+' {
                    self.formula.push(Action::Negate, token.span);
                }
            }
            _ => {
                return Err(QuantityError::new(
                    "A number or the name of a row is expected here.",
                    token.span,
                ));
            }
        }
        while let Some(Kind::Superscript(exponent)) = self.reader.peek(0).map(|token| token.kind) {
            let Some(token) = self.reader.next() else {
                break;
            };
            let exponent = Quantity::new(f64::from(exponent), Dimension::NONE)
                .map_err(|fault| QuantityError::new(fault.to_string(), token.span.clone()))?;
            self.formula
                .push(Action::Push(exponent), token.span.clone());
            self.formula
                .push(Action::Apply(Operator::Power), token.span);
        }
        Ok(())
    }

    fn starts_with_currency(&self) -> bool {
        let reader = &self.reader;
        match reader.word(0) {
            Some("US") => reader.sign(1) == Some('$'),
            Some(word) => word.eq_ignore_ascii_case("usd") && reader.is_number(1),
            None => false,
        }
    }

    fn literal(&mut self) -> Result<(), QuantityError> {
        let literal = self.reader.literal(Place::InFormula)?;
        self.formula.push_literal(literal, self.reader.text);
        Ok(())
    }
}
