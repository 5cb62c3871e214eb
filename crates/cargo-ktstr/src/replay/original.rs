//! The run that a token is of, where its record is still beside the token.

use std::fs;
use std::path::{Path, PathBuf};

use ktstr_results::replay::TokenId;
use ktstr_results::{Record, first_divergence, read_record};
use serde::Deserialize;

#[derive(Deserialize)]
struct OfToken {
    #[serde(default)]
    replay_token: Option<TokenId>,
}

/// The record of the run that the token in `file` is of.
pub fn record(file: &Path, id: TokenId) -> Option<PathBuf> {
    let beside = fs::read_dir(file.parent()?).ok()?.flatten().map(|entry| entry.path());
    let mut records = beside.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    records.find(|path| {
        read_record::<OfToken>(path).is_ok_and(|record| record.replay_token == Some(id))
            && path.with_extension("").join(Record::REPORT_FILE).exists()
    })
}

/// Where the run of the record `then` and the one of `here` went apart; nothing when one of them left no events.
pub fn divergence(then: &Path, here: &Path) -> Vec<String> {
    let report = |path| Record::read_report(path).ok().flatten();
    let (Some(then), Some(here)) = (report(then), report(here)) else { return Vec::new() };
    first_divergence(&then, &here).map_or_else(Vec::new, |first| first.lines())
}
