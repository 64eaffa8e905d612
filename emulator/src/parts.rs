//! What all requests share: the parts of the emulator, and the way from a request to its answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};

use crate::api::{self, Calls, Messages};
use crate::auth;
use crate::callbacks::Callbacks;
use crate::clock::Clock;
use crate::error::ApiError;
use crate::faults::Faults;
use crate::journal::{APIS, Api, Journal};
use crate::plugins::Plugins;
use crate::rest::reply::Reply;
use crate::rest::request::{Request, Trace};
use crate::settings::{Account, Answers, Limits, Settings};
use crate::sockets::Sockets;
use crate::sync::{self, SyncHandle};
use crate::taskrouter::{self, EndpointLimits};
use crate::tokens::Tokens;
use crate::world::{Drive, World};

pub(crate) struct Core {
    pub(crate) account: Account,
    pub(crate) clock: Clock,
    pub(crate) world: World,
    pub(crate) sync: SyncHandle,
    pub(crate) callbacks: Callbacks,
    pub(crate) tokens: Tokens,
    pub(crate) sockets: Sockets,
    pub(crate) calls: Calls,
    pub(crate) messages: Messages,
    pub(crate) plugins: Plugins,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) tuning: Mutex<Tuning>,
    /// The rate at which the centre lives by itself, if it does.
    pub(crate) drive: Mutex<Option<(f64, Drive)>>,
    endpoints: Mutex<EndpointLimits>,
    /// When it was started, in milliseconds since 1970.
    pub(crate) born_ms: i64,
    pub(crate) local: SocketAddr,
    pub(crate) public_url: Option<String>,
}

/// The settings that can be changed while it runs.
#[derive(Debug, Clone)]
pub(crate) struct Tuning {
    pub(crate) limits: Limits,
    pub(crate) answers: Answers,
    /// The latency of each product, by `Api as usize`.
    pub(crate) latency: [Duration; APIS.len()],
}

impl Core {
    pub(crate) fn new(settings: &Settings, local: SocketAddr) -> Self {
        let clock = Clock::starting_at(settings.starts_at.unwrap_or_else(Timestamp::now), settings.speed);
        let callbacks = Callbacks::new(&settings.account.auth_token, settings.seed);
        let events = callbacks.clone();
        let world = World::found(settings, &clock, Box::new(move |new| events.publish(new)));
        Self {
            account: settings.account.clone(),
            sync: SyncHandle::new(settings, &clock),
            tokens: Tokens::new(&clock),
            sockets: Sockets::default(),
            born_ms: clock.now_ms(),
            calls: Calls::new(&settings.account.account_sid, settings.seed, &clock, &callbacks, &world),
            world,
            plugins: Plugins::new(&settings.account.account_sid, settings.seed, &clock),
            messages: Messages::new(&settings.account.account_sid, settings.seed, &clock),
            callbacks,
            clock,
            journal: Journal::default(),
            faults: Faults::default(),
            tuning: Mutex::new(Tuning {
                limits: settings.limits,
                answers: settings.answers,
                latency: [Duration::ZERO; APIS.len()],
            }),
            drive: Mutex::default(),
            endpoints: Mutex::default(),
            local,
            public_url: settings.public_url.clone(),
        }
    }

    pub(crate) fn tuning(&self) -> MutexGuard<'_, Tuning> {
        self.tuning.lock()
    }

    /// Lets the centre live by itself at `rate` steps a second; 0 stops it. Must be called within a runtime.
    pub(crate) fn drive_at(&self, steps_per_second: f64) {
        let driven = (steps_per_second > 0.0).then(|| (steps_per_second, self.world.drive(steps_per_second)));
        *self.drive.lock() = driven;
    }

    /// Which product a path belongs to; `None` is the emulator's own control pages.
    pub(crate) fn product(path: &str) -> Option<Api> {
        let starts = |prefix: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if starts("/emulator") {
            None
        } else if starts("/v1/Workspaces") {
            Some(Api::TaskRouter)
        } else if starts("/v1/Services") {
            Some(Api::Sync)
        } else if starts("/v1/Accounts") {
            Some(Api::Iam)
        } else if starts("/v1/PluginService") {
            Some(Api::Flex)
        } else if starts("/2010-04-01") {
            Some(Api::Api)
        } else {
            Some(Api::Unknown)
        }
    }

    /// Carries out a request: credentials first, then its product.
    pub(crate) fn answer(&self, api: Api, request: &Request, trace: &mut Trace) -> Result<Reply, ApiError> {
        if !auth::is_ours(request.header("authorization"), &self.account, &self.callbacks.auth_token()) {
            return Err(ApiError::unauthorized());
        }
        let (limits, answers) = {
            let tuning = self.tuning();
            (tuning.limits, tuning.answers)
        };
        match api {
            Api::TaskRouter => taskrouter::route(taskrouter::TaskRouterCall {
                request,
                trace,
                world: &self.world,
                callbacks: &self.callbacks,
                answers,
                limits,
                endpoints: &self.endpoints,
            }),
            Api::Sync => sync::http::route(&self.sync, &limits, request, trace),
            Api::Iam => self.tokens.route(&self.account, request),
            Api::Api => api::route(&self.account, &self.calls, &self.messages, request),
            Api::Flex => self.plugins.route(request),
            Api::Unknown => Err(ApiError::unknown_path(&request.path)),
        }
    }
}

/// The parts, shared by every connection.
pub(crate) type Shared = Arc<Core>;
