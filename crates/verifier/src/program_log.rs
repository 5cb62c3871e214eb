//! Cutting the verifier's logs out of what a loader printed.

/// libbpf's mark before a log. It names the program: `prog 'NAME': -- BEGIN PROG LOAD LOG --`.
const BEGIN: &str = "-- BEGIN PROG LOAD LOG --";
/// libbpf's mark after a log.
const END: &str = "-- END PROG LOAD LOG --";

/// What the verifier logged of one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramLog<'a> {
    /// The program, when the lines around its log name it.
    pub program: Option<&'a str>,
    /// The log's lines. The beginning is missing when it was not kept, and the end when the loader was stopped.
    pub text: &'a str,
}

impl ProgramLog<'_> {
    /// How long the verification took, in microseconds, when the log has statistics (`BPF_LOG_STATS`).
    pub fn verification_us(&self) -> Option<u64> {
        let line = self.text.lines().rev().find(|line| line.starts_with("verification time "))?;
        line.split_whitespace().nth(2)?.parse().ok()
    }
}

/// The logs in what a loader printed, in order. Loaders print the log of a program that was rejected; those that are
/// told to be verbose also print the others'.
pub fn program_logs(printed: &str) -> Vec<ProgramLog<'_>> {
    let mut logs = Vec::new();
    let mut rest = printed;
    loop {
        let (begin, end) = (rest.find(BEGIN), rest.find(END));
        // An end before any beginning: the beginning was not kept.
        let (program, start) = match (begin, end) {
            (Some(begin), end) if end.is_none_or(|end| begin < end) => {
                let line = &rest[line_start(rest, begin)..begin];
                (program_in(line), begin + BEGIN.len())
            }
            (_, Some(end)) => (rest[end..].lines().nth(1).and_then(program_in), 0),
            (_, None) => return logs,
        };
        let stop = rest[start..].find(END).map_or(rest.len(), |at| start + at);
        let text = rest[start..line_start(rest, stop).max(start)].trim_start_matches(['\r', '\n']);
        logs.push(ProgramLog { program, text });
        rest = rest[stop..].strip_prefix(END).unwrap_or_default();
    }
}

/// Where the line begins that `at` is in; the end of the text counts as the beginning of a line.
fn line_start(text: &str, at: usize) -> usize {
    if at == text.len() { at } else { text[..at].rfind('\n').map_or(0, |newline| newline + 1) }
}

/// The name in `libbpf: prog 'NAME': ..`.
fn program_in(line: &str) -> Option<&str> {
    let (_, after) = line.split_once("prog '")?;
    Some(after.split_once('\'')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "starting\n\
        libbpf: prog 'good': -- BEGIN PROG LOAD LOG --\n\
        0: R1=ctx() R10=fp0\nverification time 12 usec\nprocessed 1 insns\n\
        -- END PROG LOAD LOG --\n\
        [WARN] libbpf: prog 'bad': -- BEGIN PROG LOAD LOG --\n0: (95) exit\n-- END PROG LOAD LOG --\nbye\n";

    #[test]
    fn each_log_has_its_program() {
        let logs = program_logs(PRINTED);
        assert_eq!(logs.len(), 2);
        assert_eq!((logs[0].program, logs[1].program), (Some("good"), Some("bad")));
        assert_eq!(logs[1].text, "0: (95) exit\n");
        assert_eq!((logs[0].verification_us(), logs[1].verification_us()), (Some(12), None));
        assert!(program_logs("nothing of the kind\n").is_empty());
        assert!(program_logs("").is_empty());
    }

    #[test]
    fn a_log_without_its_beginning_or_its_end_is_one() {
        let cut = "7: (95) exit\n-- END PROG LOAD LOG --\nlibbpf: prog 'late': failed to load: -EINVAL\n";
        assert_eq!(program_logs(cut), [ProgramLog { program: Some("late"), text: "7: (95) exit\n" }]);
        let stopped = "libbpf: prog 'early': -- BEGIN PROG LOAD LOG --\n0: (95) exit\n1: (9";
        assert_eq!(
            program_logs(stopped),
            [ProgramLog { program: Some("early"), text: "0: (95) exit\n1: (9" }]
        );
    }

    proptest::proptest! {
        #[test]
        fn anything_can_be_read(pieces in proptest::collection::vec("-- BEGIN PROG LOAD LOG --|-- END PROG LOAD LOG --|prog 'x'|\n|é|a", 0..20)) {
            program_logs(&pieces.concat());
        }
    }
}
