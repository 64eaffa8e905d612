/** Server-sent events as text arrives, in pieces of any size (WHATWG HTML, 9.2.6). Comments yield nothing. */
export interface SseMessage {
  event: string;
  data: string;
  id?: string;
}

export class SseParser {
  private rest = "";
  private event = "";
  private data: string[] = [];
  private id: string | undefined;

  push(text: string): SseMessage[] {
    const messages: SseMessage[] = [];
    this.rest += text;
    // A CR at the very end may be half of a CRLF: it waits for its other half.
    const lines = this.rest.split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (this.data.length > 0) {
          messages.push({ event: this.event || "message", data: this.data.join("\n"), id: this.id });
        }
        this.event = "";
        this.data = [];
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") this.event = value;
      else if (field === "data") this.data.push(value);
      else if (field === "id") this.id = value;
    }
    return messages;
  }
}
