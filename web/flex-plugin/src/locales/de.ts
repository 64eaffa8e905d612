/** Every German text of the plugin. */
import type { PluginTexts } from "./en.ts";

export const de = {
  language: "de",
  view: {
    link: "Echtzeit",
    title: "Echtzeit",
    queues: "Warteschlangen",
    metrics: "Kennzahlen",
    noMetrics: "Es sind keine Kennzahlen definiert.",
    partFailed: "Dieser Teil ist ausgefallen.",
    retry: "Erneut versuchen",
  },
  banner: {
    loading: "Verbindung zum Statistikdienst wird aufgebaut.",
    unreachable: (origin: string) =>
      `Der Statistikdienst ist nicht erreichbar. Falls das so bleibt: Steht ${origin} in ALLOWED_ORIGINS des Dienstes?`,
    fromSync:
      "Der Statistikdienst ist nicht erreichbar. Warteschlangen kommen aus Twilio Sync; Kennzahlen stehen still.",
    token:
      "Der Dienst hat diese Flex-Sitzung nicht angenommen. Neuer Versuch läuft; falls das so bleibt, bitte neu anmelden.",
    role: "Ihre Flex-Rolle darf diese Statistik nicht sehen (FLEX_ROLES).",
    older: "Der Statistikdienst ist älter als dieses Plugin. Bitte lassen Sie ihn aktualisieren.",
    noAddress: "Das Plugin kennt die Adresse des Statistikdienstes nicht.",
    refused: (message: string) => `Der Statistikdienst hat abgelehnt: ${message}`,
  },
  source: {
    syncMap: (map: string) => `Quelle: Twilio-Sync-Map ${map} (Dienst nicht erreichbar).`,
    metricsNeedService: "Kennzahlen kommen nur vom Statistikdienst",
  },
  queuesView: {
    serviceLevel: (seconds: number) => `Servicelevel ${seconds} s`,
    oldest: "Älteste (live)",
    source: "Quelle",
    waiting: "Wartend (live)",
    tileWaiting: "Jetzt wartend",
    ageOf: (span: string) => `${span} alt`,
    unknown: "unbekannte Warteschlange",
  },
  dialpad: {
    open: "Wähltastatur",
    title: "Kunden anrufen",
    number: "Rufnummer",
    country: "Land",
    numberHelp:
      "Mit Ländervorwahl, etwa +49 30 901820. Ohne sie wird die Vorwahl des gewählten Landes ergänzt.",
    from: "Absendernummer",
    call: "Anrufen",
    hangUp: "Auflegen",
    close: "Schließen",
    invalid: "Das ist keine Rufnummer mit Ländervorwahl (E.164).",
    noContact: "Ihr Worker hat keine contact_uri, daher ist kein Anruf möglich.",
    unavailable: "Sie sind nicht verfügbar: Der angenommene Anruf wartet, bis Sie es sind.",
    unreachable: "Der Dienst ist für Anrufe nicht erreichbar. Neuer Versuch läuft.",
    unsent:
      "Der Anruf wurde nicht getätigt: Der Dienst ist nicht erreichbar. Versuchen Sie es wieder, sobald er es ist.",
    unanswered:
      "Der Dienst hat sich zu diesem Anruf nicht gemeldet. Prüfen Sie, ob das Telefon klingelt, bevor Sie wieder anrufen.",
    lost: "Die Verbindung zum Dienst ist weg. Ihr Anruf läuft weiter; sein Stand ist unbekannt, bis sie wieder da ist.",
    status: {
      queued: "Anruf wird aufgebaut",
      ringing: "Es klingelt",
      "in-progress": "Angenommen; Sie werden verbunden",
      completed: "Anruf beendet",
      busy: "Besetzt",
      "no-answer": "Keine Antwort",
      failed: "Der Anruf ist fehlgeschlagen",
      canceled: "Abgebrochen",
    },
  },
  quality: {
    alert: (issues: string) => `Mögliches Problem mit der Sprachqualität erkannt: ${issues}`,
    configuration: (problem: string) => `Die Gesprächsqualität wird nicht überwacht: ${problem}`,
  },
} satisfies PluginTexts;
