//! What the verifier made of a scheduler's programs, in the record and in print.

use ktstr_model::{BpfMap, BpfObjects, BpfProgram};
use ktstr_results::{Figure, Polarity, Record};
use ktstr_verifier::program_logs;

use crate::render::section;
use crate::run::Finished;

/// Completes what the guest read by what the scheduler printed, and makes figures of it, so that two commits can be
/// compared.
pub(super) fn take_over(finished: &mut Finished) {
    let Some(bpf) = finished.record.scheduler_report.as_mut().and_then(|report| report.bpf.as_mut()) else {
        return;
    };
    let printed = finished.evidence.as_ref().map_or("", |evidence| &evidence.scheduler_log);
    for log in program_logs(printed) {
        let program = bpf.programs.iter_mut().find(|program| Some(program.name.as_str()) == log.program);
        if let Some(program) = program {
            program.verification_us = log.verification_us().or(program.verification_us);
        }
    }
    finished.record.figures.extend(figures(bpf));
}

fn figures(bpf: &BpfObjects) -> Vec<Figure> {
    let exact = |name: String, unit: &str, value: u64| {
        Figure::new(name, unit, value as f64, Polarity::LowerBetter).exact()
    };
    let of_program = |program: &BpfProgram| {
        let name = &program.name;
        [
            exact(format!("{name}/verified_insns"), "", program.verified_insns.into()),
            exact(format!("{name}/insns"), "", program.insns.into()),
            exact(format!("{name}/jited_bytes"), "B", program.jited_bytes.into()),
        ]
    };
    let maps = bpf.maps.iter().map(|map| map.memory_bytes).sum();
    let maps = (!bpf.maps.is_empty()).then(|| exact("bpf_maps_bytes".to_owned(), "B", maps));
    bpf.programs.iter().flat_map(of_program).chain(maps).collect()
}

/// Adds the programs and their maps to what a person is told.
pub(super) fn describe(text: &mut String, record: &Record) {
    let Some(bpf) = record.scheduler_report.as_ref().and_then(|report| report.bpf.as_ref()) else { return };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let lines: Vec<String> = bpf.programs.iter().map(program_line).collect();
    section(text, "programs", lines.iter().map(String::as_str));
    let lines: Vec<String> = bpf.maps.iter().map(map_line).collect();
    section(text, "maps", lines.iter().map(String::as_str));
}

fn program_line(program: &BpfProgram) -> String {
    let BpfProgram { name, kind, verified_insns, insns, jited_bytes, verification_us, maps } = program;
    let time = verification_us.map(|us| format!(" in {us} us")).unwrap_or_default();
    let warning = if program.is_near_limit() { " (near the limit)" } else { "" };
    let maps = if maps.is_empty() { String::new() } else { format!("; maps {}", maps.join(", ")) };
    format!(
        "{name} ({kind}): {verified_insns} instructions verified{time}, {:.1} % of the limit{warning}; {insns} \
         instructions, {jited_bytes} bytes of machine code{maps}",
        program.percent_of_limit()
    )
}

fn map_line(BpfMap { name, kind, max_entries, memory_bytes }: &BpfMap) -> String {
    format!("{name} ({kind}): {max_entries} entries, {memory_bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects() -> BpfObjects {
        let program = |name: &str, verified_insns, maps: &[&str]| BpfProgram {
            name: name.to_owned(),
            kind: "struct_ops".to_owned(),
            verified_insns,
            insns: 10,
            jited_bytes: 60,
            verification_us: None,
            maps: maps.iter().map(|map| (*map).to_owned()).collect(),
        };
        let map = BpfMap {
            name: "held_tasks".to_owned(),
            kind: "queue".to_owned(),
            max_entries: 4096,
            memory_bytes: 65856,
        };
        BpfObjects {
            programs: vec![
                program("a_rather_long_name", 12, &[]),
                program("b", 750_000, &["held_tasks", ".rodata"]),
            ],
            maps: vec![map],
        }
    }

    #[test]
    fn programs_and_maps_are_told() {
        let mut record = Record::begun("t".into(), "s", 1);
        record.scheduler_report =
            Some(ktstr_model::SchedulerReport { bpf: Some(objects()), ..Default::default() });
        let mut text = "PASS: x".to_owned();
        describe(&mut text, &record);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn figures_are_exact_and_less_is_better() {
        let figures = figures(&objects());
        assert!(figures.iter().all(|figure| figure.is_exact && figure.polarity == Polarity::LowerBetter));
        let values: Vec<(&str, f64)> =
            figures.iter().map(|figure| (figure.name.as_str(), figure.value)).collect();
        assert!(values.contains(&("b/verified_insns", 750_000.0)), "{values:?}");
        assert!(values.contains(&("bpf_maps_bytes", 65856.0)), "{values:?}");
    }
}
