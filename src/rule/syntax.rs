//! The grammar of rules: `&&` before `||`, `!`, parentheses, calls with texts.
//!
//! Knows no matcher by name: a call is a name and its arguments until [`Expression::resolve`].

use std::ops::Range;

use crate::rule::RuleError;
use crate::rule::tokens::{Spanned, Token, tokens};

/// How deep parentheses and negations may nest; the parser's own stack is what this protects.
const DEEPEST: usize = 64;

/// A matcher as written: its name, and its arguments with their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    pub name_span: Range<usize>,
    pub arguments: Vec<Argument>,
    /// From the name to the closing parenthesis.
    pub span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    pub text: String,
    pub span: Range<usize>,
}

/// A tree whose leaves are `L`: calls when parsed, matchers when compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression<L> {
    Leaf(L),
    Not(Box<Expression<L>>),
    All(Vec<Expression<L>>),
    Any(Vec<Expression<L>>),
}

impl<L> Expression<L> {
    /// The same tree with every leaf replaced.
    pub fn resolve<M, E>(self, leaf: &mut impl FnMut(L) -> Result<M, E>) -> Result<Expression<M>, E> {
        let mut each = |list: Vec<Self>| {
            list.into_iter().map(|inner| inner.resolve(leaf)).collect::<Result<Vec<_>, E>>()
        };
        Ok(match self {
            Self::All(list) => Expression::All(each(list)?),
            Self::Any(list) => Expression::Any(each(list)?),
            Self::Not(inner) => Expression::Not(Box::new(inner.resolve(leaf)?)),
            Self::Leaf(inner) => Expression::Leaf(leaf(inner)?),
        })
    }

    /// Whether any leaf is such a one.
    pub fn has(&self, leaf: &impl Fn(&L) -> bool) -> bool {
        match self {
            Self::Leaf(inner) => leaf(inner),
            Self::Not(inner) => inner.has(leaf),
            Self::All(list) | Self::Any(list) => list.iter().any(|inner| inner.has(leaf)),
        }
    }

    /// Evaluates the tree from left to right, as far as needed.
    pub fn holds(&self, leaf: &impl Fn(&L) -> bool) -> bool {
        match self {
            Self::Leaf(inner) => leaf(inner),
            Self::Not(inner) => !inner.holds(leaf),
            Self::All(list) => list.iter().all(|inner| inner.holds(leaf)),
            Self::Any(list) => list.iter().any(|inner| inner.holds(leaf)),
        }
    }

    /// Whether the tree could come out as `wanted` where `leaf` knows only some of its leaves, and says
    /// `None` of the others.
    pub fn could_be(&self, wanted: bool, leaf: &impl Fn(&L) -> Option<bool>) -> bool {
        let each = |list: &[Self], inner: bool| {
            if inner == wanted {
                list.iter().all(|inner| inner.could_be(wanted, leaf))
            } else {
                list.iter().any(|inner| inner.could_be(wanted, leaf))
            }
        };
        match self {
            Self::Leaf(inner) => leaf(inner).is_none_or(|known| known == wanted),
            Self::Not(inner) => inner.could_be(!wanted, leaf),
            Self::All(list) => each(list, true),
            Self::Any(list) => each(list, false),
        }
    }
}

/// Reads `text` as an expression over calls.
pub fn parse(text: &str) -> Result<Expression<Call>, RuleError> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0 };
    let expression = parser.any(0)?;
    let last = parser.take();
    match last.token {
        Token::End => Ok(expression),
        _ => Err(unexpected(&last, "`&&`, `||` or the end of the rule")),
    }
}

fn unexpected(found: &Spanned, expected: &str) -> RuleError {
    let message = format!("expected {expected}, found {}", found.token.described());
    RuleError::new(found.span.clone(), message)
}

struct Parser {
    tokens: Vec<Spanned>,
    next: usize,
}

impl Parser {
    /// The next token; the end again and again once it is reached.
    fn take(&mut self) -> Spanned {
        let spanned = self.tokens[self.next].clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        spanned
    }

    fn take_if(&mut self, wanted: &Token) -> bool {
        let found = self.tokens[self.next].token == *wanted;
        if found {
            self.take();
        }
        found
    }

    fn any(&mut self, depth: usize) -> Result<Expression<Call>, RuleError> {
        let mut list = vec![self.all(depth)?];
        while self.take_if(&Token::Or) {
            list.push(self.all(depth)?);
        }
        Ok(one_or(list, Expression::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Expression<Call>, RuleError> {
        let mut list = vec![self.one(depth)?];
        while self.take_if(&Token::And) {
            list.push(self.one(depth)?);
        }
        Ok(one_or(list, Expression::All))
    }

    fn one(&mut self, depth: usize) -> Result<Expression<Call>, RuleError> {
        let first = self.take();
        if depth > DEEPEST {
            return Err(RuleError::new(first.span, format!("the rule nests more than {DEEPEST} deep")));
        }
        match first.token {
            Token::Not => Ok(Expression::Not(Box::new(self.one(depth + 1)?))),
            Token::Open => {
                let inner = self.any(depth + 1)?;
                let close = self.take();
                if close.token == Token::Close {
                    return Ok(inner);
                }
                let error = unexpected(&close, "`&&`, `||` or `)`");
                Err(error.hint(format!("`)` for the `(` at byte {}", first.span.start)))
            }
            Token::Name(name) => self.call(name, first.span).map(Expression::Leaf),
            _ => Err(unexpected(&first, "a matcher, `!` or `(`")),
        }
    }

    fn call(&mut self, name: String, name_span: Range<usize>) -> Result<Call, RuleError> {
        let open = self.take();
        if open.token != Token::Open {
            return Err(unexpected(&open, &format!("`(` after `{name}`")));
        }
        let mut arguments = Vec::new();
        loop {
            let argument = self.take();
            match argument.token {
                Token::Text(text) => arguments.push(Argument { text, span: argument.span }),
                Token::Close => {
                    return Ok(Call { name, span: name_span.start..argument.span.end, name_span, arguments });
                }
                Token::Name(ref bare) => {
                    let hint = format!("{name}(`{bare}`)");
                    return Err(unexpected(&argument, "a text in backticks or double quotes").hint(hint));
                }
                _ => return Err(unexpected(&argument, "a text in backticks or double quotes")),
            }
            let after = self.take();
            match after.token {
                Token::Comma => {}
                Token::Close => {
                    return Ok(Call { name, span: name_span.start..after.span.end, name_span, arguments });
                }
                _ => return Err(unexpected(&after, "`,` or `)`")),
            }
        }
    }
}

fn one_or(
    mut list: Vec<Expression<Call>>,
    several: fn(Vec<Expression<Call>>) -> Expression<Call>,
) -> Expression<Call> {
    match list.pop() {
        Some(only) if list.is_empty() => only,
        Some(last) => {
            list.push(last);
            several(list)
        }
        None => several(list),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree as text, so that a test shows its shape.
    fn shape(expression: &Expression<Call>) -> String {
        let joined =
            |list: &[Expression<Call>], by: &str| list.iter().map(shape).collect::<Vec<_>>().join(by);
        match expression {
            Expression::Leaf(call) => {
                let texts: Vec<&str> = call.arguments.iter().map(|argument| argument.text.as_str()).collect();
                format!("{}:{}", call.name, texts.join("+"))
            }
            Expression::Not(inner) => format!("!{}", shape(inner)),
            Expression::All(list) => format!("({})", joined(list, " & ")),
            Expression::Any(list) => format!("({})", joined(list, " | ")),
        }
    }

    #[test]
    fn and_binds_tighter_than_or() {
        let table = [
            ("a(`1`) || b(`2`) && c(`3`)", "(a:1 | (b:2 & c:3))"),
            ("(a(`1`) || b(`2`)) && c(`3`)", "((a:1 | b:2) & c:3)"),
            ("!a(`1`) && b(`2`)", "(!a:1 & b:2)"),
            ("!(a(`1`) && b(`2`))", "!(a:1 & b:2)"),
            ("!!a(\"1\", `2`,)", "!!a:1+2"),
            ("a(`1`)\n && b(`2`)", "(a:1 & b:2)"),
        ];
        for (rule, expected) in table {
            assert_eq!(shape(&parse(rule).expect(rule)), expected, "{rule}");
        }
    }

    #[test]
    fn an_error_says_where_and_what_was_expected() {
        let table = [
            ("", 0..0, "a matcher, `!` or `(`"),
            ("a(`1`) &&", 9..9, "a matcher"),
            ("&& a(`1`)", 0..2, "a matcher"),
            ("(a(`1`)", 7..7, "`)`"),
            ("a(`1`))", 6..7, "the end of the rule"),
            ("a(`1`) b(`2`)", 7..8, "`&&`, `||`"),
            ("a", 1..1, "`(` after `a`"),
            ("a(,)", 2..3, "a text"),
            ("a(`1` `2`)", 6..9, "`,` or `)`"),
            ("a(b)", 2..3, "a text"),
        ];
        for (rule, span, expected) in table {
            let error = parse(rule).expect_err(rule);
            assert_eq!(error.span, span, "{rule}: {error}");
            assert!(error.message.contains(expected), "{rule}: {error}");
        }
    }

    #[test]
    fn a_bottomless_rule_is_an_error_and_no_overflow() {
        for deep in ["(".repeat(100_000), "!".repeat(100_000)] {
            assert!(parse(&deep).expect_err("too deep").message.contains("deep"));
        }
    }

    #[test]
    fn evaluation_goes_from_left_to_right_and_stops_early() {
        let tree = parse("a(`1`) || b(`2`)").expect("a rule");
        assert!(tree.holds(&|call: &Call| if call.name == "a" { true } else { panic!("asked too much") }));
    }
}
