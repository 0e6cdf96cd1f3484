// Passes requests on to a server and remembers them as they came over the wire, so that also those are seen that the
// browser makes by itself, such as a prefetch, and that no page reports.

import { createServer, request } from "node:http";
import { once } from "node:events";

export async function relayTo(server) {
  const seen = [];
  const relay = createServer((incoming, outgoing) => {
    seen.push({ method: incoming.method, path: incoming.url, purpose: incoming.headers["sec-purpose"] ?? "" });
    const { method, url, headers } = incoming;
    const passed = request({ host: "127.0.0.1", port: server.port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    passed.on("error", () => outgoing.destroy());
    incoming.pipe(passed);
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  return {
    url: `http://127.0.0.1:${relay.address().port}`,
    seen,
    async close() {
      relay.closeAllConnections();
      relay.close();
      await once(relay, "close");
    },
  };
}
