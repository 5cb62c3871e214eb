//! One line of the verifier's log.

/// A line's kind and words, without register state: equal for lines that differ in nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum LogLine<'a> {
    /// `39: (56) if w0 != 0x0 goto pc-2 ; R0=..`: an instruction that was walked.
    Instruction {
        /// Its index in the program.
        index: u32,
        /// The instruction, as `(56) if w0 != 0x0 goto pc-2`.
        text: &'a str,
        /// A source comment that some kernels put on the same line.
        source: Option<Source<'a>>,
    },
    /// `; while (x) @ file.bpf.c:12`: the source of what follows.
    Source(Source<'a>),
    /// `from 39 to 38: R0=..` and the like: registers, with the words in front of them. `mark_precise` has words behind
    /// them too.
    State(&'a str, &'a str),
    /// `caller:`, after the instruction that calls a function.
    Calls,
    /// `to caller at 13:`, after a function's last instruction.
    Returns,
    /// Anything else.
    Other(&'a str),
}

/// A line of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Source<'a> {
    /// The code.
    pub code: &'a str,
    /// File and line, where the kernel tells them.
    pub place: Option<&'a str>,
}

impl<'a> LogLine<'a> {
    pub(crate) fn parse(line: &'a str) -> Self {
        let line = line.trim_end();
        if let Some((index, text)) = instruction(line) {
            let (text, rest) = split_instruction(text);
            return Self::Instruction { index, text, source: rest.and_then(inline_source) };
        }
        if let Some(code) = line.strip_prefix("; ") {
            return Self::Source(source(code));
        }
        match line {
            "caller:" => return Self::Calls,
            _ if line.starts_with("to caller at ") => return Self::Returns,
            _ => {}
        }
        match register_at(line) {
            Some(at) => Self::State(line[..at].trim_end(), after_precision(line)),
            None => Self::Other(line),
        }
    }
}

/// `39: (56) TEXT` as the index and `(56) TEXT`.
fn instruction(line: &str) -> Option<(u32, &str)> {
    let (index, text) = line.split_once(": ")?;
    let opcode = text.strip_prefix('(')?.get(..3)?;
    (opcode.ends_with(')') && opcode[..2].bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(())?;
    Some((index.parse().ok()?, text))
}

/// Parts an instruction from what follows it on its line: `; ..`, or the whole state as `40: R0=..`.
fn split_instruction(text: &str) -> (&str, Option<&str>) {
    if let Some((text, rest)) = text.split_once(';') {
        return (text.trim_end(), Some(rest.trim_start()));
    }
    let state = text.match_indices(": ").find_map(|(at, _)| {
        let digits = text[..at].bytes().rev().take_while(u8::is_ascii_digit).count();
        let begin = at - digits;
        (digits > 0 && text[..begin].ends_with(' ')).then_some(begin)
    });
    (text[..state.unwrap_or(text.len())].trim_end(), None)
}

/// What follows an instruction is its registers, or source.
fn inline_source(rest: &str) -> Option<Source<'_>> {
    (!rest.is_empty() && register_at(rest).is_none()).then(|| source(rest))
}

fn source(comment: &str) -> Source<'_> {
    match comment.rsplit_once(" @ ") {
        Some((code, place)) => Source { code, place: Some(place) },
        None => Source { code: comment, place: None },
    }
}

/// Where the first register or stack slot of a state is: `R0=`, `R0_w=`, `fp-8=`, `refs=`.
fn register_at(line: &str) -> Option<usize> {
    if line.starts_with("mark_precise: ") {
        return line.find(" regs=");
    }
    let begins = std::iter::once(0).chain(line.match_indices(' ').map(|(at, _)| at + 1));
    begins.into_iter().find(|at| is_register(&line[*at..]))
}

/// The end of `mark_precise: frame0: regs=r1 stack= before 33: (b4) w1 = 0`.
fn after_precision(line: &str) -> &str {
    line.find(" before ").filter(|_| line.starts_with("mark_precise: ")).map_or("", |at| &line[at..])
}

fn is_register(text: &str) -> bool {
    let Some((name, _)) = text.split_once('=') else { return false };
    let number = name.strip_prefix('R').or_else(|| name.strip_prefix("fp-"));
    let digits = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    name == "refs" || number.is_some_and(|number| digits(number.split('_').next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) {
        assert_eq!(LogLine::parse(one), LogLine::parse(other));
    }

    fn differ(one: &str, other: &str) {
        assert_ne!(LogLine::parse(one), LogLine::parse(other));
    }

    #[test]
    fn an_instruction_is_parted_from_its_state() {
        let jump = "(56) if w0 != 0x0 goto pc-2";
        let plain = LogLine::Instruction { index: 39, text: jump, source: None };
        for end in [
            "",
            "       ; R0=scalar(smin=1)",
            " 38: R0=scalar() R10=fp0",
            "   ; frame1: R0_w=1",
            " 38: frame1: R1=2",
            " ;",
        ] {
            assert_eq!(LogLine::parse(&format!("39: {jump}{end}")), plain, "{end}");
        }
        let source = Source { code: "while (f())", place: Some("loop.bpf.h:14") };
        assert_eq!(
            LogLine::parse(&format!("39: {jump} ; while (f()) @ loop.bpf.h:14")),
            LogLine::Instruction { index: 39, text: jump, source: Some(source) }
        );
        assert_eq!(LogLine::parse("; while (f()) @ loop.bpf.h:14"), LogLine::Source(source));
        assert_eq!(
            LogLine::parse("; x = a @ b"),
            LogLine::Source(Source { code: "x = a", place: Some("b") })
        );
    }

    #[test]
    fn lines_that_differ_in_registers_alone_are_equal() {
        same("67: (04) w4 += 1                      ; R4=1", "67: (04) w4 += 1                      ; R4=2");
        same("from 39 to 38: R0=scalar() R10=fp0", "from 39 to 38: R0=1 R10=fp0 fp-8=3");
        same("98: frame1: R1=1", "98: frame1: R1=2 R10=fp0");
        same("cur state: R0=1", "cur state: R0=2");
        same(" R10=fp0", " R6=trusted_ptr_task_struct() R10=fp0 refs=2");
        same(
            "mark_precise: frame0: regs=r1 stack= before 33: (b4) w1 = 0",
            "mark_precise: frame0: regs=r2 stack=-8 before 33: (b4) w1 = 0",
        );
    }

    #[test]
    fn everything_else_tells_lines_apart() {
        differ("67: (04) w4 += 1", "67: (04) w4 += 2");
        differ("67: (04) w4 += 1", "68: (04) w4 += 1");
        differ("; a = b @ f.c:1", "; a = b @ f.c:2");
        differ("from 39 to 38: R0=1", "from 39 to 40: R0=1");
        differ("98: frame1: R1=1", "98: frame2: R1=1");
        differ("R0 invalid mem access 'scalar'", "R1 invalid mem access 'scalar'");
        differ(
            "mark_precise: frame0: regs=r1 stack= before 33: (b4) w1 = 0",
            "mark_precise: frame0: regs=r1 stack= before 32: (b4) w1 = 0",
        );
        assert_eq!(LogLine::parse("off=8 is too large"), LogLine::Other("off=8 is too large"));
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(line in ".{0,60}|[0-9]{1,12}: \\([0-9a-fé]{2,3}\\) ?.{0,20}|; .*|mark_precise: .* regs=.* before .*") {
            LogLine::parse(&line);
        }
    }
}
