//! Names of work types.

use super::WorkType;

impl WorkType {
    /// Its name in reports: the variant's, or for [`Custom`](Self::Custom) the one that the test gave it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SpinWait => "SpinWait",
            Self::YieldHeavy => "YieldHeavy",
            Self::Mixed => "Mixed",
            Self::AluHot { .. } => "AluHot",
            Self::SmtSiblingSpin => "SmtSiblingSpin",
            Self::IpcVariance { .. } => "IpcVariance",
            Self::IoSyncWrite => "IoSyncWrite",
            Self::IoRandRead => "IoRandRead",
            Self::IoConvoy => "IoConvoy",
            Self::Bursty { .. } => "Bursty",
            Self::IdleChurn { .. } => "IdleChurn",
            Self::PipeIo { .. } => "PipeIo",
            Self::FutexPingPong { .. } => "FutexPingPong",
            Self::FutexFanOut { .. } => "FutexFanOut",
            Self::CachePressure { .. } => "CachePressure",
            Self::CacheYield { .. } => "CacheYield",
            Self::CachePipe { .. } => "CachePipe",
            Self::Sequence { .. } => "Sequence",
            Self::ForkExit => "ForkExit",
            Self::NiceSweep => "NiceSweep",
            Self::AffinityChurn { .. } => "AffinityChurn",
            Self::PolicyChurn { .. } => "PolicyChurn",
            Self::NumaMigrationChurn { .. } => "NumaMigrationChurn",
            Self::CgroupChurn { .. } => "CgroupChurn",
            Self::FanOutCompute { .. } => "FanOutCompute",
            Self::AsymmetricWaker { .. } => "AsymmetricWaker",
            Self::WakeChain { .. } => "WakeChain",
            Self::EpollStorm { .. } => "EpollStorm",
            Self::ThunderingHerd { .. } => "ThunderingHerd",
            Self::PageFaultChurn { .. } => "PageFaultChurn",
            Self::NumaWorkingSetSweep { .. } => "NumaWorkingSetSweep",
            Self::MutexContention { .. } => "MutexContention",
            Self::PriorityInversion { .. } => "PriorityInversion",
            Self::ProducerConsumerImbalance { .. } => "ProducerConsumerImbalance",
            Self::SignalStorm { .. } => "SignalStorm",
            Self::PreemptStorm { .. } => "PreemptStorm",
            Self::RtStarvation { .. } => "RtStarvation",
            Self::Custom { name, .. } => name,
        }
    }
}
