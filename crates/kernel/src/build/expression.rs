//! Kconfig's expressions: `A && !(B || C != "x")`, `PAHOLE_VERSION >= 122`.

use crate::KernelConfig;

/// Whether an expression is true in `config`. What only kbuild can tell, such as `$(cc-option,..)`, and what cannot be
/// read counts as true: the answer explains a symbol that was dropped, and must not blame the wrong condition.
pub fn holds(expression: &str, config: &KernelConfig) -> bool {
    if expression.contains("$(") {
        return true;
    }
    let tokens = tokens(expression);
    let mut parser = Parser { tokens: &tokens, config };
    parser.either().filter(|_| parser.tokens.is_empty()).unwrap_or(true)
}

fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let operators = ["&&", "||", "!=", "<=", ">=", "!", "(", ")", "=", "<", ">"];
        let length = match operators.iter().find(|operator| rest.starts_with(**operator)) {
            Some(operator) => operator.len(),
            None if first == '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            None => rest.find(|c: char| c.is_whitespace() || "&|!=<>()\"".contains(c)).unwrap_or(rest.len()),
        };
        // A lone `&` or `|` is no token; passing over it lets the parser refuse the rest.
        let (token, after) = rest.split_at(length.max(first.len_utf8()));
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    config: &'a KernelConfig,
}

impl<'a> Parser<'a> {
    fn take(&mut self, wanted: &str) -> bool {
        let is_next = self.tokens.first() == Some(&wanted);
        if is_next {
            self.tokens = &self.tokens[1..];
        }
        is_next
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn either(&mut self) -> Option<bool> {
        let mut value = self.both()?;
        while self.take("||") {
            value |= self.both()?;
        }
        Some(value)
    }

    fn both(&mut self) -> Option<bool> {
        let mut value = self.single()?;
        while self.take("&&") {
            value &= self.single()?;
        }
        Some(value)
    }

    fn single(&mut self) -> Option<bool> {
        if self.take("!") {
            return Some(!self.single()?);
        }
        if self.take("(") {
            let value = self.either()?;
            return self.take(")").then_some(value);
        }
        let left = self.value(self.tokens.first()?);
        self.next();
        let comparison = self.tokens.first().copied().unwrap_or_default();
        let compare: fn(&str, &str) -> bool = match comparison {
            "=" => |a, b| a == b,
            "!=" => |a, b| a != b,
            "<" => |a, b| number(a) < number(b),
            ">" => |a, b| number(a) > number(b),
            "<=" => |a, b| number(a) <= number(b),
            ">=" => |a, b| number(a) >= number(b),
            // Without modules `m` is as good as `y`.
            _ => return Some(left == "y" || left == "m"),
        };
        self.next();
        let right = self.next()?;
        Some(compare(left, self.value(right)))
    }

    /// A constant's own text, a symbol's value.
    fn value(&self, token: &'a str) -> &'a str {
        match token.strip_prefix('"') {
            Some(text) => text.trim_end_matches('"'),
            None if matches!(token, "y" | "n" | "m") || token.starts_with(|c: char| c.is_ascii_digit()) => {
                token
            }
            None => self.config.get(token).unwrap_or("n"),
        }
    }
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config() -> KernelConfig {
        "CONFIG_A=y\nCONFIG_M=m\nCONFIG_V=124\nCONFIG_S=\"text\"\n".parse().unwrap()
    }

    #[test]
    fn follows_kconfigs_rules() {
        for (expression, expected) in [
            ("A", true),
            ("B", false),
            ("!B && A", true),
            ("B || A && B", false),
            ("(B || A) && !B", true),
            ("M", true),
            ("V >= 122", true),
            ("V>=200", false),
            ("V < 125 && A=y", true),
            ("A != n", true),
            ("B = n", true),
            ("S = \"text\"", true),
            ("$(cc-option,-mfoo)", true),
            ("A &&", true),
            ("", true),
        ] {
            assert_eq!(holds(expression, &config()), expected, "{expression}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[A-C&|!=<>()\" é]{0,30}") {
            holds(&text, &config());
        }
    }
}
