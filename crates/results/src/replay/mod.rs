//! Replay tokens: a failure of a deterministic run as a file that anybody can run again, and its short id.

mod find;
mod outcome;
mod plan_differences;
mod token;
mod token_id;

pub use find::{find_token, tokens_below};
pub use outcome::{Replayed, what_happened};
pub use token::{ReplayToken, TokenError, TokenKernel, TokenOutcome, TokenTest};
pub use token_id::{BadTokenId, TokenId};
