//! The lexer: a line of text as numbers, words and signs, each with its place.
//!
//! Must never know units or grammar; the only errors it has are about how a number is written.

use std::ops::Range;

use super::{Quantity, QuantityError};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Number(f64),
    /// Letters, then letters, digits and `_`.
    Word,
    /// A raised whole number, as in `s²`.
    Superscript(i8),
    /// Any other character, look-alikes made one: see [`plain_sign`].
    Sign(char),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub kind: Kind,
    pub span: Range<usize>,
    /// No space stands before it.
    pub glued: bool,
}

/// The tokens of `text` from the byte `start`, a character boundary.
pub(super) fn lex(text: &str, start: usize) -> Result<Vec<Token>, QuantityError> {
    let mut lexer = Lexer {
        chars: text
            .char_indices()
            .filter(|(index, _)| *index >= start)
            .collect(),
        end: text.len(),
        at: 0,
    };
    let mut tokens = Vec::new();
    let mut glued = false;
    while let Some(first) = lexer.peek(0) {
        if is_space(first) {
            lexer.at += 1;
            glued = false;
            continue;
        }
        let from = lexer.place();
        let kind = if first.is_ascii_digit()
            || (first == '.' && lexer.peek(1).is_some_and(|next| next.is_ascii_digit()))
        {
            lexer.number()?
        } else if first.is_alphabetic() {
            lexer.skip_while(|letter| {
                letter.is_alphabetic() || letter.is_ascii_digit() || letter == '_'
            });
            Kind::Word
        } else if let Some(exponent) = lexer.superscript()? {
            Kind::Superscript(exponent)
        } else {
            lexer.at += 1;
            Kind::Sign(plain_sign(first))
        };
        tokens.push(Token {
            kind,
            span: from..lexer.place(),
            glued,
        });
        glued = true;
    }
    Ok(tokens)
}

/// Spaces, and the invisible characters that come along when text is copied from a page.
fn is_space(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
        )
}

/// Spaces that people put between groups of three digits; an ordinary space is not one, since it also stands between two numbers.
fn is_digit_space(letter: char) -> bool {
    matches!(letter, '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}')
}

/// One character for each sign, whichever way it was typed. A dash that is longer than a minus stays a dash: in a literal it is
/// the sign of a range.
fn plain_sign(sign: char) -> char {
    match sign {
        '−' | '\u{2010}' | '\u{2011}' | '﹣' => '-',
        '\u{2012}'..='\u{2015}' => '–',
        '⋅' | '∙' | '•' => '·',
        '✕' | '✖' | '⨯' => '×',
        '÷' | '∕' | '⁄' => '/',
        '∗' => '*',
        '∼' | '≈' | '≃' | '≅' | '～' => '~',
        other => other,
    }
}

struct Lexer {
    chars: Vec<(usize, char)>,
    end: usize,
    at: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).map(|(_, letter)| *letter)
    }

    fn is_digit(&self, ahead: usize) -> bool {
        self.peek(ahead)
            .is_some_and(|letter| letter.is_ascii_digit())
    }

    /// The byte that the lexer stands at.
    fn place(&self) -> usize {
        self.chars
            .get(self.at)
            .map_or(self.end, |(index, _)| *index)
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.at += 1;
        }
    }

    /// Takes digits, and `_` between them.
    fn digits(&mut self, cleaned: &mut String) {
        while let Some(letter) = self.peek(0) {
            if letter.is_ascii_digit() {
                cleaned.push(letter);
            } else if letter != '_' || !self.is_digit(1) {
                return;
            }
            self.at += 1;
        }
    }

    /// `1200`, `1,200,000`, `1_000`, `.5`, `1.2e6`.
    fn number(&mut self) -> Result<Kind, QuantityError> {
        let from = self.place();
        let mut cleaned = String::new();
        self.digits(&mut cleaned);
        let first_group = cleaned.len();
        while let Some(separator) = self.peek(0) {
            let three = self.is_digit(1) && self.is_digit(2) && self.is_digit(3);
            let group = three && !self.is_digit(4);
            let fits = group && first_group <= 3 && cleaned != "0";
            if separator == ',' && self.is_digit(1) {
                if !fits {
                    self.skip_while(|letter| {
                        letter.is_ascii_digit() || matches!(letter, ',' | '.')
                    });
                    return Err(QuantityError::new(
                        "A comma separates thousands, as in `1,200,000`; a fraction takes a point, as in `1.5`.",
                        from..self.place(),
                    ));
                }
            } else if !(is_digit_space(separator) && fits) {
                break;
            }
            self.at += 1;
            self.digits(&mut cleaned);
        }
        if self.peek(0) == Some('.') && self.peek(1) != Some('.') {
            self.at += 1;
            cleaned.push('.');
            self.digits(&mut cleaned);
            if matches!(self.peek(0), Some('.' | ',')) && self.is_digit(1) {
                self.skip_while(|letter| letter.is_ascii_digit() || matches!(letter, ',' | '.'));
                return Err(QuantityError::new(
                    "This number has two points. Thousands take commas, as in `1,200,000`; a fraction takes one point, as in `1.5`.",
                    from..self.place(),
                ));
            }
        }
        if let Some(letter @ ('e' | 'E')) = self.peek(0) {
            let sign = self.peek(1).filter(|sign| matches!(sign, '+' | '-' | '−'));
            if self.is_digit(1 + usize::from(sign.is_some())) {
                cleaned.push(letter);
                self.at += 1;
                if let Some(sign) = sign {
                    cleaned.push(if sign == '+' { '+' } else { '-' });
                    self.at += 1;
                }
                self.digits(&mut cleaned);
            }
        }
        let span = from..self.place();
        let value: f64 = cleaned
            .parse()
            .map_err(|_| QuantityError::new("Write the number like `1,200.5`.", span.clone()))?;
        if value > Quantity::MAX {
            return Err(QuantityError::new(
                super::ArithmeticError::TooLarge.to_string(),
                span,
            ));
        }
        Ok(Kind::Number(value))
    }

    /// A run of raised digits; none when there is none here.
    fn superscript(&mut self) -> Result<Option<i8>, QuantityError> {
        let from = self.place();
        let start = self.at;
        let negative = self.peek(0) == Some('⁻');
        if negative {
            self.at += 1;
        }
        let mut value: i8 = 0;
        let mut fits = true;
        let digits_from = self.at;
        while let Some(digit) = self.peek(0).and_then(raised_digit) {
            match value
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(digit))
            {
                Some(next) => value = next,
                None => fits = false,
            }
            self.at += 1;
        }
        if self.at == digits_from {
            self.at = start;
            return Ok(None);
        }
        if !fits {
            return Err(QuantityError::new(
                super::ArithmeticError::TooLarge.to_string(),
                from..self.place(),
            ));
        }
        Ok(Some(if negative { -value } else { value }))
    }
}

fn raised_digit(letter: char) -> Option<i8> {
    let digit = match letter {
        '⁰' => 0,
        '¹' => 1,
        '²' => 2,
        '³' => 3,
        '⁴' => 4,
        '⁵' => 5,
        '⁶' => 6,
        '⁷' => 7,
        '⁸' => 8,
        '⁹' => 9,
        _ => return None,
    };
    Some(digit)
}
