//! QEMU's control protocol (QMP) over a socket that QEMU inherited.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::error::VmError;

/// How long QEMU may take to answer. It answers in milliseconds; a host that swaps takes longer.
const ANSWER: Duration = Duration::from_secs(60);

/// A control connection.
pub struct Qmp {
    socket: UnixStream,
    received: Vec<u8>,
    events: VecDeque<Value>,
}

fn lost(what: impl std::fmt::Display) -> VmError {
    VmError::Qmp(what.to_string())
}

impl Qmp {
    /// Waits for the greeting and enters command mode.
    pub fn connect(socket: UnixStream) -> Result<Self, VmError> {
        let mut qmp = Self { socket, received: Vec::new(), events: VecDeque::new() };
        qmp.next_message(ANSWER)?.filter(|m| m.get("QMP").is_some()).ok_or_else(|| lost("no greeting"))?;
        qmp.execute("qmp_capabilities", json!({}))?;
        Ok(qmp)
    }

    /// Executes a command and returns its result.
    pub fn execute(&mut self, command: &str, arguments: Value) -> Result<Value, VmError> {
        let line = format!("{}\n", json!({ "execute": command, "arguments": arguments }));
        self.socket.write_all(line.as_bytes()).map_err(|e| lost(format!("{command}: {e}")))?;
        loop {
            let mut message =
                self.next_message(ANSWER)?.ok_or_else(|| lost(format!("no answer to {command}")))?;
            if let Some(value) = message.get_mut("return") {
                return Ok(value.take());
            }
            if let Some(error) = message.get("error") {
                return Err(lost(format!("{command}: {}", error["desc"].as_str().unwrap_or("refused"))));
            }
            self.events.push_back(message);
        }
    }

    /// Readable when there may be an event.
    pub fn socket(&self) -> &UnixStream {
        &self.socket
    }

    /// The next event that arrives within `patience`, `None` when none does.
    pub fn next_event(&mut self, patience: Duration) -> Result<Option<Value>, VmError> {
        match self.events.pop_front() {
            Some(event) => Ok(Some(event)),
            None => self.next_message(patience),
        }
    }

    /// Waits until a migration into or out of this machine has ended.
    pub fn wait_migrated(&mut self) -> Result<(), VmError> {
        let end = Instant::now() + ANSWER;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let event = self
                .next_event(left)?
                .ok_or_else(|| lost("the machine's state was not transferred in time"))?;
            if event["event"] != "MIGRATION" {
                continue;
            }
            match event["data"]["status"].as_str() {
                Some("completed") => return Ok(()),
                Some("failed") => {
                    let info = self.execute("query-migrate", json!({}))?;
                    let why = info["error-desc"].as_str().unwrap_or("no reason given");
                    return Err(lost(format!("the machine's state could not be transferred: {why}")));
                }
                _ => {}
            }
        }
    }

    /// The next line, `None` when none arrives in time.
    fn next_message(&mut self, patience: Duration) -> Result<Option<Value>, VmError> {
        let end = Instant::now() + patience;
        loop {
            if let Some(length) = self.received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=length).collect();
                return serde_json::from_slice(&line).map(Some).map_err(|e| lost(format!("not JSON: {e}")));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.socket.set_read_timeout(Some(left)).map_err(lost)?;
            let mut chunk = [0; 4096];
            match self.socket.read(&mut chunk) {
                Ok(0) => return Err(lost("QEMU closed it")),
                Ok(length) => self.received.extend_from_slice(&chunk[..length]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(None),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(lost(e)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(says: &[&str]) -> (Qmp, UnixStream) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        for line in says {
            theirs.write_all(line.as_bytes()).unwrap();
            theirs.write_all(b"\n").unwrap();
        }
        (Qmp { socket: ours, received: Vec::new(), events: VecDeque::new() }, theirs)
    }

    #[test]
    fn events_between_command_and_answer_are_kept() {
        let (mut qmp, _theirs) = peer(&[r#"{"event":"STOP"}"#, r#"{"return":{"x":1}}"#]);
        assert_eq!(qmp.execute("query-status", json!({})).unwrap()["x"], 1);
        assert_eq!(qmp.next_event(Duration::ZERO).unwrap().unwrap()["event"], "STOP");
        assert!(qmp.next_event(Duration::from_millis(1)).unwrap().is_none());
    }

    #[test]
    fn a_refusal_and_a_hang_up_are_errors() {
        let (mut qmp, theirs) = peer(&[r#"{"error":{"desc":"no such thing"}}"#]);
        assert!(qmp.execute("x", json!({})).unwrap_err().to_string().contains("x: no such thing"));
        drop(theirs);
        assert!(qmp.next_event(Duration::from_secs(1)).is_err());
    }
}
