//! The words of a rule, each with its place. Knows nothing of their order.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

use crate::rule::RuleError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Name(String),
    Text(String),
    And,
    Or,
    Not,
    Open,
    Close,
    Comma,
    End,
}

impl Token {
    /// How the token is named in an error.
    pub fn described(&self) -> String {
        match self {
            Self::Name(name) => format!("`{name}`"),
            Self::Text(_) => "a text".to_owned(),
            Self::And => "`&&`".to_owned(),
            Self::Or => "`||`".to_owned(),
            Self::Not => "`!`".to_owned(),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::Comma => "`,`".to_owned(),
            Self::End => "the end of the rule".to_owned(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned {
    pub token: Token,
    pub span: Range<usize>,
}

/// Splits `text` into tokens; the last one is always [`Token::End`].
pub fn tokens(text: &str) -> Result<Vec<Spanned>, RuleError> {
    let mut lexer = Lexer { text, characters: text.char_indices().peekable() };
    let mut tokens = Vec::new();
    loop {
        let spanned = lexer.next()?;
        let ended = spanned.token == Token::End;
        tokens.push(spanned);
        if ended {
            return Ok(tokens);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    characters: Peekable<CharIndices<'t>>,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Spanned, RuleError> {
        self.skip_blanks()?;
        let Some((start, character)) = self.characters.next() else {
            return Ok(Spanned { token: Token::End, span: self.text.len()..self.text.len() });
        };
        let token = match character {
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '!' => Token::Not,
            '&' => self.doubled(start, '&', Token::And)?,
            '|' => self.doubled(start, '|', Token::Or)?,
            '`' => self.raw(start)?,
            '"' => self.quoted(start)?,
            '\'' => {
                return Err(RuleError::new(
                    start..start + 1,
                    "a text stands in backticks or in double quotes",
                ));
            }
            first if first.is_ascii_alphabetic() => self.name(start),
            _ => return Err(self.stray(start, character)),
        };
        Ok(Spanned { token, span: start..self.position() })
    }

    /// Where the next character starts.
    fn position(&mut self) -> usize {
        self.characters.peek().map_or(self.text.len(), |&(at, _)| at)
    }

    fn take_if(&mut self, wanted: char) -> bool {
        self.characters.next_if(|&(_, character)| character == wanted).is_some()
    }

    /// White space and Go's comments, which Traefik's parser lets through.
    fn skip_blanks(&mut self) -> Result<(), RuleError> {
        loop {
            while self
                .characters
                .next_if(|(_, character)| matches!(character, ' ' | '\t' | '\r' | '\n'))
                .is_some()
            {}
            let start = self.position();
            let rest = &self.text[start..];
            let length = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                let unclosed =
                    || RuleError::new(start..self.text.len(), "the comment is not closed").hint("*/");
                rest.find("*/").ok_or_else(unclosed)? + 2
            } else {
                return Ok(());
            };
            while self.characters.next_if(|&(at, _)| at < start + length).is_some() {}
        }
    }

    fn doubled(&mut self, start: usize, wanted: char, token: Token) -> Result<Token, RuleError> {
        if self.take_if(wanted) {
            return Ok(token);
        }
        Err(RuleError::new(start..start + 1, format!("`{wanted}` is not an operator"))
            .hint(format!("{wanted}{wanted}")))
    }

    fn name(&mut self, start: usize) -> Token {
        while self.characters.next_if(|(_, character)| character.is_ascii_alphanumeric()).is_some() {}
        let end = self.position();
        Token::Name(self.text[start..end].to_owned())
    }

    fn raw(&mut self, start: usize) -> Result<Token, RuleError> {
        let inside = &self.text[start + 1..];
        let Some(length) = inside.find('`') else { return Err(self.unclosed(start, "`")) };
        while self.characters.next_if(|&(at, _)| at <= start + 1 + length).is_some() {}
        // Go drops carriage returns from raw texts.
        Ok(Token::Text(inside[..length].replace('\r', "")))
    }

    fn quoted(&mut self, start: usize) -> Result<Token, RuleError> {
        let mut content = Vec::new();
        while let Some((at, character)) = self.characters.next() {
            match character {
                '"' => {
                    let end = self.position();
                    let not_text = |_| RuleError::new(start..end, "the escapes do not make UTF-8 text");
                    return String::from_utf8(content).map(Token::Text).map_err(not_text);
                }
                '\n' => return Err(self.unclosed(start, "\"")),
                '\\' => self.escape(at, &mut content)?,
                other => content.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        Err(self.unclosed(start, "\""))
    }

    /// Go's escapes (The Go Programming Language Specification, "Rune literals").
    fn escape(&mut self, start: usize, content: &mut Vec<u8>) -> Result<(), RuleError> {
        let kind = self.characters.next().map(|(_, character)| character);
        let byte = match kind {
            Some('a') => 0x07,
            Some('b') => 0x08,
            Some('f') => 0x0c,
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('t') => b'\t',
            Some('v') => 0x0b,
            Some('\\') => b'\\',
            Some('"') => b'"',
            Some(kind @ ('x' | 'u' | 'U' | '0'..='7')) => return self.numeric_escape(start, kind, content),
            _ => return Err(RuleError::new(start..self.position(), "unknown escape").hint("\\\\")),
        };
        content.push(byte);
        Ok(())
    }

    fn numeric_escape(&mut self, start: usize, kind: char, content: &mut Vec<u8>) -> Result<(), RuleError> {
        let (from, digits, radix) = match kind {
            'x' => (start + 2, 2, 16),
            'u' => (start + 2, 4, 16),
            'U' => (start + 2, 8, 16),
            _ => (start + 1, 3, 8),
        };
        let written = self.text.get(from..from + digits).unwrap_or("");
        while self.characters.next_if(|&(at, _)| at < from + digits).is_some() {}
        let refused = RuleError::new(start..self.position(), "this escape stands for no character");
        let plain = !written.is_empty() && written.chars().all(|digit| digit.is_digit(radix));
        let number = u32::from_str_radix(written, radix).ok().filter(|_| plain);
        match (kind, number) {
            ('u' | 'U', Some(number)) => {
                let character = char::from_u32(number).ok_or(refused)?;
                content.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            (_, Some(number)) => content.push(u8::try_from(number).map_err(|_| refused)?),
            (_, None) => return Err(refused),
        }
        Ok(())
    }

    fn unclosed(&self, start: usize, quote: &str) -> RuleError {
        RuleError::new(start..self.text.len(), "the text is not closed").hint(quote)
    }

    fn stray(&self, start: usize, character: char) -> RuleError {
        let error = RuleError::new(
            start..start + character.len_utf8(),
            format!("`{character}` has no place in a rule"),
        );
        if character.is_ascii_digit() { error.hint("a text stands in backticks") } else { error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(rule: &str) -> Vec<String> {
        let read = tokens(rule).expect(rule);
        read.into_iter()
            .filter_map(|spanned| if let Token::Text(text) = spanned.token { Some(text) } else { None })
            .collect()
    }

    #[test]
    fn every_token_knows_its_bytes() {
        let rule = "Host(`é`) && !x";
        let read = tokens(rule).expect(rule);
        let written: Vec<&str> = read.iter().map(|spanned| &rule[spanned.span.clone()]).collect();
        assert_eq!(written, ["Host", "(", "`é`", ")", "&&", "!", "x", ""]);
    }

    #[test]
    fn raw_texts_keep_backslashes_and_quoted_ones_read_gos_escapes() {
        assert_eq!(texts(r#"`a\.b"`"#), [r#"a\.b""#]);
        assert_eq!(texts(r#""a\\.b\"\t\x41\101\u00e9\U0001F600""#), ["a\\.b\"\tAA\u{e9}\u{1F600}"]);
    }

    #[test]
    fn comments_are_blanks() {
        assert_eq!(texts("`a` // `b`\n/* `c` */ `d`"), ["a", "d"]);
    }

    #[test]
    fn what_is_no_token_is_refused_where_it_stands() {
        let table: [(&str, Range<usize>); 12] = [
            ("a & b", 2..3),
            ("a | b", 2..3),
            ("a == b", 2..3),
            ("(`x)", 1..4),
            ("\"x", 0..2),
            ("\"x\ny\"", 0..5),
            ("'x'", 0..1),
            (r#""\q""#, 1..3),
            (r#""\x4""#, 1..5),
            (r#""\xff""#, 0..6),
            ("/* x", 0..4),
            ("é", 0..2),
        ];
        for (rule, span) in table {
            assert_eq!(tokens(rule).expect_err(rule).span, span, "{rule}");
        }
    }
}
