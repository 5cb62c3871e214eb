//! The table of a scheduler: programs down, cells across.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use ktstr_model::{BpfProgram, VERIFIED_INSNS_LIMIT, Verdict};

use super::outcome::Outcome;

/// Columns of one table; what is more goes into another below it.
const COLUMNS: usize = 6;

/// All that is told of one scheduler's cells. `left_out` are the kernels that its declaration leaves out.
pub fn render(scheduler: &str, outcomes: &[&Outcome], left_out: &[&str]) -> String {
    let loaded: Vec<&Outcome> = outcomes.iter().copied().filter(|outcome| outcome.bpf.is_some()).collect();
    let mut text = format!(
        "{scheduler}: instructions verified, and their share of the limit of {VERIFIED_INSNS_LIMIT}\n"
    );
    let programs = programs(&loaded);
    let worst = loaded
        .iter()
        .flat_map(|outcome| outcome.bpf.iter().flat_map(|bpf| &bpf.programs))
        .max_by_key(|program| program.verified_insns)
        .map(|program| program.verified_insns);
    for columns in alike(&loaded, &programs).chunks(COLUMNS) {
        let _ = writeln!(text, "{}", table(columns, &programs, worst).trim_fmt());
    }
    if loaded.is_empty() {
        text.push_str("  it was loaded in no cell\n");
    }
    for line in warnings(&loaded) {
        let _ = writeln!(text, "  warning: {line}");
    }
    for outcome in outcomes.iter().filter(|outcome| !outcome.passed()) {
        let verdict = outcome.verdict.map_or_else(|| "no verdict".to_owned(), |verdict| verdict.to_string());
        let _ = writeln!(text, "  {verdict}: {}: {}", outcome.cell.name(), first_line(&outcome.headline));
    }
    if !left_out.is_empty() {
        let _ = writeln!(text, "  not for this scheduler, by its `kernels`: {}", left_out.join(", "));
    }
    text
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The names of all programs, in the order in which they were loaded.
fn programs<'a>(loaded: &[&'a Outcome]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for program in loaded.iter().flat_map(|outcome| outcome.bpf.iter().flat_map(|bpf| &bpf.programs)) {
        if !names.contains(&program.name.as_str()) {
            names.push(&program.name);
        }
    }
    names
}

/// Cells of one kernel with the same numbers, which are one column. The order is that of the first of each.
fn alike<'a>(loaded: &[&'a Outcome], programs: &[&str]) -> Vec<Vec<&'a Outcome>> {
    let numbers = |outcome: &Outcome| -> Vec<_> {
        programs.iter().map(|program| outcome.verified_insns(program)).collect()
    };
    let mut columns: Vec<Vec<&Outcome>> = Vec::new();
    for outcome in loaded {
        let same = columns.iter_mut().find(|column| {
            column[0].cell.kernel == outcome.cell.kernel && numbers(column[0]) == numbers(outcome)
        });
        match same {
            Some(column) => column.push(outcome),
            None => columns.push(vec![outcome]),
        }
    }
    columns
}

fn table(columns: &[Vec<&Outcome>], programs: &[&str], worst: Option<u32>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    let title = |column: &Vec<&Outcome>| {
        let more = match column.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{}\n{}{more}", column[0].cell.kernel, column[0].cell.preset)
    };
    table.set_header(std::iter::once("program".to_owned()).chain(columns.iter().map(title)));
    for program in programs {
        let number = |column: &Vec<&Outcome>| {
            let found =
                column[0].bpf.as_ref().and_then(|bpf| bpf.programs.iter().find(|one| one.name == *program));
            found.map_or_else(|| "-".to_owned(), |found| share(found, worst))
        };
        table.add_row(std::iter::once((*program).to_owned()).chain(columns.iter().map(number)));
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

/// A program's number and share; `!` warns of the limit, `*` marks the worst of a scheduler.
fn share(program: &BpfProgram, worst: Option<u32>) -> String {
    let near = if program.is_near_limit() { "!" } else { "" };
    let mark = if worst == Some(program.verified_insns) { "*" } else { "" };
    format!("{near}{mark}{} {:4.1} %", program.verified_insns, program.percent_of_limit())
}

fn warnings(loaded: &[&Outcome]) -> Vec<String> {
    let programs = loaded.iter().flat_map(|outcome| {
        outcome.bpf.iter().flat_map(move |bpf| bpf.programs.iter().map(move |p| (outcome, p)))
    });
    let near = programs.filter(|(_, program)| program.is_near_limit());
    near.map(|(outcome, program)| {
        format!(
            "{} takes {:.1} % of the verifier's limit in {}",
            program.name,
            program.percent_of_limit(),
            outcome.cell.name()
        )
    })
    .collect()
}

/// One line over all schedulers.
pub fn total(outcomes: &[Outcome]) -> String {
    let count =
        |verdict: Option<Verdict>| outcomes.iter().filter(|outcome| outcome.verdict == verdict).count();
    let kinds = [
        (count(Some(Verdict::Pass)), "loaded"),
        (count(Some(Verdict::Fail)), "failed"),
        (count(Some(Verdict::Skip)), "skipped"),
        (count(Some(Verdict::Broken)), "broken"),
        (count(None), "without a record"),
    ];
    let told = kinds.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told.map(|(count, word)| format!("{count} {word}")).collect();
    let cells = if outcomes.len() == 1 { "1 cell".to_owned() } else { format!("{} cells", outcomes.len()) };
    format!("{cells}: {}", told.join(", "))
}

#[cfg(test)]
mod tests {
    use ktstr_model::{BpfObjects, Cause};

    use super::*;
    use crate::verifier::cells::Cell;

    fn outcome(name: &str, programs: &[(&str, u32)]) -> Outcome {
        let program = |(name, verified_insns): &(&str, u32)| BpfProgram {
            name: (*name).to_owned(),
            kind: "struct_ops".to_owned(),
            verified_insns: *verified_insns,
            insns: 1,
            jited_bytes: 6,
            verification_us: None,
            maps: Vec::new(),
        };
        let bpf = BpfObjects { programs: programs.iter().map(program).collect(), maps: Vec::new() };
        Outcome {
            cell: Cell::parse(name).unwrap(),
            verdict: Some(Verdict::Pass),
            cause: Some(Cause::ChecksHeld),
            headline: String::new(),
            topology: None,
            enabled_after_ns: Some(1),
            bpf: Some(bpf),
        }
    }

    fn rejected(name: &str) -> Outcome {
        Outcome {
            verdict: Some(Verdict::Fail),
            cause: Some(Cause::SchedulerRejected),
            headline: "the BPF verifier rejected b: infinite loop detected at insn 44\n  at instruction 44"
                .to_owned(),
            bpf: None,
            ..outcome(name, &[])
        }
    }

    #[test]
    fn a_table_has_programs_down_and_cells_across() {
        let cells = [
            outcome("verifier/s/7.0.13/tiny-1llc", &[("init", 12), ("a_program_with_a_long_name", 300)]),
            outcome("verifier/s/7.0.13/tiny-2llc", &[("init", 12), ("a_program_with_a_long_name", 300)]),
            outcome("verifier/s/7.0.13/large-4llc", &[("init", 12), ("a_program_with_a_long_name", 812_345)]),
            outcome("verifier/s/6.18.15/tiny-1llc", &[("init", 14)]),
            rejected("verifier/s/6.18.15/large-4llc"),
        ];
        let text = render("s", &cells.iter().collect::<Vec<_>>(), &["7.3.4"]);
        insta::assert_snapshot!(text);
        assert_eq!(total(&cells), "5 cells: 4 loaded, 1 failed");
    }

    #[test]
    fn a_scheduler_that_loads_nowhere_says_so() {
        let cells = [rejected("verifier/s/7.0.13/tiny-1llc")];
        insta::assert_snapshot!(render("s", &[&cells[0]], &[]));
    }
}
