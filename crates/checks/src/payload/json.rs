//! Figures in JSON documents.

use serde_json::{Deserializer, Value};

/// The number at `path` of the last document in `text` that has the path; `None` when none has. Documents begin at the
/// beginning of a line; whatever else a program wrote is passed over.
///
/// # Errors
/// When there is something else than a number.
pub(super) fn find(path: &str, text: &str) -> Result<Option<f64>, String> {
    let documents = documents(text);
    let Some(value) = documents.iter().rev().find_map(|document| at(document, path)) else { return Ok(None) };
    value.as_f64().map(Some).ok_or_else(|| format!("JSON path `{path}` leads to {value}, which is no number"))
}

fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    if path.starts_with('/') {
        return document.pointer(path);
    }
    path.split('.').try_fold(document, |value, key| match value {
        Value::Object(members) => members.get(key),
        Value::Array(elements) => elements.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

fn documents(text: &str) -> Vec<Value> {
    let mut documents = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let line = rest.trim_start();
        if line.starts_with(['{', '[']) {
            let mut stream = Deserializer::from_str(line).into_iter::<Value>();
            if let Some(Ok(document)) = stream.next() {
                documents.push(document);
                rest = &line[stream.byte_offset()..];
                continue;
            }
        }
        rest = line.split_once('\n').map_or("", |(_, rest)| rest);
    }
    documents
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str =
        "starting {up}\n{\"a\": {\"b\": [1, 2.5]}, \"99.9\": 7}\n[progress\n{\"a\": {\"b\": [3]}}\n";

    #[test]
    fn the_last_document_with_the_path_counts() {
        assert_eq!(find("a.b.0", OUTPUT), Ok(Some(3.0)));
        assert_eq!(find("a.b.1", OUTPUT), Ok(Some(2.5)));
        assert_eq!(find("/99.9", OUTPUT), Ok(Some(7.0)));
        assert_eq!(find("99.9", OUTPUT), Ok(None));
        assert_eq!(find("0", "  [4]"), Ok(Some(4.0)));
        assert_eq!(find("a", ""), Ok(None));
    }

    #[test]
    fn what_is_no_number_is_said() {
        let says = find("a.b", OUTPUT).unwrap_err();
        assert_eq!(says, "JSON path `a.b` leads to [3], which is no number");
    }
}
