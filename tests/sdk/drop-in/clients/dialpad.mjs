// What the dialpad plugin (1.1) does with its websocket, and with the Reservations that Flex offers its agent.
export default class Dialpad {
  #settings;
  #changed;
  #socket;
  #expectsOutbound = false;

  activity = "Available";
  open = true;
  number = "";
  call = { callSid: "", callStatus: "" };
  heard = [];
  errors = [];
  accepted = [];
  rejected = [];

  constructor(settings, changed) {
    this.#settings = settings;
    this.#changed = changed;
  }

  /** Connects; again after a cut, or after its view was opened a second time. */
  start() {
    this.#socket?.close();
    const { WebSocket, socket, flexToken } = this.#settings;
    this.#socket = new WebSocket(`${socket}/websocket/outboundDial`, flexToken);
    this.#socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    return new Promise((resolve, reject) => {
      this.#socket.onopen = () => resolve();
      this.#socket.onerror = () => reject(new Error("the websocket did not open"));
    });
  }

  #hear(message) {
    if (message.messageType === "callUpdate") {
      this.call = { callSid: message.callSid, callStatus: message.callStatus };
      this.heard.push(message.callStatus);
      // It takes each "in-progress" for an answer that was just given.
      if (message.callStatus === "in-progress") {
        this.#expectsOutbound = true;
        this.activity = "Available";
        this.open = false;
      }
    }
    if (message.messageType === "error") {
      this.errors.push(message.message);
      this.call = { callSid: "", callStatus: "" };
    }
    this.#changed();
  }

  /** Its keys take digits and a plus; what is pasted comes through without the plus. */
  paste(text) {
    this.number = text.replaceAll("+", "");
  }

  dial(from) {
    this.activity = "Offline";
    const { contact } = this.#settings;
    this.call = { callSid: "", callStatus: "dialing" };
    this.#send({ method: "call", to: this.number, from, workerContactUri: contact });
  }

  /** Its red button shows while the Call rings and at no other time. */
  hangUp() {
    if (this.call.callStatus !== "ringing") return false;
    this.#send({ method: "hangup", callSid: this.call.callSid });
    this.activity = "Available";
    return true;
  }

  /** Flex offers a Reservation. */
  offer({ sid, channel, attributes }) {
    if (!this.#expectsOutbound) return;
    if (attributes.type === "outbound" && attributes.autoAnswer === "true") {
      this.accepted.push(sid);
      this.activity = "Busy";
      this.#expectsOutbound = false;
    } else if (channel === "voice") {
      this.rejected.push(sid);
    }
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  view() {
    const { activity, open, number, call, heard, errors, accepted, rejected } = this;
    return { activity, open, number, call, heard, errors, accepted, rejected };
  }

  stop() {
    this.#socket?.close();
  }
}
