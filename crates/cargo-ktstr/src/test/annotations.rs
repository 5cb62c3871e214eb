//! Failures as GitHub shows them beside the source: workflow commands on stdout.

use std::path::Path;

use ktstr_model::Verdict;
use ktstr_results::Record;

/// One line for each run that failed. `workspace` is where the tests' source files are relative to, `repository` what
/// GitHub's paths are relative to.
pub fn of(records: &[Record], workspace: &Path, repository: &Path) -> Vec<String> {
    let failed = records.iter().filter(|record| !matches!(record.verdict, Verdict::Pass | Verdict::Skip));
    failed.map(|record| annotation(record, workspace, repository)).collect()
}

fn annotation(record: &Record, workspace: &Path, repository: &Path) -> String {
    let place = record.location.as_ref().filter(|(file, _)| !file.is_empty()).map(|(file, line)| {
        let whole = workspace.join(file);
        let file = whole.strip_prefix(repository).unwrap_or(Path::new(file));
        format!("file={},line={line},", property(&file.to_string_lossy()))
    });
    let name = record.cell.as_ref().unwrap_or(&record.test);
    let title = property(&format!("{}: {name}", record.verdict.to_string().to_uppercase()));
    format!("::error {}title={title}::{}", place.unwrap_or_default(), data(&record.headline))
}

/// Text after the second `::`. The characters that end a command have to be written otherwise.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which a comma or a colon would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_point_at_their_tests() {
        let record = |verdict, location: Option<(&str, u32)>, cell: Option<&str>| Record {
            verdict,
            location: location.map(|(file, line)| (file.to_owned(), line)),
            cell: cell.map(str::to_owned),
            headline: "worker 3 ran 10%\nof the time".to_owned(),
            ..Record::begun("inner::a".to_owned(), "eevdf", 1)
        };
        let records = [
            record(Verdict::Pass, Some(("tests/a.rs", 3)), None),
            record(Verdict::Skip, Some(("tests/a.rs", 3)), None),
            record(Verdict::Fail, Some(("tests/a.rs", 3)), Some("gauntlet/inner::a/tiny-1llc")),
            record(Verdict::Broken, None, None),
        ];
        let lines = of(&records, Path::new("/repo/schedulers"), Path::new("/repo"));
        insta::assert_snapshot!(lines.join("\n"), @r"
        ::error file=schedulers/tests/a.rs,line=3,title=FAIL%3A gauntlet/inner%3A%3Aa/tiny-1llc::worker 3 ran 10%25%0Aof the time
        ::error title=BROKEN%3A inner%3A%3Aa::worker 3 ran 10%25%0Aof the time
        ");
        let elsewhere = of(&records[2..3], Path::new("/ws"), Path::new("/repo"));
        assert!(elsewhere[0].starts_with("::error file=tests/a.rs,line=3,"), "{elsewhere:?}");
    }
}
