/** Every English text of the shared components. A sentence is one function, so that a language may order it freely. */
const rows = (n: number) => (n === 1 ? "1 queue" : `${n} queues`);
const writes = (n: number) => (n === 1 ? "1 write" : `${n} writes`);

export const en = {
  language: "en",

  /** A length of time: `12 s`, `3 min`, `2 h`, `4 days`. */
  span(seconds: number): string {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    if (s < 172_800) return `${Math.floor(s / 3600)} h`;
    return `${Math.floor(s / 86_400)} days`;
  },
  ageOld: (span: string) => `${span} old`,
  noData: (reason: string) => `no data: ${reason}`,
  noDataTip: (reason: string) => `No data: ${reason}.`,
  over: (limit: string) => `over ${limit}`,
  below: (limit: string) => `below ${limit}`,
  interval: (dayStart: string, timeZone: string) => `today since ${dayStart} ${timeZone}`,

  api: {
    signedOut: "Signed out.",
    unreachable: "Service unreachable. Check the network.",
    timedOut: (seconds: number) => `The service did not answer within ${seconds} s.`,
    failed: (status: number) => `The service answered ${status}.`,
    unreadable: "The service's answer could not be read.",
  },

  freshness: {
    connecting: "Connecting",
    connectingAnnouncement: "Connecting.",
    live: (age: string, behind: string) => `Live: ${age} ago${behind}`,
    liveAnnouncement: (behind: string) => `Live${behind}.`,
    catchingUp: (age: string) => `Catching up. Data is ${age} old`,
    catchingUpAnnouncement: "Catching up.",
    stale: (since: string, reason: string | undefined) =>
      `Stale since ${since}: TaskRouter is not responding${reason ? ` (${reason})` : ""}`,
    offline: (whose: string, age: string | undefined, retryIn: number) =>
      [
        `Offline: ${whose}.`,
        age && `Data is ${age} old.`,
        retryIn > 0 ? `Retrying in ${retryIn} s` : "Retrying",
      ]
        .filter(Boolean)
        .join(" "),
    offlineAnnouncement: (whose: string) => `Offline: ${whose}.`,
    serviceUnreachable: "service unreachable",
    noNetwork: "this screen has no network",
    syncBehind: (unwritten: number | undefined) =>
      `; Twilio Sync is behind${unwritten ? ` by ${writes(unwritten)}` : ""}`,
    taskRouterSilent: (since: string | undefined, reason: string | undefined) =>
      `TaskRouter has not responded${since ? ` since ${since}` : ""}${reason ? `: ${reason}` : "."}`,
    syncFailing: (n: number) => `Sync: ${writes(n)} failing`,
    syncBeyondLimit: (object: string, waiting: number, writesASecond: number) =>
      `${object} is at Sync's limit of about ${Math.round(writesASecond)} writes a second: ${writes(waiting)} waiting. The layout queue-documents has no such limit.`,
    syncPending: (n: number) => `Sync: ${writes(n)} pending`,
    unreadable: (n: number) => `${rows(n)} unreadable, not shown`,
  },

  source: {
    feed: (why: string) => `Source: service feed (${why}).`,
    sync: "Source: Twilio Sync.",
    names: { feed: "feed", sync: "Sync" },
    behind: "Twilio Sync is behind it",
    asked: "requested by this address",
    noKey: "no API key is configured for Twilio Sync",
    noKeyButAsked: "no API key is configured, so Twilio Sync can't be read",
    queuesNotInSync: "queue statistics are not written to Sync (SYNC_LAYOUTS)",
    reading: "reading Twilio Sync",
    notConnected: "Twilio Sync is not connected",
    noHealthYet: "the service has not reported its health yet",
    settling: "Twilio Sync is back and catching up",
    connectionFailed: "the connection to Twilio Sync failed",
    unreachable: "Twilio Sync can't be reached",
    noDocument: (id: string) => `Sync has no Document \`${id}\` (yet)`,
    noMap: (id: string) => `Sync has no Map \`${id}\` (yet)`,
    documentRefused: (id: string, why: string) => `Sync refuses the Document \`${id}\`: ${why}`,
    mapRefused: (id: string, why: string) => `Sync refuses the Map \`${id}\`: ${why}`,
    documentPending: (id: string) => `the Document \`${id}\` is not read yet`,
    mapPending: (id: string) => `the Map \`${id}\` is not read yet`,
    queueDocumentsPending: "not all queue Documents are read yet",
  },

  provenance: {
    updated: "Updated on events and on a timer.",
    lastUpdate: { event: " Last update: event.", timer: " Last update: timer." },
    lastChanged: (time: string, age: string) => `Last changed ${time} (${age} ago)`,
    mayHaveChanged: (time: string, age: string) => `Last read ${time} (${age} ago); may have changed since`,
    serviceLevel: (level: string) => `Service level: ${level}`,
    failing: (reason: string) => `Failing: ${reason}`,
    metric: (updated: string, interval: string) =>
      `Computed from TaskRouter statistics. ${updated} Totals cover ${interval}.`,
    queue: (sid: string, updated: string) => `TaskQueue ${sid}. ${updated}`,
    queueFailing: (reason: string) => `Last known numbers. Reading fails: ${reason}`,
    todayFailing: (reason: string) => `Today's totals are old: ${reason}`,
    cut: (fields: string) => `Left out to fit into Sync: ${fields}`,
    channelOnly: (queue: string, channel: string) => `${queue}, ${channel} only`,
  },

  metric: {
    formulaFails: "formula failed",
    wrongFormat: "value does not fit the format",
    noValue: "formula returned no value",
    slaWithin: (threshold: string, level: string) => `${threshold}: ${level}`,
    showQueues: "Show queues",
    chart: (label: string, latest: string, low: string, high: string) =>
      `${label}: now ${latest}, lowest ${low}, highest ${high} in the time shown`,
    chartEmpty: (label: string) => `${label}: no values in the time shown`,
    at: "At",
    value: "Value",
    time: "Time",
  },

  queues: {
    controls: {
      search: "Search queues",
      columns: "Columns",
      columnsShown: "Columns shown",
      byUrgency: "Sorted by urgency",
      by: (label: string) => `Sorted by ${label}`,
      name: "name",
      sortByUrgency: "Sort by urgency",
    },
    table: "Queues",
    queue: "Queue",
    queueTip: "TaskQueue; its row opens by channel",
    waitingForData: "Waiting for the first data.",
    noMatch: (search: string) => `No queue matches “${search}”.`,
    noneSelected: "No queue is in this selection now.",
    none: "This Workspace has no queues yet. They appear here when they are created.",
    notReported: "waiting time not reported",
    nothingWaits: "no task waiting",
    notRead: "not read yet",
    cut: (fields: string) => `left out to fit into Sync (${fields})`,
    dayCurve: (name: string) => `Day curve of ${name}`,
    columns: {
      pending: "Waiting",
      oldest: "Oldest",
      sla: (threshold: string) => `SLA ${threshold}`,
      agents: "Agents",
      reserved: "Offered",
      assigned: "In progress",
      wrapping: "Wrapping",
      total: "Total",
      handled: "Handled",
      abandoned: "Abandoned",
      waitAccept: "Avg wait",
      waitCancel: "Avg abandon",
      activities: "Activities",
    },
    tips: {
      live: "now, from TaskRouter real-time statistics",
      today: (interval: string) => `${interval}, from TaskRouter cumulative statistics`,
      pending: (live: string) => `Tasks in no agent's hands yet (status pending); ${live}`,
      oldest: (live: string) =>
        `Age of the oldest task that is waiting or offered; counted on this screen. Data: ${live}`,
      sla: (level: string, today: string) => `${level}; ${today}`,
      slaOwn: (level: string, today: string) =>
        `${level}; ${today}. A queue may have a service level of its own`,
      agents: (live: string) => `Available / eligible workers; ${live}`,
      reserved: (live: string) => `Tasks offered to an agent (status reserved); ${live}`,
      assigned: (live: string) => `Tasks that an agent has accepted (status assigned); ${live}`,
      wrapping: (live: string) => `Tasks in wrap-up; ${live}`,
      total: (live: string) => `Waiting + offered + in progress + wrapping; ${live}`,
      handled: (today: string) => `Completed tasks; ${today}`,
      abandoned: (today: string) => `Cancelled tasks; ${today}`,
      waitAccept: (today: string) => `Average wait until accepted; ${today}`,
      waitCancel: (today: string) => `Average wait until cancelled; ${today}`,
      activities: (live: string) => `Workers by Activity; ${live}`,
    },
    reasons: {
      noQualifyingTasks: "no qualifying tasks today",
      noSplit: "TaskRouter reported no split by waiting time",
      unknownLevel: (name: string) => `unknown service level “${name}”; reload the page`,
      nothingAccepted: "no task accepted today",
      nothingCancelled: "no task cancelled today",
    },
  },

  serviceLevels: {
    accepted: (t: string) => `accepted within ${t} / accepted`,
    "accepted-or-late-abandoned": (t: string) => `accepted within ${t} / (accepted + abandoned after ${t})`,
    "all-waited": (t: string) => `accepted within ${t} / (entered − abandoned within ${t})`,
  },

  errors: {
    view: "This part of the page failed.",
    app: "The page failed.",
    reload: "Reload",
    retry: "Try again",
    reloadIn: (seconds: number) => `Reloading in ${seconds} s.`,
    loading: "Loading…",
  },
};

/** A further language is a file of this type. */
export type Texts = typeof en;
