//! Every variable the service reads, in the order of `.env.example`.

use super::reader::Variable;

const SID_OF_ACCOUNT: &str = "AC followed by 32 hexadecimal digits";
const DURATION: &str = "a duration with its unit, such as 250ms, 5s or 2m, from 100ms to 24h";
const STEP: &str = "a duration with its unit, such as 250ms, from 10ms to 24h";
const GRACE: &str = "a duration with its unit, such as 10s, at most 24h";
const URL: &str = "an http or https URL without query, fragment or credentials";
const DOCUMENT_NAME: &str = "a name of 1 to 320 visible characters without '/', not '.' or '..' or one that the service uses itself, or a Document's SID (ET…)";
const MAP_NAME: &str = "a name of 1 to 320 visible characters without '/', not '.' or '..' or one that the service uses itself, or a Map's SID (MP…)";

macro_rules! variables {
    ($($name:ident: $variable:expr;)*) => {
        $(#[doc = concat!("`", stringify!($name), "`")] pub const $name: Variable = $variable;)*
        /// All of them, in the order of `.env.example`.
        pub const ALL: &[Variable] = &[$($name),*];
    };
}

/// Variables that earlier versions read, and why they have no effect any more.
pub const RETIRED: &[(&str, &str)] = &[(
    "LEADER_ALONE",
    "a leader reads and writes only while its lease in Redis lasts; give Redis failover instead (docs/scaling.md)",
)];

variables! {
    TWILIO_ACCOUNT_SID: Variable::plain("TWILIO_ACCOUNT_SID", SID_OF_ACCOUNT).or(&["ACCOUNT_SID"]);
    TWILIO_AUTH_TOKEN: Variable::secret("TWILIO_AUTH_TOKEN", "at least 5 characters without spaces").or(&["AUTH_TOKEN"]);
    TWILIO_AUTH_TOKEN_SECONDARY: Variable::secret("TWILIO_AUTH_TOKEN_SECONDARY", "at least 5 characters without spaces");
    TWILIO_WEBHOOK_SHARED_KEY: Variable::secret("TWILIO_WEBHOOK_SHARED_KEY", "a secret without spaces; during a rotation up to 4, comma-separated");
    TWILIO_API_KEY: Variable::plain("TWILIO_API_KEY", "SK followed by 32 hexadecimal digits, together with TWILIO_API_SECRET").or(&["TWILIO_API_KEY_SID"]);
    TWILIO_API_SECRET: Variable::secret("TWILIO_API_SECRET", "the secret of TWILIO_API_KEY").or(&["TWILIO_API_KEY_SECRET"]);
    TWILIO_WORKSPACE_SID: Variable::plain("TWILIO_WORKSPACE_SID", "WS followed by 32 hexadecimal digits").or(&["TWILIO_FLEX_WORKSPACE_SID", "WORKSPACE_SID"]);
    TWILIO_SYNC_SERVICE_SID: Variable::plain("TWILIO_SYNC_SERVICE_SID", "IS followed by 32 hexadecimal digits, or default").or(&["TWILIO_FLEX_SYNC_SID", "DASHBOARD_SYNC_SERVICE_SID", "TWILIO_SYNC_SERVICE_ID", "TWILIO_SYNC_SERVICE"]);
    PUBLIC_URL: Variable::plain("PUBLIC_URL", "an http or https URL in ASCII (international names as xn--…) without query, fragment or credentials").or(&["EXTERNAL_HOST"]);
    BIND_ADDRESS: Variable::plain("BIND_ADDRESS", "an IP address, such as 0.0.0.0 or :: (without brackets)");
    PORT: Variable::plain("PORT", "0 to 65535 (0: any free port)");
    AUTHENTICATION_USER: Variable::plain("AUTHENTICATION_USER", "a name without ':', together with AUTHENTICATION_PASSWORD");
    AUTHENTICATION_PASSWORD: Variable::secret("AUTHENTICATION_PASSWORD", "at least 8 characters, together with AUTHENTICATION_USER");
    AUTHENTICATION_TOKEN: Variable::secret("AUTHENTICATION_TOKEN", "at least 16 characters without spaces");
    METRICS_TOKEN: Variable::secret("METRICS_TOKEN", "at least 16 characters without spaces, none of the administrator's secrets");
    VIEWER_USER: Variable::plain("VIEWER_USER", "a name without ':', other than AUTHENTICATION_USER, together with VIEWER_PASSWORD");
    VIEWER_PASSWORD: Variable::secret("VIEWER_PASSWORD", "at least 8 characters, none of the administrator's secrets, together with VIEWER_USER");
    TV_LINKS: Variable::plain("TV_LINKS", "up to 100 different names (letters, digits, '-', '_'), comma-separated, such as lobby,floor-2");
    CENTRE_NAME: Variable::text("CENTRE_NAME", "a name of at most 60 characters");
    TRUSTED_PROXIES: Variable::plain("TRUSTED_PROXIES", "up to 50 addresses or networks, comma-separated, such as 10.0.0.0/8,127.0.0.1");
    SYNC_TOKEN_LIFE: Variable::plain("SYNC_TOKEN_LIFE", "a duration with its unit from 1m to 24h");
    WEBSOCKET_CLIENTS: Variable::plain("WEBSOCKET_CLIENTS", "a number from 1 to 50000");
    ALLOWED_ORIGINS: Variable::plain("ALLOWED_ORIGINS", "up to 50 different http or https origins without path, comma-separated, such as https://flex.twilio.com; wildcards are not supported");
    FRAME_ANCESTORS: Variable::plain("FRAME_ANCESTORS", "up to 50 different http or https origins without path, comma-separated, such as https://flex.twilio.com; wildcards are not supported");
    FLEX_ROLES: Variable::plain("FLEX_ROLES", "any, or up to 20 different roles (letters, digits, '.', '_', '-'), comma-separated, such as supervisor,admin");
    SHUTDOWN_GRACE: Variable::plain("SHUTDOWN_GRACE", GRACE);
    REDIS_URL: Variable::secret("REDIS_URL", "a URL such as redis://:password@host:6379/0, or rediss:// for TLS; a # in the password as %23");
    LEADER_LEASE: Variable::plain("LEADER_LEASE", "a duration with its unit from 1s to 60s");
    HISTORY_URL: Variable::secret("HISTORY_URL", "sqlite: and a file's path, a postgres:// URL, or off");
    HISTORY_DETAIL: Variable::plain("HISTORY_DETAIL", "a number of days from 1 to 3660");
    HISTORY_INTERVALS: Variable::plain("HISTORY_INTERVALS", "a number of days from 1 to 3660");
    TWILIO_OUTBOUND_WORKFLOW_SID: Variable::plain("TWILIO_OUTBOUND_WORKFLOW_SID", "WW followed by 32 hexadecimal digits");
    OUTBOUND_CALLER_IDS: Variable::plain("OUTBOUND_CALLER_IDS", "up to 100 different numbers of the account, comma-separated, such as +14155550100, with TWILIO_OUTBOUND_WORKFLOW_SID");
    OUTBOUND_PREFIXES: Variable::plain("OUTBOUND_PREFIXES", "up to 300 different prefixes, comma-separated, such as +1,+44, or +, with TWILIO_OUTBOUND_WORKFLOW_SID");
    OUTBOUND_CALLS_PER_MINUTE: Variable::plain("OUTBOUND_CALLS_PER_MINUTE", "a whole number from 1 to 600");
    VOICE_SMS_NUMBERS: Variable::plain("VOICE_SMS_NUMBERS", "up to 100 different numbers of the account, comma-separated, such as +14155550100");
    VOICE_SMS_PREFIXES: Variable::plain("VOICE_SMS_PREFIXES", "up to 300 different prefixes, comma-separated, such as +1,+44, or +");
    VOICE_SMS_TEXT: Variable::text("VOICE_SMS_TEXT", "a text of at most 1600 characters");
    VOICE_WEBHOOK_URL: Variable::plain("VOICE_WEBHOOK_URL", "an http or https URL without fragment or credentials, together with VOICE_WEBHOOK_SECRET");
    VOICE_WEBHOOK_SECRET: Variable::secret("VOICE_WEBHOOK_SECRET", "at least 16 characters without spaces, or whsec_ and base64; during a rotation two, comma-separated; together with VOICE_WEBHOOK_URL");
    OTEL_EXPORTER_OTLP_ENDPOINT: Variable::plain("OTEL_EXPORTER_OTLP_ENDPOINT", "an http or https URL without query, fragment or credentials, such as http://localhost:4318, in builds with the feature otel");
    OTEL_EXPORTER_OTLP_HEADERS: Variable::secret("OTEL_EXPORTER_OTLP_HEADERS", "up to 20 headers as name=value, comma-separated, with values percent-encoded");
    OTEL_SERVICE_NAME: Variable::plain("OTEL_SERVICE_NAME", "a name of 1 to 255 characters");
    OTEL_TRACES_SAMPLER: Variable::plain("OTEL_TRACES_SAMPLER", "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or parentbased_traceidratio");
    OTEL_TRACES_SAMPLER_ARG: Variable::plain("OTEL_TRACES_SAMPLER_ARG", "a number from 0 to 1, such as 0.05");
    DASHBOARD_TIMEZONE: Variable::plain("DASHBOARD_TIMEZONE", "an IANA time zone, such as Europe/Berlin");
    STATS_DAY_START: Variable::plain("STATS_DAY_START", "a local time of day as HH:MM");
    STATS_CHANNELS: Variable::plain("STATS_CHANNELS", "up to 15 different unique names (letters, digits, - and _), comma-separated, or none, or auto");
    SLA_THRESHOLDS: Variable::plain("SLA_THRESHOLDS", "one to three different whole numbers from 1 to 86400, comma-separated");
    SLA_NAME: Variable::plain("SLA_NAME", "accepted, accepted-or-late-abandoned or all-waited");
    SLA_NAMES_OF_QUEUES: Variable::plain("SLA_NAMES_OF_QUEUES", "different <TaskQueue SID>=<service level>, comma-separated");
    SYNC_LAYOUTS: Variable::plain("SYNC_LAYOUTS", "different ones, comma-separated, of queue-map, dashboard-document, dashboard-map, dashboard-metrics, taskrouter-stats, taskrouter-events, taskrouter-tasks, queue-documents");
    QUEUE_STATS_MAP: Variable::plain("QUEUE_STATS_MAP", MAP_NAME);
    DASHBOARD_DATA_DOCUMENT: Variable::plain("DASHBOARD_DATA_DOCUMENT", DOCUMENT_NAME).or(&["DOCUMENT_NAME"]);
    DASHBOARD_DEFINITIONS_DOCUMENT: Variable::plain("DASHBOARD_DEFINITIONS_DOCUMENT", DOCUMENT_NAME).or(&["DEFINITIONS_DOCUMENT_NAME"]);
    DASHBOARD_METRICS_DOCUMENT: Variable::plain("DASHBOARD_METRICS_DOCUMENT", DOCUMENT_NAME);
    DASHBOARD_MAP: Variable::plain("DASHBOARD_MAP", MAP_NAME).or(&["DASHBOARD_SYNC_MAP_SID"]);
    TASKROUTER_STATS_DOCUMENT: Variable::plain("TASKROUTER_STATS_DOCUMENT", DOCUMENT_NAME);
    TASKROUTER_EVENTS_DOCUMENT: Variable::plain("TASKROUTER_EVENTS_DOCUMENT", DOCUMENT_NAME);
    TASKROUTER_TASKS_MAP: Variable::plain("TASKROUTER_TASKS_MAP", MAP_NAME);
    TASK_QUEUES_MAP: Variable::plain("TASK_QUEUES_MAP", MAP_NAME);
    REALTIME_INTERVAL: Variable::plain("REALTIME_INTERVAL", DURATION);
    CUMULATIVE_INTERVAL: Variable::plain("CUMULATIVE_INTERVAL", DURATION);
    DIRECTORY_INTERVAL: Variable::plain("DIRECTORY_INTERVAL", DURATION);
    REFRESH_SPACING: Variable::plain("REFRESH_SPACING", STEP);
    SETTLE_STEP: Variable::plain("SETTLE_STEP", STEP);
    SETTLE_WINDOW: Variable::plain("SETTLE_WINDOW", "a duration with its unit, from SETTLE_STEP to 24h; 0s switches settling reads off");
    TASKS_KEPT: Variable::plain("TASKS_KEPT", "a duration with its unit, such as 15m, at most 24h; 0s: finished Tasks are not shown");
    DEFINITIONS_INTERVAL: Variable::plain("DEFINITIONS_INTERVAL", DURATION);
    SYNC_AUDIT_INTERVAL: Variable::plain("SYNC_AUDIT_INTERVAL", DURATION);
    SYNC_AGES: Variable::plain("SYNC_AGES", "on or off");
    TWILIO_TIMEOUT: Variable::plain("TWILIO_TIMEOUT", DURATION);
    TWILIO_REGION: Variable::plain("TWILIO_REGION", "a region of Twilio's, such as us1 or ie1");
    TWILIO_EDGE: Variable::plain("TWILIO_EDGE", "an edge location of Twilio's, such as ashburn or dublin");
    TWILIO_TASKROUTER_AUTH_TOKEN: Variable::secret("TWILIO_TASKROUTER_AUTH_TOKEN", "the account's Auth Token in TaskRouter's region, at least 5 characters without spaces");
    TWILIO_SYNC_AUTH_TOKEN: Variable::secret("TWILIO_SYNC_AUTH_TOKEN", "the account's Auth Token in Sync's region, at least 5 characters without spaces");
    TWILIO_TASKROUTER_URL: Variable::plain("TWILIO_TASKROUTER_URL", URL);
    TWILIO_SYNC_URL: Variable::plain("TWILIO_SYNC_URL", URL);
    TWILIO_API_URL: Variable::plain("TWILIO_API_URL", URL);
    TWILIO_IAM_URL: Variable::plain("TWILIO_IAM_URL", URL);
    TWILIO_FLEX_URL: Variable::plain("TWILIO_FLEX_URL", URL);
}
