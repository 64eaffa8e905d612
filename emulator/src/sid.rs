//! Twilio's identifiers: two letters for the kind and 32 hexadecimal digits.
//!
//! Inside the emulator a SID is a small `Copy` value, so that tables and figures stay compact; it becomes text only
//! at the edges. SIDs are drawn from a seeded generator: the same seed builds the same contact centre, name for name.

use std::fmt;

use rand::{Rng, RngExt};
use serde::{Serialize, Serializer};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `AC`
    Account,
    /// `SK`
    ApiKey,
    /// `WS`
    Workspace,
    /// `WQ`
    TaskQueue,
    /// `WW`
    Workflow,
    /// `WK`
    Worker,
    /// `WT`
    Task,
    /// `WR`
    Reservation,
    /// `WA`
    Activity,
    /// `TC`
    TaskChannel,
    /// `WC`
    WorkerChannel,
    /// `EV`
    Event,
    /// `EZ`: a CloudEvent of Event Streams.
    CloudEvent,
    /// `OU`
    OperatingUnit,
    /// `TT`: a Task transfer.
    Transfer,
    /// `IS`
    SyncService,
    /// `ET`
    Document,
    /// `MP`
    Map,
    /// `TO`
    Stream,
    /// `TZ`
    StreamMessage,
    /// `CA`
    Call,
    /// `SM`
    Message,
    /// `FP`
    FlexPlugin,
    /// `FV`
    FlexPluginVersion,
    /// `FJ`
    FlexPluginConfiguration,
    /// `FK`
    FlexPluginRelease,
    /// `RQ`: one request, told in the header `Twilio-Request-Id`.
    Request,
}

impl Kind {
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Account => "AC",
            Self::ApiKey => "SK",
            Self::Workspace => "WS",
            Self::TaskQueue => "WQ",
            Self::Workflow => "WW",
            Self::Worker => "WK",
            Self::Task => "WT",
            Self::Reservation => "WR",
            Self::Activity => "WA",
            Self::TaskChannel => "TC",
            Self::WorkerChannel => "WC",
            Self::Event => "EV",
            Self::CloudEvent => "EZ",
            Self::OperatingUnit => "OU",
            Self::Transfer => "TT",
            Self::SyncService => "IS",
            Self::Document => "ET",
            Self::Map => "MP",
            Self::Stream => "TO",
            Self::StreamMessage => "TZ",
            Self::Call => "CA",
            Self::Message => "SM",
            Self::FlexPlugin => "FP",
            Self::FlexPluginVersion => "FV",
            Self::FlexPluginConfiguration => "FJ",
            Self::FlexPluginRelease => "FK",
            Self::Request => "RQ",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sid {
    kind: Kind,
    digits: u128,
}

impl Sid {
    pub fn draw(kind: Kind, from: &mut impl Rng) -> Self {
        Self { kind, digits: from.random() }
    }

    pub const fn fixed(kind: Kind, digits: u128) -> Self {
        Self { kind, digits }
    }

    /// Reads a SID of the given kind; `None` for any other text. Twilio prints lower case, so nothing else is taken.
    pub fn parse(kind: Kind, text: &str) -> Option<Self> {
        let digits = text.strip_prefix(kind.prefix())?;
        let wanted =
            digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !wanted {
            return None;
        }
        Some(Self { kind, digits: u128::from_str_radix(digits, 16).ok()? })
    }

    pub const fn kind(self) -> Kind {
        self.kind
    }

    pub fn is(kind: Kind, text: &str) -> bool {
        Self::parse(kind, text).is_some()
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:032x}", self.kind.prefix(), self.digits)
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Sid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn reads_back_what_it_prints() {
        let sid = Sid::draw(Kind::TaskQueue, &mut StdRng::seed_from_u64(7));
        assert_eq!(Sid::parse(Kind::TaskQueue, &sid.to_string()), Some(sid));
        assert_eq!(sid.to_string().len(), 34);
    }

    #[test]
    fn refuses_other_kinds_lengths_and_letters() {
        let sid = Sid::fixed(Kind::Worker, 0xabc).to_string();
        assert!(Sid::parse(Kind::Task, &sid).is_none());
        assert!(Sid::parse(Kind::Worker, &sid[..33]).is_none());
        assert!(Sid::parse(Kind::Worker, &sid.to_uppercase()).is_none());
        assert!(Sid::parse(Kind::Worker, "WK+0000000000000000000000000000abc").is_none());
    }
}
