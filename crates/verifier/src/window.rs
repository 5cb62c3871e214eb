//! The last pieces of a log, in which passes are looked for.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::collapse::{Loop, Piece};
use crate::log_line::LogLine;

/// The longest pass that is recognised, in pieces: a loop within it counts as one.
const LONGEST_PASS: usize = 1 << 14;
/// How many earlier places with the same line are tried as the end of the pass before. With these bounds the work for a
/// line does not depend on the log's length.
const TRIED_PASSES: usize = 16;
/// How many loops before a line are asked whether it ends another pass of theirs.
const TRIED_LOOPS: usize = 64;
/// Multiplier of the hashes over runs of keys; odd, otherwise arbitrary.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// A piece with what is needed to compare it.
#[derive(Debug)]
struct Node {
    /// Equal for pieces that differ only in register state, and for loops over the same code.
    key: u64,
    /// Hash of all keys before it.
    hash_before: u64,
    /// Position of the last piece before it with its key.
    previous: Option<u64>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Line(String),
    Loop(Walked),
}

/// A loop to which passes may still come.
#[derive(Debug)]
struct Walked {
    /// The keys of a pass.
    pass: Vec<u64>,
    first: Vec<Piece>,
    passes_between: u64,
    lines_between: u64,
    last: Vec<Node>,
}

impl Walked {
    fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        ("loop", &self.pass).hash(&mut hasher);
        hasher.finish()
    }

    fn take_pass(&mut self, pass: Vec<Node>) {
        let before = std::mem::replace(&mut self.last, pass);
        self.passes_between += 1;
        self.lines_between += before.into_iter().map(|node| node.into_piece().lines()).sum::<u64>();
    }

    /// The loop that ends its last pass. That one may go on, too.
    fn at_end_of_last(&self) -> Option<&Self> {
        self.last.last().and_then(Node::as_loop)
    }
}

impl Node {
    fn as_loop(&self) -> Option<&Walked> {
        match &self.content {
            Content::Line(_) => None,
            Content::Loop(walked) => Some(walked),
        }
    }

    fn as_loop_mut(&mut self) -> Option<&mut Walked> {
        match &mut self.content {
            Content::Line(_) => None,
            Content::Loop(walked) => Some(walked),
        }
    }

    fn into_piece(self) -> Piece {
        match self.content {
            Content::Line(line) => Piece::Line(line),
            Content::Loop(Walked { first, passes_between, lines_between, last, .. }) => {
                Piece::Loop(Loop { first, passes_between, lines_between, last: pieces(last) })
            }
        }
    }
}

fn pieces(nodes: Vec<Node>) -> Vec<Piece> {
    nodes.into_iter().map(Node::into_piece).collect()
}

/// The last pieces, collapsed as far as is known. Positions count from the beginning of the log; they shrink when pieces
/// become a loop.
#[derive(Debug)]
pub(crate) struct Window {
    nodes: VecDeque<Node>,
    /// Position of the first of `nodes`.
    base: u64,
    /// Hash of all keys.
    hash: u64,
    /// `BASE` to the power of the index.
    powers: Vec<u64>,
    /// The last position of each key.
    last: HashMap<u64, u64>,
    /// Positions of loops, ascending.
    loops: VecDeque<u64>,
}

impl Default for Window {
    fn default() -> Self {
        let powers = std::iter::successors(Some(1_u64), |power| Some(power.wrapping_mul(BASE)));
        Self {
            nodes: VecDeque::new(),
            base: 0,
            hash: 0,
            powers: powers.take(LONGEST_PASS + 1).collect(),
            last: HashMap::new(),
            loops: VecDeque::new(),
        }
    }
}

impl Window {
    /// Takes the log's next line.
    pub(crate) fn push(&mut self, line: &str) {
        let mut hasher = DefaultHasher::new();
        LogLine::parse(line).hash(&mut hasher);
        self.push_back(hasher.finish(), Content::Line(line.to_owned()));
        while self.continue_loop() || self.begin_loop() {}
    }

    /// The first piece, when no line that comes can change it.
    pub(crate) fn take_settled(&mut self) -> Option<Piece> {
        // What comes can be the end of a pass, before which there is another, or the loop.
        if self.nodes.len() > 2 * LONGEST_PASS { self.take_first() } else { None }
    }

    /// The first piece.
    pub(crate) fn take_first(&mut self) -> Option<Piece> {
        let node = self.nodes.pop_front()?;
        if self.last.get(&node.key) == Some(&self.base) {
            self.last.remove(&node.key);
        }
        if self.loops.front() == Some(&self.base) {
            self.loops.pop_front();
        }
        self.base += 1;
        Some(node.into_piece())
    }

    /// When the last pieces are another pass of a loop before them, they become its last pass.
    fn continue_loop(&mut self) -> bool {
        let Some((at, depth)) = self.loops.iter().rev().take(TRIED_LOOPS).find_map(|position| {
            let at = (position - self.base) as usize;
            self.loop_that_goes_on(at).map(|depth| (at, depth))
        }) else {
            return false;
        };
        let pass = self.pop(self.nodes.len() - at - 1);
        let mut walked = self.nodes[at].as_loop_mut();
        for _ in 0..depth {
            walked = walked.and_then(|walked| walked.last.last_mut()).and_then(Node::as_loop_mut);
        }
        if let Some(walked) = walked {
            walked.take_pass(pass);
        }
        true
    }

    /// Whether all pieces after the loop at index `at` are a pass of it (0), of the loop that ends its last pass (1), of
    /// the one that ends that one's (2), and so on.
    fn loop_that_goes_on(&self, at: usize) -> Option<usize> {
        let begin = at + 1;
        let length = self.nodes.len() - begin;
        let nested = std::iter::successors(self.nodes[at].as_loop(), |walked| walked.at_end_of_last());
        let is_pass = |walked: &Walked| {
            walked.pass.len() == length
                && length > 0
                && walked.pass.iter().eq(self.nodes.range(begin..).map(|node| &node.key))
        };
        nested.enumerate().filter(|(_, walked)| is_pass(walked)).map(|(depth, _)| depth).last()
    }

    /// When the last pieces are the same twice over, they become a loop.
    fn begin_loop(&mut self) -> bool {
        let Some(length) = self.repeated() else { return false };
        let last = self.pop(length);
        let pass = last.iter().map(|node| node.key).collect();
        let first = pieces(self.pop(length));
        let walked = Walked { pass, first, passes_between: 0, lines_between: 0, last };
        self.push_back(walked.key(), Content::Loop(walked));
        true
    }

    /// How many of the last pieces are what the same number before them are.
    fn repeated(&self) -> Option<usize> {
        let end = self.nodes.len();
        let previous = |node: &Node| node.previous.filter(|position| *position >= self.base);
        let earlier = std::iter::successors(previous(self.nodes.back()?), |position| {
            previous(&self.nodes[(position - self.base) as usize])
        });
        earlier
            .take(TRIED_PASSES)
            .map(|position| end - 1 - (position - self.base) as usize)
            .take_while(|length| *length <= LONGEST_PASS && 2 * length <= end)
            .find(|length| self.are_equal(end - 2 * length, end - length, *length))
    }

    /// Whether the pieces from index `one` and from index `other` are the same.
    fn are_equal(&self, one: usize, other: usize, length: usize) -> bool {
        let keys = |begin: usize| self.nodes.range(begin..begin + length).map(|node| node.key);
        // The hashes make it fast; that they are equal proves nothing.
        self.hash_of(one, length) == self.hash_of(other, length) && keys(one).eq(keys(other))
    }

    fn hash_of(&self, begin: usize, length: usize) -> u64 {
        let before = self.nodes[begin].hash_before;
        let after = self.nodes.get(begin + length).map_or(self.hash, |node| node.hash_before);
        after.wrapping_sub(before.wrapping_mul(self.powers[length]))
    }

    fn push_back(&mut self, key: u64, content: Content) {
        let position = self.base + self.nodes.len() as u64;
        if matches!(content, Content::Loop(_)) {
            self.loops.push_back(position);
        }
        let previous = self.last.insert(key, position);
        self.nodes.push_back(Node { key, hash_before: self.hash, previous, content });
        self.hash = self.hash.wrapping_mul(BASE).wrapping_add(key);
    }

    /// Takes the last pieces out.
    fn pop(&mut self, length: usize) -> Vec<Node> {
        let begin = self.nodes.len() - length;
        for node in self.nodes.range(begin..).rev() {
            match node.previous.filter(|position| *position >= self.base) {
                Some(position) => self.last.insert(node.key, position),
                None => self.last.remove(&node.key),
            };
        }
        let popped = Vec::from(self.nodes.split_off(begin));
        self.hash = popped.first().map_or(self.hash, |node| node.hash_before);
        let position = self.base + begin as u64;
        while self.loops.back().is_some_and(|last| *last >= position) {
            self.loops.pop_back();
        }
        popped
    }
}
