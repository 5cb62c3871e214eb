//! Orders and reports as bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes that are not what they should be.
#[derive(Debug, thiserror::Error)]
#[error("{what} of {len} bytes cannot be read: {source}")]
pub struct DecodeError {
    what: &'static str,
    len: usize,
    source: postcard::Error,
}

/// Encodes an order or a report.
///
/// # Errors
/// Only when the value itself refuses to be serialized, which plain data does not.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_stdvec(value)
}

/// Decodes what [`encode`] made; `what` names it in the error.
///
/// # Errors
/// When the bytes are cut, foreign or followed by others.
pub fn decode<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, DecodeError> {
    let error = |source| DecodeError { what, len: bytes.len(), source };
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(error(postcard::Error::DeserializeBadEncoding)),
        Err(source) => Err(error(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ktstr_model::{
        Allowance, AssertResult, Cleanup, Digest, Gap, MAX_CPUS, RunReport, Schedstat, TimeSample,
        WorkerExit, WorkerReport,
    };

    #[test]
    fn a_report_survives_and_a_cut_one_does_not() {
        let report = RunReport {
            result: Ok(AssertResult::fail_msg("late")),
            workers: Vec::new(),
            stimuli: Vec::new(),
            payloads: Vec::new(),
            metrics: Vec::new(),
            scheduler: None,
            sched_ext_log: vec!["sched_ext: enabled".into()],
            cleanup: Cleanup { scheduler_ns: 5, ..Cleanup::default() },
            guest_ns: 7,
            digest: Digest::of(b"x"),
        };
        let bytes = encode(&report).unwrap();
        assert_eq!(decode::<RunReport>("report", &bytes).unwrap(), report);
        assert!(decode::<RunReport>("report", &bytes[..bytes.len() - 1]).is_err());
        let longer = [&bytes[..], &[0]].concat();
        assert!(decode::<RunReport>("report", &longer).unwrap_err().to_string().starts_with("report of"));
    }

    /// The largest report that a worker of the largest machine can leave, without its samples.
    #[test]
    fn a_worker_takes_three_kib_beside_its_samples() {
        let most = u64::MAX;
        let largest = TimeSample {
            count: most,
            sum_ns: most,
            max_ns: most,
            max_at_ns: most,
            max_cpu: u32::MAX,
            kept_ns: Vec::new(),
        };
        let allowed = Allowance {
            cpus: (0..MAX_CPUS).collect(),
            home_nodes: (0..16).collect(),
            memory_only_nodes: (0..16).collect(),
        };
        let worker = WorkerReport {
            cgroup: "c".repeat(64),
            index: u32::MAX,
            pid: u32::MAX,
            work: "w".repeat(32),
            work_units: most,
            iterations: most,
            cpu_ns: most,
            wall_ns: most,
            max_gap: Gap { ns: most, at_ns: most, cpu: u32::MAX },
            migrations: most,
            llc_migrations: most,
            node_migrations: most,
            migration_log: Vec::new(),
            cpus: (0..MAX_CPUS).collect(),
            allowed,
            exit: WorkerExit::Failed("f".repeat(156)),
            wake_latencies: largest.clone(),
            iteration_costs: largest,
            schedstat: Some(Schedstat { cpu_ns: most, run_delay_ns: most, timeslices: most }),
            numa_pages: (0..16).map(|node| (node, most)).collect(),
            numa_pages_migrated: most,
            turn_ns: Some(most),
            notes: vec!["n".repeat(156)],
            course: most,
            events: Vec::new(),
            event_stride: u32::MAX,
        };
        let len = encode(&worker).unwrap().len();
        assert!(len <= 3072, "{len} bytes");
    }
}
