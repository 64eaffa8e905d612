//! Rate limits that hold over all replicas together.
//!
//! Each process counts for itself in any case; a process alone needs no more, and its requests here are always granted.
//! Several replicas take tokens from one bucket besides, so that a limit is no larger at several of them. While that
//! bucket is unreachable each counts alone.

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};

/// Requests that wait for the bucket; further ones are counted by this process alone.
const MOST_WAITING: usize = 256;

pub type BucketName = [u8; 32];

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub most: u32,
    /// The time until one more token.
    pub every: Duration,
}

/// A request to the bucket that all replicas share.
#[derive(Debug)]
pub enum Ask {
    /// Take a token. No answer counts as a yes.
    Take { name: BucketName, rate: Rate, answer: oneshot::Sender<bool> },
    /// Fill the bucket again, since its token was not used.
    GiveBack { name: BucketName },
}

/// Takes tokens. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Quota(Option<SharedBucket>);

#[derive(Clone)]
struct SharedBucket {
    /// Telephone numbers are few enough to be guessed from their hashes without it.
    salt: BucketName,
    asks: mpsc::Sender<Ask>,
}

impl std::fmt::Debug for SharedBucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedBucket")
    }
}

impl Quota {
    /// One whose requests arrive at the receiver. All replicas know the secret, without which a name tells nothing.
    pub fn shared(secret: &str) -> (Self, mpsc::Receiver<Ask>) {
        let (asks, asked) = mpsc::channel(MOST_WAITING);
        let salt = Sha256::new().chain_update("quota").chain_update(secret).finalize().into();
        (Self(Some(SharedBucket { salt, asks })), asked)
    }

    /// Takes a token; false where none is left.
    pub async fn take(&self, name: BucketName, rate: Rate) -> bool {
        let Some(shared) = &self.0 else { return true };
        let name = shared.salted(name);
        let (answer, answered) = oneshot::channel();
        if shared.asks.try_send(Ask::Take { name, rate, answer }).is_err() {
            return true;
        }
        answered.await.unwrap_or(true)
    }

    /// Fills the bucket again; never waits.
    pub fn give_back(&self, name: BucketName) {
        if let Some(shared) = &self.0 {
            // It refills with time in any case.
            let _ = shared.asks.try_send(Ask::GiveBack { name: shared.salted(name) });
        }
    }
}

impl SharedBucket {
    fn salted(&self, name: BucketName) -> BucketName {
        Sha256::new().chain_update(self.salt).chain_update(name).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { most: 1, every: Duration::from_secs(1) };

    #[tokio::test]
    async fn without_a_shared_bucket_every_token_is_granted() {
        assert!(Quota::default().take([1; 32], RATE).await);
        let (quota, asked) = Quota::shared("secret");
        drop(asked);
        assert!(quota.take([1; 32], RATE).await);
    }

    #[tokio::test]
    async fn the_shared_bucket_decides_and_does_not_learn_the_name() {
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
