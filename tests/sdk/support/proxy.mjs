// A proxy before the service, as in production: it serves the files of a front end, and passes on everything else.
import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect } from "node:net";

/**
 * Serves `pages`, a Map from a path to its type and text; what is not in it goes to `port` once that is set, with `more`
 * headers. `answered` is what was passed on: method, path, status, and whether a cookie came with it.
 */
export async function startProxy(more = {}) {
  const proxy = { pages: new Map(), port: undefined, answered: [] };
  const server = createServer((incoming, outgoing) => {
    const page = proxy.pages.get(incoming.url.split("?")[0]);
    if (page) return outgoing.writeHead(200, { "content-type": page[0] }).end(page[1]);
    if (!proxy.port) return outgoing.writeHead(404).end();
    const { method, url } = incoming;
    const headers = { ...incoming.headers, ...more };
    const onward = request({ host: "127.0.0.1", port: proxy.port, method, path: url, headers }, (answer) => {
      proxy.answered.push({ method, path: url, status: answer.statusCode, cookie: headers.cookie !== undefined });
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  // Websockets: the handshake as it came, then bytes both ways.
  const sockets = new Set();
  server.on("upgrade", ({ method, url, rawHeaders }, socket, head) => {
    const onward = connect(proxy.port, "127.0.0.1");
    sockets.add(socket);
    const lines = rawHeaders.map((text, at) => (at % 2 ? `${text}\r\n` : `${text}: `)).join("");
    onward.write(`${method} ${url} HTTP/1.1\r\n${lines}\r\n`);
    onward.write(head);
    onward.pipe(socket).pipe(onward);
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ]) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
    socket.on("close", () => sockets.delete(socket));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  proxy.url = `http://127.0.0.1:${server.address().port}`;
  proxy.cut = () => sockets.forEach((socket) => socket.destroy());
  proxy.stop = () => {
    proxy.cut();
    server.closeAllConnections();
    server.close();
  };
  return proxy;
}
