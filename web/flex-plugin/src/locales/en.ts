/** Every English text of the plugin; those of the shared components are in `shared/locales`. */
export const en = {
  language: "en",
  view: {
    link: "Realtime",
    title: "Realtime",
    queues: "Queues",
    metrics: "Metrics",
    noMetrics: "No metrics are defined.",
    partFailed: "This part failed.",
    retry: "Try again",
  },
  banner: {
    loading: "Connecting to the statistics service.",
    unreachable: (origin: string) =>
      `The statistics service can't be reached. If this stays: is ${origin} in the service's ALLOWED_ORIGINS?`,
    fromSync:
      "The statistics service can't be reached. Queues come from Twilio Sync; metrics are not updating.",
    token: "The service did not accept this Flex session. Trying again; if this stays, sign in again.",
    role: "Your Flex role may not see these statistics (FLEX_ROLES).",
    older: "The statistics service is older than this plugin. Ask an administrator to upgrade it.",
    noAddress: "The plugin does not know the address of the statistics service.",
    refused: (message: string) => `The statistics service refused: ${message}`,
  },
  source: {
    syncMap: (map: string) => `Source: Twilio Sync Map ${map} (service unreachable).`,
    metricsNeedService: "metrics come from the statistics service only",
  },
  queuesView: {
    serviceLevel: (seconds: number) => `Service level ${seconds} s`,
    oldest: "Oldest (live)",
    source: "Source",
    waiting: "Waiting (live)",
    tileWaiting: "Waiting now",
    ageOf: (span: string) => `${span} old`,
    unknown: "unknown queue",
  },
  dialpad: {
    open: "Dialpad",
    title: "Call a customer",
    number: "Number",
    country: "Country",
    numberHelp: "With country code, such as +49 30 901820. Without one, the chosen country's is added.",
    from: "Caller ID",
    call: "Call",
    hangUp: "Hang up",
    close: "Close",
    invalid: "This is not a phone number with country code (E.164).",
    noContact: "Your Worker has no contact_uri, so no call can be placed.",
    unavailable: "You are not available: the answered call waits until you are.",
    unreachable: "The service can't be reached for calls. Trying again.",
    unsent: "The call was not placed: the service can't be reached. Try again once it can.",
    unanswered:
      "The service said nothing of this call. Make sure that the customer's phone does not ring before you call again.",
    lost: "The connection to the service is lost. Your call goes on; its status is unknown until the connection is back.",
    status: {
      queued: "Placing the call",
      ringing: "Ringing",
      "in-progress": "Answered; connecting you",
      completed: "Call ended",
      busy: "Busy",
      "no-answer": "No answer",
      failed: "The call failed",
      canceled: "Cancelled",
    } as Record<string, string>,
  },
  quality: {
    alert: (issues: string) => `Possible voice network quality issue detected: ${issues}`,
    configuration: (problem: string) => `Call quality is not watched: ${problem}`,
  },
};

export type PluginTexts = typeof en;
