// What each of these tests begins with: a simulated centre, the service beside it, and the ends of both.
import { Emulator } from "../support/emulator.mjs";
import { ending } from "../support/ending.mjs";
import { startService } from "../support/service.mjs";

/** Nothing but events and what is asked for: what appears has come by an event. */
export const NO_TIMERS = {
  REALTIME_INTERVAL: "1h",
  CUMULATIVE_INTERVAL: "1h",
  DIRECTORY_INTERVAL: "1h",
  DEFINITIONS_INTERVAL: "1h",
};
/** Timers that make a test short. */
export const QUICK = {
  REALTIME_INTERVAL: "300ms",
  CUMULATIVE_INTERVAL: "500ms",
  DIRECTORY_INTERVAL: "500ms",
  DEFINITIONS_INTERVAL: "300ms",
};
export const ACCOUNT = { AUTHENTICATION_USER: "ada", AUTHENTICATION_PASSWORD: "correct horse" };

const CENTRE = ["--queues", "4", "--workers", "6"];

export async function scene(t, { centre = CENTRE, variables = {}, before = () => {} } = {}) {
  const atEnd = ending(t);
  const emulator = await Emulator.start(...centre);
  atEnd(() => emulator.stop());
  const { api_key_sid: TWILIO_API_KEY, api_key_secret: TWILIO_API_SECRET } = emulator.account;
  const more = await before(emulator);
  const service = await startService(emulator, {
    ...ACCOUNT,
    TWILIO_API_KEY,
    TWILIO_API_SECRET,
    ...variables,
    ...more,
  });
  atEnd(() => service.stop());
  const signIn = { url: service.url, user: ACCOUNT.AUTHENTICATION_USER, password: ACCOUNT.AUTHENTICATION_PASSWORD };
  const open = async (place, front) => {
    const opened = await place.open({ site: service, ...front });
    opened.name = [place.name, front.sdk].filter(Boolean).join(", SDK ");
    atEnd(() => opened.close());
    return opened;
  };
  /** The front end in every place, on each of these versions of the SDK. */
  const openAll = (places, versions, front) => {
    const all = places.flatMap((place) => versions.map((sdk) => ({ place, sdk })));
    return Promise.all(all.map(({ place, sdk }) => open(place, { ...front, ...(sdk && { sdk }) })));
  };
  return { atEnd, emulator, service, signIn, open, openAll };
}

/** A Worker who is signed in at Flex: the token, and the contact that a Call is put through to. */
export async function agent(emulator, number = 0) {
  const worker = (await emulator.control("GET", "/world")).workers[number];
  const flexToken = `token-of-${worker.sid}`;
  await emulator.control("PUT", `/tokens/${flexToken}`, { worker_sid: worker.sid });
  return { worker: worker.sid, flexToken, contact: JSON.parse(worker.attributes).contact_uri };
}
