//! Finding the file of a replay token.

use std::fs;
use std::path::{Path, PathBuf};

use super::token::{ReplayToken, TokenError};
use super::token_id::{BadTokenId, TokenId};

/// Folders below the first in which tokens are looked for.
const DEPTH: usize = 4;
/// Letters in which a mistyped token may differ from the one that was meant.
const NEAR: usize = 2;

/// The tokens in `folder` and the folders in it, each once.
pub fn tokens_below(folder: &Path) -> Vec<(TokenId, PathBuf)> {
    let mut found = Vec::new();
    collect(folder, DEPTH, &mut found);
    found.sort();
    found.dedup_by_key(|(id, _)| *id);
    found
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<(TokenId, PathBuf)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth > 0 {
                collect(&path, depth - 1, found);
            }
        } else if path.extension().is_some_and(|extension| extension == ReplayToken::EXTENSION)
            && let Some(Ok(id)) = path.file_stem().and_then(|stem| stem.to_str()).map(str::parse)
        {
            found.push((id, path));
        }
    }
}

/// The file of the token that a person wrote as `text`.
///
/// # Errors
/// When it is no token, a part of one, or none that `folder` has; the error names those that may have been meant.
pub fn find_token(folder: &Path, text: &str) -> Result<PathBuf, TokenError> {
    let known = tokens_below(folder);
    let listed = |ids: &mut dyn Iterator<Item = &TokenId>| {
        let ids: Vec<String> = ids.map(TokenId::to_string).collect();
        ids.join(", ")
    };
    let id: TokenId = match text.parse() {
        Ok(id) => id,
        Err(cut @ BadTokenId::Cut { .. }) => {
            let BadTokenId::Cut { text } = &cut else { return Err(TokenError::Unknown(cut.to_string())) };
            let begins = |id: &&TokenId| id.to_string().starts_with(text.as_str());
            let meant = listed(&mut known.iter().map(|(id, _)| id).filter(begins));
            let hint = match meant.as_str() {
                "" => format!("none in {} begins so", folder.display()),
                _ => format!("those in {} that begin so: {meant}", folder.display()),
            };
            return Err(TokenError::Unknown(format!("{cut}; {hint}")));
        }
        Err(no_token) => return Err(TokenError::Unknown(no_token.to_string())),
    };
    if let Some((_, path)) = known.iter().find(|(known, _)| *known == id) {
        return Ok(path.clone());
    }
    let is_near = |other: &&TokenId| {
        let (one, other) = (id.to_string(), other.to_string());
        one.bytes().zip(other.bytes()).filter(|(a, b)| a != b).count() <= NEAR
    };
    let near = listed(&mut known.iter().map(|(id, _)| id).filter(is_near));
    let hint = match near.as_str() {
        "" => {
            let known = match known.len() {
                0 => "it has no tokens".to_owned(),
                1 => "the one it has is of another failure".to_owned(),
                many => format!("the {many} it has are of other failures"),
            };
            format!("{known}; a token from elsewhere is a file: give its path")
        }
        near => format!("was {near} meant?"),
    };
    Err(TokenError::Unknown(format!("no token {id} in {}: {hint}", folder.display())))
}
