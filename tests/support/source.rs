//! Rust source as a stream of words, for the tests that hold the code to its own rules. A lexer
//! and no more: it knows comments, literals and brackets, not grammar.

/// One word of a source file: a name or number, `::`, a literal, a comment, or a single other
/// character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Code,
    Literal,
    Comment,
}

impl Token {
    pub fn is(&self, text: &str) -> bool {
        self.kind == Kind::Code && self.text == text
    }
}

/// The words of a source, comments and literals among them.
pub fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let (mut at, mut line) = (0, 1);
    let mut found = Vec::new();
    while at < chars.len() {
        let rest = &chars[at..];
        let (length, kind) = measure(rest);
        if let Some(kind) = kind {
            let text = rest[..length].iter().collect();
            found.push(Token { text, line, kind });
        }
        line += rest[..length].iter().filter(|c| **c == '\n').count();
        at += length;
    }
    found
}

/// The words that are compiled into the product: no comments, no literals' insides, and nothing
/// that stands under `#[cfg(test)]`.
pub fn product_code(source: &str) -> Vec<Token> {
    let all = tokens(source).into_iter().filter(|token| token.kind != Kind::Comment);
    without_tests(&all.collect::<Vec<_>>())
}

/// How long the word at the start is, and what it is (`None` for white space).
fn measure(rest: &[char]) -> (usize, Option<Kind>) {
    let first = rest[0];
    let second = rest.get(1).copied().unwrap_or(' ');
    match (first, second) {
        ('/', '/') => {
            let end = rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
            (end, Some(Kind::Comment))
        }
        ('/', '*') => (block_comment(rest), Some(Kind::Comment)),
        ('"', _) => (quoted(rest, 1), Some(Kind::Literal)),
        ('b' | 'c', '"') => (quoted(rest, 2), Some(Kind::Literal)),
        ('b', '\'') => (quoted_char(&rest[1..]).map_or(1, |n| n + 1), Some(Kind::Literal)),
        ('r' | 'b' | 'c', _) if raw_string(rest).is_some() => {
            (raw_string(rest).unwrap_or(1), Some(Kind::Literal))
        }
        ('\'', _) => match quoted_char(rest) {
            Some(length) => (length, Some(Kind::Literal)),
            None => (1, Some(Kind::Code)), // a lifetime
        },
        (':', ':') => (2, Some(Kind::Code)),
        _ if is_word(first) => {
            let end = rest.iter().position(|c| !is_word(*c)).unwrap_or(rest.len());
            (end, Some(Kind::Code))
        }
        _ if first.is_whitespace() => (1, None),
        _ => (1, Some(Kind::Code)),
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at + 1 < rest.len() {
        match (rest[at], rest[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of a string whose opening quote ends at `start`.
fn quoted(rest: &[char], start: usize) -> usize {
    let mut at = start;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of `'x'` or `'\n'`; `None` for a lifetime.
fn quoted_char(rest: &[char]) -> Option<usize> {
    match (rest.get(1)?, rest.get(2)?) {
        ('\\', _) => rest.iter().skip(3).position(|c| *c == '\'').map(|end| end + 4),
        (_, '\'') => Some(3),
        _ => None,
    }
}

/// The length of `r"..."`, `r#"..."#`, `br"..."`, `cr"..."`.
fn raw_string(rest: &[char]) -> Option<usize> {
    let start = rest.iter().position(|c| *c == 'r').filter(|at| *at <= 1)? + 1;
    let hashes = rest[start..].iter().take_while(|c| **c == '#').count();
    let open = start + hashes;
    (rest.get(open) == Some(&'"')).then_some(())?;
    let closes = |at: &usize| {
        rest[*at] == '"' && rest[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes
    };
    let close = (open + 1..rest.len()).find(closes);
    Some(close.map_or(rest.len(), |at| at + 1 + hashes))
}

/// Drops `#[cfg(test)]` and the item below it: up to its closing brace, or its semicolon.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let here = &tokens[at..];
        if here.len() >= MARK.len() && MARK.iter().zip(here).all(|(mark, token)| token.is(mark)) {
            at += MARK.len() + item_length(&here[MARK.len()..]);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

fn item_length(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Code) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        // An enum's variant or a struct's field under the mark ends where its parent does.
        if depth < 0 {
            return at;
        }
        if depth == 0 && matches!(token.text.as_str(), "}" | ";") {
            return at + 1;
        }
    }
    tokens.len()
}
