/** Rules that watch the quality of calls in the agent's browser. See `docs/voice-quality.md`. */
export { type Configuration, ConfigurationError, configure, DEFAULTS } from "./configuration.ts";
export { type PostOptions, postTo } from "./post.ts";
export { counts, ISSUES, type WarningData } from "./rules.ts";
export { type Alert, attach, type Options, type WatchedCall } from "./watch.ts";
