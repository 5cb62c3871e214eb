//! What a replay token says, and its file.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ktstr_model::{Cause, Digest, Mode, Verdict};
use serde::{Deserialize, Serialize};

use super::token_id::TokenId;
use crate::identities::Identities;
use crate::record::{Plan, Record};
use crate::schema::Schema;
use crate::test_program::TestProgram;

/// The test of a replay token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenTest {
    /// The binary that has it.
    pub program: TestProgram,
    /// Its path within its crate.
    pub test: String,
    /// The name of the cell that it was run as, without the kernel's part; `None` when it was no cell.
    pub cell: Option<String>,
}

/// The kernel of a replay token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenKernel {
    /// `uname -r`.
    pub release: String,
    /// SHA-256 of the image, in hexadecimal.
    pub sha256: String,
}

/// What happened in the run of a replay token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenOutcome {
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub cause: Cause,
    /// Why, in words.
    pub headline: String,
    /// The digest; `None` when the guest reported nothing.
    pub digest: Option<Digest>,
}

/// A failure of a deterministic run, with what it takes to run it again beside the sources: thresholds, the scheduler's
/// arguments and sysctls are in it to be compared only, and are those of the declaration when it is run. Equal failures have
/// equal tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplayToken {
    /// Its id.
    #[serde(rename = "replay_token")]
    pub id: TokenId,
    /// Version of this format, with the rules of [`Schema`].
    pub schema: Schema,
    /// The test.
    pub test: TokenTest,
    /// The kernel.
    pub kernel: TokenKernel,
    /// What was run: seed, topology, duration and the rest of what the guest was told, kernel arguments and memory.
    pub plan: Plan,
    /// QEMU's version.
    pub qemu: String,
    /// What took part.
    pub identities: Identities,
    /// What happened.
    pub outcome: TokenOutcome,
}

/// A file that is no usable replay token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It cannot be read.
    #[error("{}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        cause: io::Error,
    },
    /// It is something else.
    #[error("{} is no replay token ({why}): give the file TOKEN.replay that a failure names, or its token", path.display())]
    NoToken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Its format is another.
    #[error("{} has format {found}, this ktstr reads {}: it was written by {} ktstr; use that one", path.display(), ReplayToken::SCHEMA, if *.found > ReplayToken::SCHEMA { "a newer" } else { "an older" })]
    Version {
        /// The file.
        path: PathBuf,
        /// The version in it.
        found: Schema,
    },
    /// It is not what was written.
    #[error("{} was changed after it was written: it says that it is {written}, its content is that of {content}. A replay of it would not be a replay of that failure; get the original", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The id in it.
        written: TokenId,
        /// The id that its content has.
        content: TokenId,
    },
    /// No file here has this id.
    #[error("{0}")]
    Unknown(String),
}

/// What every version of the format has.
#[derive(Deserialize)]
struct Head {
    replay_token: TokenId,
    schema: Schema,
}

impl ReplayToken {
    /// The version that is written, and read.
    pub const SCHEMA: Schema = Schema { major: 1, minor: 0 };
    /// The ending of a token's file, which is JSON. Records end in another way, and are not mistaken for it.
    pub const EXTENSION: &str = "replay";

    /// The token of a run: `None` when it passed, was skipped, was not deterministic (in real time, or two runs of it
    /// differed) or ended before there was a plan, and for the verifier's cells, which load programs and run no test.
    pub fn of(record: &Record) -> Option<Self> {
        if !matches!(record.verdict, Verdict::Fail | Verdict::Broken)
            || record.mode != Some(Mode::Deterministic)
            || record.cause == Cause::NotDeterministic
        {
            return None;
        }
        if record.cell.as_ref().is_some_and(|cell| cell.starts_with("verifier/")) {
            return None;
        }
        let kernel = record.kernel.as_ref()?;
        let mut token = Self {
            id: TokenId::BLANK,
            schema: Self::SCHEMA,
            test: TokenTest {
                program: record.program.clone(),
                test: record.test.clone(),
                cell: record.cell.as_deref().and_then(without_kernel),
            },
            kernel: TokenKernel { release: kernel.release.clone(), sha256: kernel.sha256.clone() },
            plan: record.plan.clone()?,
            qemu: record.qemu.clone(),
            identities: record.identities.clone()?,
            outcome: TokenOutcome {
                verdict: record.verdict,
                cause: record.cause,
                headline: record.headline.clone(),
                digest: record.digest,
            },
        };
        token.id = TokenId::of(&token.text());
        Some(token)
    }

    /// The content of its file.
    fn text(&self) -> String {
        // Plain data; nothing in it can fail to be written.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Writes its file into `folder`, all at once, and returns the path. Whoever wrote the same there wrote this.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        let path = folder.join(format!("{}.{}", self.id, Self::EXTENSION));
        let mut aside = tempfile::Builder::new()
            .prefix(".")
            .suffix(".half")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(folder)?;
        aside.write_all(self.text().as_bytes())?;
        aside.persist(&path)?;
        Ok(path)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it is none of this format, or was changed.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let path = path.to_owned();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(cause) => return Err(TokenError::Read { path, cause }),
        };
        // Mail may have changed the ends of lines.
        let text = String::from_utf8_lossy(&bytes).replace('\r', "");
        let head: Head = match serde_json::from_str(&text) {
            Ok(head) => head,
            Err(error) => return Err(TokenError::NoToken { path, why: error.to_string() }),
        };
        if head.schema.major != Self::SCHEMA.major {
            return Err(TokenError::Version { path, found: head.schema });
        }
        let blank = text.replacen(&head.replay_token.to_string(), &TokenId::BLANK.to_string(), 1);
        let (written, content) = (head.replay_token, TokenId::of(&(blank.trim_end().to_owned() + "\n")));
        if written != content {
            return Err(TokenError::Changed { path, written, content });
        }
        serde_json::from_str(&text).map_err(|error| match head.schema == Self::SCHEMA {
            true => TokenError::NoToken { path, why: error.to_string() },
            false => TokenError::Version { path, found: head.schema },
        })
    }

    /// The name that its test binary runs it by.
    pub fn runs_as(&self) -> &str {
        self.test.cell.as_ref().unwrap_or(&self.test.test)
    }
}

/// The name of the same cell on the kernel of the process: `None` for a test's own function.
fn without_kernel(cell: &str) -> Option<String> {
    match *cell.split('/').collect::<Vec<_>>() {
        ["kernels", ..] => None,
        ["gauntlet", test, preset, _] => Some(format!("gauntlet/{test}/{preset}")),
        _ => Some(cell.to_owned()),
    }
}

#[cfg(test)]
mod tests;
