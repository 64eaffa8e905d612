/** Every German text of the shared components. */
import type { Texts } from "./en.ts";

const rows = (n: number) => (n === 1 ? "1 Warteschlange" : `${n} Warteschlangen`);
const writes = (n: number) => (n === 1 ? "1 Schreibvorgang" : `${n} Schreibvorgänge`);

export const de: Texts = {
  language: "de",
  span(seconds) {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    if (s < 172_800) return `${Math.floor(s / 3600)} h`;
    return `${Math.floor(s / 86_400)} Tage`;
  },
  ageOld: (span) => `${span} alt`,
  noData: (reason) => `keine Daten: ${reason}`,
  noDataTip: (reason) => `Keine Daten: ${reason}.`,
  over: (limit) => `über ${limit}`,
  below: (limit) => `unter ${limit}`,
  interval: (dayStart, timeZone) => `heute seit ${dayStart} ${timeZone}`,
  api: {
    signedOut: "Abgemeldet.",
    unreachable: "Der Dienst ist nicht erreichbar. Bitte das Netzwerk prüfen.",
    timedOut: (seconds) => `Der Dienst hat nicht innerhalb von ${seconds} s geantwortet.`,
    failed: (status) => `Der Dienst hat mit ${status} geantwortet.`,
    unreadable: "Die Antwort des Dienstes ist nicht lesbar.",
  },
  freshness: {
    connecting: "Verbindung wird aufgebaut",
    connectingAnnouncement: "Verbindung wird aufgebaut.",
    live: (age, behind) => `Live: vor ${age}${behind}`,
    liveAnnouncement: (behind) => `Live${behind}.`,
    catchingUp: (age) => `Holt auf. Daten sind ${age} alt`,
    catchingUpAnnouncement: "Holt auf.",
    stale: (since, reason) =>
      `Veraltet seit ${since}: TaskRouter antwortet nicht${reason ? ` (${reason})` : ""}`,
    offline: (whose, age, retryIn) =>
      [
        `Offline: ${whose}.`,
        age && `Daten sind ${age} alt.`,
        retryIn > 0 ? `Neuer Versuch in ${retryIn} s` : "Neuer Versuch läuft",
      ]
        .filter(Boolean)
        .join(" "),
    offlineAnnouncement: (whose) => `Offline: ${whose}.`,
    serviceUnreachable: "Dienst nicht erreichbar",
    noNetwork: "dieser Bildschirm hat kein Netzwerk",
    syncBehind: (unwritten) => `; Twilio Sync hinkt nach${unwritten ? ` (${writes(unwritten)})` : ""}`,
    taskRouterSilent: (since, reason) =>
      `TaskRouter antwortet nicht${since ? ` seit ${since}` : ""}${reason ? `: ${reason}` : "."}`,
    syncFailing: (n) => `Sync: ${writes(n)} gescheitert`,
    syncPending: (n) => `Sync: ${writes(n)} ausstehend`,
    syncBeyondLimit: (object, waiting, writesASecond) =>
      `${object} ist an der Grenze von Sync, etwa ${Math.round(writesASecond)} Schreibvorgänge je Sekunde; ${writes(waiting)} ausstehend. Das Layout queue-documents hat keine solche Grenze.`,
    unreadable: (n) => `${rows(n)} nicht lesbar und nicht gezeigt`,
  },
  source: {
    feed: (why) => `Quelle: Feed des Dienstes (${why}).`,
    sync: "Quelle: Twilio Sync.",
    names: { feed: "Feed", sync: "Sync" },
    behind: "Twilio Sync hinkt nach",
    asked: "von dieser Adresse verlangt",
    noKey: "für Twilio Sync ist kein API-Schlüssel konfiguriert",
    noKeyButAsked: "kein API-Schlüssel konfiguriert, Twilio Sync ist nicht lesbar",
    queuesNotInSync: "Statistiken der Warteschlangen stehen nicht in Sync (SYNC_LAYOUTS)",
    reading: "Twilio Sync wird gelesen",
    notConnected: "Twilio Sync ist nicht verbunden",
    noHealthYet: "der Dienst hat seinen Zustand noch nicht gemeldet",
    settling: "Twilio Sync ist wieder da und holt auf",
    connectionFailed: "die Verbindung zu Twilio Sync ist gescheitert",
    unreachable: "Twilio Sync ist nicht erreichbar",
    noDocument: (id) => `Sync hat (noch) kein Document \`${id}\``,
    noMap: (id) => `Sync hat (noch) keine Map \`${id}\``,
    documentRefused: (id, why) => `Sync verweigert das Document \`${id}\`: ${why}`,
    mapRefused: (id, why) => `Sync verweigert die Map \`${id}\`: ${why}`,
    documentPending: (id) => `das Document \`${id}\` ist noch nicht gelesen`,
    mapPending: (id) => `die Map \`${id}\` ist noch nicht gelesen`,
    queueDocumentsPending: "noch nicht alle Documents der Warteschlangen sind gelesen",
  },
  provenance: {
    updated: "Wird bei Ereignissen und in festen Abständen aktualisiert.",
    lastUpdate: { event: " Letztes Mal: Ereignis.", timer: " Letztes Mal: fester Abstand." },
    lastChanged: (time, age) => `Letzte Änderung ${time} (vor ${age})`,
    mayHaveChanged: (time, age) => `Zuletzt gelesen ${time} (vor ${age}); kann sich seither geändert haben`,
    serviceLevel: (level) => `Servicelevel: ${level}`,
    failing: (reason) => `Fehler: ${reason}`,
    metric: (updated, interval) =>
      `Berechnet aus TaskRouter-Statistiken. ${updated} Summen umfassen ${interval}.`,
    queue: (sid, updated) => `TaskQueue ${sid}. ${updated}`,
    queueFailing: (reason) => `Letzte bekannte Zahlen. Das Lesen scheitert: ${reason}`,
    todayFailing: (reason) => `Die Tagessummen sind alt: ${reason}`,
    cut: (fields) => `Weggelassen, um in Sync zu passen: ${fields}`,
    channelOnly: (queue, channel) => `${queue}, nur ${channel}`,
  },
  metric: {
    formulaFails: "Formel gescheitert",
    wrongFormat: "Wert passt nicht zum Format",
    noValue: "Formel ohne Ergebnis",
    slaWithin: (threshold, level) => `${threshold}: ${level}`,
    showQueues: "Warteschlangen zeigen",
    chart: (label, latest, low, high) =>
      `${label}: jetzt ${latest}, niedrigster Wert ${low}, höchster ${high} in der gezeigten Zeit`,
    chartEmpty: (label) => `${label}: keine Werte in der gezeigten Zeit`,
    at: "Um",
    value: "Wert",
    time: "Zeit",
  },
  queues: {
    controls: {
      search: "Warteschlangen suchen",
      columns: "Spalten",
      columnsShown: "Gezeigte Spalten",
      byUrgency: "Nach Dringlichkeit sortiert",
      by: (label) => `Sortiert nach ${label}`,
      name: "Name",
      sortByUrgency: "Nach Dringlichkeit sortieren",
    },
    table: "Warteschlangen",
    queue: "Warteschlange",
    queueTip: "TaskQueue; die Zeile öffnet sich nach Kanälen",
    waitingForData: "Die ersten Daten werden erwartet.",
    noMatch: (search) => `Keine Warteschlange passt zu „${search}“.`,
    noneSelected: "Zurzeit gehört keine Warteschlange zu dieser Auswahl.",
    none: "Dieser Workspace hat noch keine Warteschlangen. Sie erscheinen hier, sobald es sie gibt.",
    notReported: "Wartezeit nicht gemeldet",
    nothingWaits: "keine wartende Aufgabe",
    notRead: "noch nicht gelesen",
    cut: (fields) => `weggelassen, um in Sync zu passen (${fields})`,
    dayCurve: (name) => `Tageskurve von ${name}`,
    columns: {
      pending: "Wartend",
      oldest: "Älteste",
      sla: (threshold) => `SLA ${threshold}`,
      agents: "Agenten",
      reserved: "Angeboten",
      assigned: "In Arbeit",
      wrapping: "Nacharbeit",
      total: "Gesamt",
      handled: "Erledigt",
      abandoned: "Abbrüche",
      waitAccept: "Ø Wartezeit",
      waitCancel: "Ø Abbruch",
      activities: "Aktivitäten",
    },
    tips: {
      live: "jetzt, aus TaskRouters Echtzeitstatistik",
      today: (interval) => `${interval}, aus TaskRouters kumulierter Statistik`,
      pending: (live) => `Aufgaben, die noch kein Agent hat (Status pending); ${live}`,
      oldest: (live) =>
        `Alter der ältesten wartenden oder angebotenen Aufgabe; auf diesem Bildschirm gezählt. Daten: ${live}`,
      sla: (level, today) => `${level}; ${today}`,
      slaOwn: (level, today) => `${level}; ${today}. Eine Warteschlange kann ein eigenes Servicelevel haben`,
      agents: (live) => `Verfügbare / geeignete Worker; ${live}`,
      reserved: (live) => `Aufgaben, die einem Agenten angeboten sind (Status reserved); ${live}`,
      assigned: (live) => `Aufgaben, die ein Agent angenommen hat (Status assigned); ${live}`,
      wrapping: (live) => `Aufgaben in Nacharbeit; ${live}`,
      total: (live) => `Wartend + angeboten + in Arbeit + Nacharbeit; ${live}`,
      handled: (today) => `Abgeschlossene Aufgaben; ${today}`,
      abandoned: (today) => `Abgebrochene Aufgaben; ${today}`,
      waitAccept: (today) => `Mittlere Wartezeit bis zur Annahme; ${today}`,
      waitCancel: (today) => `Mittlere Wartezeit bis zum Abbruch; ${today}`,
      activities: (live) => `Worker nach Activity; ${live}`,
    },
    reasons: {
      noQualifyingTasks: "heute keine Aufgaben, die zählen",
      noSplit: "TaskRouter hat keine Aufteilung nach Wartezeit gemeldet",
      unknownLevel: (name) => `unbekanntes Servicelevel „${name}“; bitte die Seite neu laden`,
      nothingAccepted: "heute keine Aufgabe angenommen",
      nothingCancelled: "heute keine Aufgabe abgebrochen",
    },
  },
  serviceLevels: {
    accepted: (t) => `angenommen innerhalb von ${t} / angenommen`,
    "accepted-or-late-abandoned": (t) =>
      `angenommen innerhalb von ${t} / (angenommen + nach ${t} abgebrochen)`,
    "all-waited": (t) => `angenommen innerhalb von ${t} / (eingegangen − innerhalb von ${t} abgebrochen)`,
  },
  errors: {
    view: "Dieser Teil der Seite ist gescheitert.",
    app: "Die Seite ist gescheitert.",
    reload: "Neu laden",
    retry: "Noch einmal versuchen",
    reloadIn: (seconds) => `Wird in ${seconds} s neu geladen.`,
    loading: "Wird geladen…",
  },
};
