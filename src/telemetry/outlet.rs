//! Non-blocking, lossy writer of the log: lines are buffered in memory and a thread of their own writes them to standard
//! error, so no task ever waits for the pipe's reader. A full pipe that is not drained costs lines, and never the service.
//!
//! Not `tracing-appender` (0.2.5), measured with 200,000 lines of 2,000 bytes into a pipe that is not read: it buffers
//! 128,000 lines, for which the process grew by 252 MB, counts the further 72,000 as dropped, and loses the buffered
//! ones when it ends without counting them. On exit its guard prints to standard output when its writer is stuck, which
//! in many places is the same full pipe, and blocks. Here the buffer is bounded in bytes, and the wait on exit in time.

use std::io::{self, ErrorKind, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};
use tracing::warn;

/// Bytes of buffered lines; as many again may be being written.
const MOST_WAITING: usize = 1024 * 1024;
/// How long the exit of the process waits for buffered lines.
const LONGEST_END: Duration = Duration::from_secs(1);
/// Between two tries, where another process set the shared descriptor to non-blocking.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// The one outlet of the process, since standard error is one.
static OUTLET: Outlet = Outlet::new();
static THREAD: Once = Once::new();

/// Buffered lines, and how many were dropped because the buffer was full or the write failed.
struct Outlet {
    lines: Mutex<Lines>,
    changed: Condvar,
    dropped: AtomicU64,
}

struct Lines {
    waiting: Vec<u8>,
    writing: bool,
}

/// Takes whole lines; never blocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StandardError;

impl StandardError {
    /// The writer to standard error; the first call starts its thread.
    pub(crate) fn open() -> Self {
        THREAD.call_once(|| {
            // If no thread can be started, the runtime can't start its own either, and reports that.
            let _ = thread::Builder::new().name("log".to_owned()).spawn(|| {
                OUTLET.write_for_ever(&mut io::stderr(), |dropped| {
                    warn!(
                        dropped,
                        "Log lines dropped: the reader of standard error was too slow, or the disk is full"
                    );
                });
            });
        });
        Self
    }
}

impl Write for StandardError {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        OUTLET.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until all lines are written, for a second at most.
pub(crate) fn finish() {
    if THREAD.is_completed() {
        OUTLET.wait(LONGEST_END);
    }
}

/// How many lines of the log were lost since the start.
pub(crate) fn dropped() -> u64 {
    OUTLET.dropped.load(Ordering::Relaxed)
}

impl Outlet {
    const fn new() -> Self {
        let lines = Mutex::new(Lines { waiting: Vec::new(), writing: false });
        Self { lines, changed: Condvar::new(), dropped: AtomicU64::new(0) }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock()
    }

    fn push(&self, line: &[u8]) {
        let mut lines = self.lines();
        if lines.waiting.len() + line.len() > MOST_WAITING {
            drop(lines);
            self.dropped.fetch_add(count(line), Ordering::Relaxed);
        } else {
            lines.waiting.extend_from_slice(line);
            drop(lines);
            self.changed.notify_all();
        }
    }

    fn wait(&self, longest: Duration) {
        let busy = |lines: &mut Lines| lines.writing || !lines.waiting.is_empty();
        self.changed.wait_while_for(&mut self.lines(), busy, longest);
    }

    fn write_for_ever(&self, to: &mut impl Write, tell: impl Fn(u64)) {
        let mut batch = Vec::new();
        let mut told = 0;
        let mut goes_on = true;
        loop {
            self.take(&mut batch);
            let dropped = self.dropped.load(Ordering::Relaxed);
            if goes_on && dropped > told {
                // Now there is a place for it, right behind the last line that is there.
                tell(dropped - told);
                told = dropped;
            }
            let left = write_all(to, &batch);
            goes_on = left == 0;
            self.dropped.fetch_add(left, Ordering::Relaxed);
            batch.clear();
        }
    }

    /// Waits for lines, and swaps them for the batch that was written.
    fn take(&self, batch: &mut Vec<u8>) {
        let mut lines = self.lines();
        lines.writing = false;
        self.changed.notify_all();
        let idle = |lines: &mut Lines| lines.waiting.is_empty();
        self.changed.wait_while(&mut lines, idle);
        std::mem::swap(&mut lines.waiting, batch);
        lines.writing = true;
    }
}

/// How many lines could not be written; some of the first one of them may be.
fn write_all(to: &mut impl Write, mut batch: &[u8]) -> u64 {
    while !batch.is_empty() {
        match to.write(batch) {
            Ok(0) => break,
            Ok(written) => batch = batch.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(ASK_AGAIN),
            Err(_) => break,
        }
    }
    count(batch)
}

fn count(lines: &[u8]) -> u64 {
    lines.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// Each write takes the next result that the test allows.
    struct Pipe {
        allowed: Receiver<io::Result<()>>,
        written: SyncSender<String>,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.allowed.recv().unwrap()?;
            self.written.send(String::from_utf8_lossy(bytes).into_owned()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn outlet() -> (&'static Outlet, SyncSender<io::Result<()>>, Receiver<String>) {
        let outlet: &'static Outlet = Box::leak(Box::new(Outlet::new()));
        let (allow, allowed) = sync_channel(10);
        let (written, read) = sync_channel(10);
        let mut pipe = Pipe { allowed, written };
        thread::spawn(move || {
            outlet
                .write_for_ever(&mut pipe, |dropped| outlet.push(format!("{dropped} dropped\n").as_bytes()));
        });
        (outlet, allow, read)
    }

    #[test]
    fn what_finds_no_place_is_dropped_counted_and_logged_where_it_is_missing() {
        let (outlet, allow, read) = outlet();
        outlet.push(b"first\n");
        while !outlet.lines().writing {
            thread::yield_now();
        }
        let line = [vec![b'x'; MOST_WAITING / 4 - 1], vec![b'\n']].concat();
        (0..7).for_each(|_| outlet.push(&line));
        assert_eq!(outlet.lines().waiting.len(), MOST_WAITING);
        assert_eq!(outlet.dropped.load(Ordering::Relaxed), 3);
        outlet.wait(Duration::ZERO);

        (0..3).for_each(|_| allow.send(Ok(())).unwrap());
        assert_eq!(read.recv().unwrap(), "first\n");
        assert_eq!(read.recv().unwrap().len(), MOST_WAITING);
        assert_eq!(read.recv().unwrap(), "3 dropped\n");
        outlet.wait(Duration::MAX);
    }

    #[test]
    fn what_can_t_be_written_is_counted_and_logged_once_it_can() {
        let (outlet, allow, read) = outlet();
        allow.send(Err(ErrorKind::StorageFull.into())).unwrap();
        outlet.push(b"one\ntwo\n");
        outlet.wait(Duration::MAX);
        assert_eq!(outlet.dropped.load(Ordering::Relaxed), 2);
        allow.send(Err(ErrorKind::WouldBlock.into())).unwrap();
        allow.send(Ok(())).unwrap();
        outlet.push(b"three\n");
        assert_eq!(read.recv().unwrap(), "three\n");
        outlet.wait(Duration::MAX);
        (0..2).for_each(|_| allow.send(Ok(())).unwrap());
        outlet.push(b"four\n");
        assert_eq!(read.recv().unwrap(), "four\n");
        assert_eq!(read.recv().unwrap(), "2 dropped\n");
    }
}
