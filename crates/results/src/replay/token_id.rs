//! The short id of a replay token.

use std::fmt;
use std::str::FromStr;

use ktstr_model::Digest;
use serde::{Deserialize, Serialize};

/// Digits and letters without those that are taken for others (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Twelve letters: the first 60 bits of a hash of what the token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TokenId([u8; TokenId::LENGTH]);

/// A text that is no token id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTokenId {
    /// It has too few letters.
    #[error("the token `{text}` is cut: it has {} of {} letters", .text.len(), TokenId::LENGTH)]
    Cut {
        /// The letters, as a token is written.
        text: String,
    },
    /// It has too many letters, or one that no token has.
    #[error(
        "`{text}` is no token: a token has {} letters out of 0-9 and a-z without i, l, o and u",
        TokenId::LENGTH
    )]
    NoToken {
        /// What was given.
        text: String,
    },
}

impl TokenId {
    /// How many letters it has.
    pub const LENGTH: usize = 12;
    /// Stands for the id while it is not known.
    pub(super) const BLANK: Self = Self([b'0'; Self::LENGTH]);

    /// The id of a text.
    pub(super) fn of(text: &str) -> Self {
        let bits = u128::from_be_bytes(Digest::of(text.as_bytes()).bytes());
        Self(std::array::from_fn(|letter| ALPHABET[(bits >> (123 - 5 * letter)) as usize & 31]))
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

impl FromStr for TokenId {
    type Err = BadTokenId;

    /// Capital letters are as good as small ones, `o` is read as `0`, `i` and `l` as `1`.
    fn from_str(text: &str) -> Result<Self, BadTokenId> {
        let no_token = || BadTokenId::NoToken { text: text.to_owned() };
        let letter = |letter: u8| match letter.to_ascii_lowercase() {
            b'o' => Some(b'0'),
            b'i' | b'l' => Some(b'1'),
            other => ALPHABET.contains(&other).then_some(other),
        };
        let letters: Vec<u8> = text.bytes().map(letter).collect::<Option<_>>().ok_or_else(no_token)?;
        if letters.len() < Self::LENGTH {
            return Err(BadTokenId::Cut { text: String::from_utf8_lossy(&letters).into_owned() });
        }
        letters.try_into().map(Self).map_err(|_| no_token())
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for TokenId {
    type Error = BadTokenId;

    fn try_from(text: String) -> Result<Self, BadTokenId> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_token_says_why() {
        let error = |text: &str| text.parse::<TokenId>().unwrap_err().to_string();
        assert_eq!(error("7K3"), "the token `7k3` is cut: it has 3 of 12 letters");
        assert!(error("").contains("0 of 12"));
        for wrong in ["7k3m9q2xw4rtz", "7k3m9q2xw4ru", "7k3m 9q2xw4r", "7k3m9q2xw4ré"] {
            assert!(error(wrong).contains("is no token"), "{wrong}");
        }
    }

    #[test]
    fn letters_that_look_alike_are_the_same() {
        assert_eq!("O1lI00000000".parse::<TokenId>(), "011100000000".parse());
    }

    proptest! {
        #[test]
        fn ids_read_back(text: String) {
            let id = TokenId::of(&text);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        }
    }
}
