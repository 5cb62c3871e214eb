//! What somebody may have meant by a name that is none.

use std::collections::BTreeSet;

use ktstr_model::near_miss;

/// Names that are shown of those that come near, and of all where none does.
const NEAR: usize = 5;
const ALL: usize = 20;

/// The names that come near `name`, else all of them after `there_is`.
pub fn hint(name: &str, there_is: &str, names: BTreeSet<String>) -> String {
    let has_it = |other: &&str| other.contains(name);
    let mut near: Vec<&str> = names.iter().map(String::as_str).filter(has_it).take(NEAR).collect();
    if near.is_empty() {
        near.extend(near_miss(name, names.iter().map(String::as_str)));
    }
    if !near.is_empty() {
        return format!("did you mean {}?", near.join(", "));
    }
    let more = if names.len() > ALL { " and others" } else { "" };
    let all: Vec<&str> = names.iter().map(String::as_str).take(ALL).collect();
    format!("{there_is} {}{more}", all.join(", "))
}
