/** Serves the built stand-in shell on a site of its own, and passes `/emulator` on to the simulated Twilio. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import type { ShellConfig } from "../shell/manager.ts";

const BUILT = fileURLToPath(new URL("../../dist-shell/", import.meta.url));
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };

const bodyOf = async (request: IncomingMessage) => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
};

/** The page at `/{name}/` is that of the user whom `configs` has under that name. */
export async function serveShell(emulator: string, configs: Map<string, ShellConfig>) {
  const server = createServer(async (request, answer) => {
    const [, name = "", ...rest] = new URL(request.url ?? "/", "http://shell").pathname.split("/");
    const path = rest.join("/");
    const config = configs.get(name);
    if (!config) return void answer.writeHead(404).end();
    if (path === "config.json") {
      return void answer.setHeader("content-type", "application/json").end(JSON.stringify(config));
    }
    if (path.startsWith("emulator/")) {
      const { method = "GET" } = request;
      const body = method === "GET" ? null : await bodyOf(request);
      const passed = await fetch(`${emulator}/${path}`, { method, body });
      const text = await passed.text();
      return void answer.writeHead(passed.status === 204 ? 200 : passed.status).end(text || "null");
    }
    try {
      const file = normalize(path || "index.html");
      const data = await readFile(join(BUILT, file));
      answer.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream").end(data);
    } catch {
      answer.writeHead(404).end();
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
