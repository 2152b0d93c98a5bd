//! The limit on the size of files (`ulimit -f`): a write beyond it fails, and does not end the process.

/// From here on a write beyond the limit is an error like a full disk. Left alone, the system would end the process and leave
/// its temporary file behind.
pub fn survive() {
    #[cfg(unix)]
    {
        let flag = std::sync::Arc::default();
        // A system that refuses keeps its own way.
        signal_hook::flag::register(signal_hook::consts::SIGXFSZ, flag).ok();
    }
}
