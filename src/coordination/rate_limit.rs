//! Limits that hold over all replicas together: whoever would spend something asks for it first.
//!
//! What is counted in this process holds in any case. With one process that is all, and what is asked here is always granted.
//! Where several share the work they take from the same place besides, so that a limit is no larger for being asked for at
//! several of them, at the same moment too. While that place can't be reached each counts alone.

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait to be passed on; for further ones only what is counted here holds.
const MOST_WAITING: usize = 256;

/// Names what is spent: a hash of it.
pub type Name = [u8; 32];

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// So many at once.
    pub most: u32,
    /// One more after each such time.
    pub every: Duration,
}

/// Something that is asked of whoever counts for all.
#[derive(Debug)]
pub enum Ask {
    /// For one of these. An answer that does not come is a yes.
    Take {
        /// Of what.
        name: Name,
        /// How much there is of it.
        rate: Rate,
        /// Whether there was one left.
        answer: oneshot::Sender<bool>,
    },
    /// What was taken was not spent.
    GiveBack {
        /// Of what.
        name: Name,
    },
}

/// Asks. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Quota(Option<Shared>);

#[derive(Clone)]
struct Shared {
    /// Telephone numbers are few enough to be guessed from their hashes by whoever does not know this.
    salt: Name,
    asks: mpsc::Sender<Ask>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Quota {
    /// One that is answered there. All replicas know the secret; nothing outside tells what a name stands for.
    pub fn shared(secret: &str) -> (Self, mpsc::Receiver<Ask>) {
        let (asks, asked) = mpsc::channel(MOST_WAITING);
        let salt = Sha256::new().chain_update("quota").chain_update(secret).finalize().into();
        (Self(Some(Shared { salt, asks })), asked)
    }

    /// Takes one, and says whether there was one left.
    pub async fn take(&self, name: Name, rate: Rate) -> bool {
        let Some(shared) = &self.0 else { return true };
        let name = shared.salted(name);
        let (answer, answered) = oneshot::channel();
        if shared.asks.try_send(Ask::Take { name, rate, answer }).is_err() {
            return true;
        }
        answered.await.unwrap_or(true)
    }

    /// Gives all of it back that was taken; never waits.
    pub fn give_back(&self, name: Name) {
        if let Some(shared) = &self.0 {
            // It comes back with time in any case.
            let _ = shared.asks.try_send(Ask::GiveBack { name: shared.salted(name) });
        }
    }
}

impl Shared {
    fn salted(&self, name: Name) -> Name {
        Sha256::new().chain_update(self.salt).chain_update(name).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { most: 1, every: Duration::from_secs(1) };

    #[tokio::test]
    async fn nobody_who_can_be_asked_is_a_yes() {
        assert!(Quota::default().take([1; 32], RATE).await);
        let (quota, asked) = Quota::shared("secret");
        drop(asked);
        assert!(quota.take([1; 32], RATE).await);
    }

    #[tokio::test]
    async fn who_is_asked_decides_and_is_not_told_what_about() {
        let (quota, mut asked) = Quota::shared("secret");
        let deciding = async {
            match asked.recv().await {
                Some(Ask::Take { name, rate, answer }) => {
                    assert!(name != [1; 32] && rate == RATE);
                    answer.send(false)
                }
                other => panic!("{other:?}"),
            }
        };
        let (left, answered) = tokio::join!(quota.take([1; 32], RATE), deciding);
        assert!(!left && answered.is_ok());
    }
}
