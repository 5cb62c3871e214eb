//! What a log says about why its program was rejected.

use std::collections::HashMap;
use std::fmt;

use crate::log_line::{LogLine, Source};
use crate::program_log::{ProgramLog, program_logs};

/// An instruction that the verifier logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedInstruction {
    /// Its index in the program.
    pub index: u32,
    /// As the kernel prints it: `(79) r0 = *(u64 *)(r0 +0)`.
    pub text: String,
    /// Its line of source, as `FILE:LINE: CODE`.
    pub source: Option<String>,
}

impl fmt::Display for LoggedInstruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.index, self.text)?;
        self.source.iter().try_for_each(|source| write!(f, "\n    {source}"))
    }
}

/// Why the verifier rejected a program. Displays as a headline of one line and a few that detail it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The program's name.
    pub program: Option<String>,
    /// The rule that was broken, in the kernel's words.
    pub rule: String,
    /// The offending instruction.
    pub instruction: Option<LoggedInstruction>,
    /// The calls that lead to it, innermost first.
    pub calls: Vec<LoggedInstruction>,
}

impl Rejection {
    /// The rejection in what a loader printed. Logs of programs that were accepted, which verbose loaders print, are
    /// none.
    pub fn in_output(printed: &str) -> Option<Self> {
        let failed = |log: &&ProgramLog<'_>| {
            let said = |what: &str, program| printed.contains(&format!("prog '{program}': {what}"));
            log.program.is_none_or(|program| {
                said("failed to load", program) || said("BPF program load failed", program)
            })
        };
        program_logs(printed).iter().filter(failed).find_map(Self::read)
    }

    /// Reads the log of a program that was rejected; `None` when it says nothing.
    pub fn read(log: &ProgramLog<'_>) -> Option<Self> {
        let mut reader = Reader::default();
        log.text.lines().for_each(|line| reader.read(line));
        reader.finish(log.program)
    }

    /// The headline: what was rejected, and the rule.
    pub fn headline(&self) -> String {
        let program = self.program.as_deref().unwrap_or("a program");
        format!("the BPF verifier rejected {program}: {}", self.rule)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        self.instruction.iter().try_for_each(|instruction| write!(f, "\n  at instruction {instruction}"))?;
        self.calls.iter().try_for_each(|call| write!(f, "\n  called by instruction {call}"))
    }
}

/// What is known after some lines of a log.
#[derive(Default)]
struct Reader<'a> {
    seen: HashMap<u32, Instruction<'a>>,
    source: Option<Source<'a>>,
    last: Option<Instruction<'a>>,
    calls: Vec<Instruction<'a>>,
    /// Lines after the last instruction, up to what explains them.
    message: Vec<&'a str>,
    message_is_whole: bool,
}

#[derive(Clone, Copy)]
struct Instruction<'a> {
    index: u32,
    text: &'a str,
    source: Option<Source<'a>>,
}

impl Instruction<'_> {
    fn logged(self) -> LoggedInstruction {
        let source = |Source { code, place }: Source<'_>| match place {
            Some(place) => format!("{place}: {code}"),
            None => code.to_owned(),
        };
        LoggedInstruction { index: self.index, text: self.text.to_owned(), source: self.source.map(source) }
    }
}

impl<'a> Reader<'a> {
    fn read(&mut self, line: &'a str) {
        match LogLine::parse(line) {
            LogLine::Instruction { index, text, source } => {
                let instruction = Instruction { index, text, source: self.source };
                self.seen.insert(index, instruction);
                self.last = Some(instruction);
                self.source = source.or(self.source);
                self.message.clear();
                self.message_is_whole = false;
            }
            LogLine::Source(source) => self.source = Some(source),
            LogLine::Calls => self.calls.extend(self.last),
            LogLine::Returns => drop(self.calls.pop()),
            LogLine::State(words, _) => self.state(words),
            LogLine::Other(text) => self.other(text),
        }
    }

    /// A branch that was put off goes on in the function that it was in.
    fn state(&mut self, words: &str) {
        if words.starts_with("from ") {
            let frame =
                words.split_once("frame").and_then(|(_, frame)| frame.trim_end_matches(':').parse().ok());
            self.calls.truncate(frame.unwrap_or(0));
        }
        self.message_is_whole |= !self.message.is_empty();
    }

    fn other(&mut self, text: &'a str) {
        if text.starts_with("Validating ") {
            // A global function: it is walked on its own, whoever calls it.
            self.calls.clear();
            self.last = None;
            self.message.clear();
        } else if text.starts_with("processed ") || text.starts_with("verification time ") {
            self.message_is_whole = true;
        } else if text.trim().is_empty() || text.starts_with("Verification failed:") {
            // Since 7.3 the kernel explains at length what it said in a line before.
            self.message_is_whole |= !self.message.is_empty();
        } else if !self.message_is_whole && !is_chatter(text) {
            self.message.push(text);
        }
    }

    fn finish(self, program: Option<&str>) -> Option<Rejection> {
        if self.message.is_empty() {
            return None;
        }
        let rule = self.message.join("; ");
        let named = named_instruction(&rule).and_then(|index| self.seen.get(&index).copied());
        Some(Rejection {
            program: program.map(str::to_owned),
            rule,
            instruction: named.or(self.last).map(Instruction::logged),
            calls: self.calls.into_iter().rev().map(Instruction::logged).collect(),
        })
    }
}

/// Lines that come with programs that are in order.
fn is_chatter(text: &str) -> bool {
    ["func '", "callee:", "returning from callee:", "Func#", "propagating ", "mark_precise: "]
        .iter()
        .any(|begin| text.starts_with(begin))
        || text.ends_with(": safe")
        || text.contains("Only those are supported")
}

/// The instruction that a rule is about, where it names one.
fn named_instruction(rule: &str) -> Option<u32> {
    ["at insn ", "alloc_insn=", "from insn "].iter().find_map(|before| {
        let (_, after) = rule.split_once(before)?;
        let digits = after.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(after.len());
        after[..digits].parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Rejection {
        Rejection::read(&ProgramLog { program: Some("p"), text }).unwrap()
    }

    #[test]
    fn a_rule_that_is_broken_before_anything_is_walked_has_no_instruction() {
        let rejection =
            read("combined stack size of 2 calls is 544. Too large\nprocessed 0 insns (limit 1000000)\n");
        assert_eq!(
            rejection.to_string(),
            "the BPF verifier rejected p: combined stack size of 2 calls is 544. Too large"
        );
    }

    #[test]
    fn calls_that_returned_lead_nowhere() {
        let walk = "; f(); @ a.c:1\n0: (85) call pc+5\ncaller:\n R10=fp0\ncallee:\n frame1: R10=fp0\n\
            ; return 0; @ a.c:9\n6: (95) exit\nreturning from callee:\n frame1: R0=0 R10=fp0\nto caller at 1:\n R0=0 R10=fp0\n\
            ; g(); @ a.c:2\n1: (85) call pc+9\ncaller:\n R10=fp0\ncallee:\n frame1: R10=fp0\n\
            ; h(); @ a.c:20\n11: (85) call pc+1\ncaller:\n frame1: R10=fp0\ncallee:\n frame2: R10=fp0\n\
            13: (79) r0 = *(u64 *)(r1 +0)\nR1 invalid mem access 'scalar'\nprocessed 5 insns\n";
        let rejection = read(walk);
        let calls: Vec<_> = rejection.calls.iter().map(|call| call.index).collect();
        assert_eq!((rejection.instruction.unwrap().index, calls), (13, vec![11, 1]));
        // A branch of the caller that was put off, taken up after one in a callee.
        let branch = walk.replace("13: (79)", "from 1 to 12: R0=1 R10=fp0\n12: (79)");
        assert!(read(&branch).calls.is_empty());
    }

    #[test]
    fn a_global_function_is_walked_on_its_own() {
        let rejection = read(
            "0: (85) call pc+5\ncaller:\n R10=fp0\nValidating f() func#1...\n6: R1=scalar() R10=fp0\n\
             6: (79) r0 = *(u64 *)(r1 +0)\nR1 invalid mem access 'scalar'\n",
        );
        assert_eq!((rejection.rule.as_str(), rejection.calls), ("R1 invalid mem access 'scalar'", vec![]));
    }

    #[test]
    fn the_log_of_an_accepted_program_is_no_rejection() {
        let log =
            "prog 'p': -- BEGIN PROG LOAD LOG --\n0: (95) exit\nsomething new\n-- END PROG LOAD LOG --\n";
        assert_eq!(Rejection::in_output(log), None);
        let failed = format!("{log}libbpf: prog 'p': failed to load: -EINVAL\n");
        assert_eq!(Rejection::in_output(&failed).unwrap().rule, "something new");
    }

    #[test]
    fn a_program_that_is_too_large_ends_where_the_verifier_gave_up() {
        let rejection = read(
            "; i < 10000000; @ f.c:3\n7: (a5) if r1 < 0x989680 goto pc-2    ; R1=499994\n\
             BPF program is too large. Processed 1000001 insn\nprocessed 1000001 insns (limit 1000000)\n",
        );
        assert_eq!(rejection.rule, "BPF program is too large. Processed 1000001 insn");
        assert_eq!(rejection.instruction.unwrap().source.as_deref(), Some("f.c:3: i < 10000000;"));
    }
}
