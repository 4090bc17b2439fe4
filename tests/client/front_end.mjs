// A bare front end on another origin: REST, polling and WebSocket as a browser would use them.

import { ask, connect, next, options, report } from "./market.mjs";

const { origin } = options;

async function headersOf(path, init = {}) {
  const answer = await fetch(options.url + path, { ...init, headers: { Origin: origin, ...init.headers } });
  const body = await answer.text();
  return { status: answer.status, allowed: answer.headers.get("access-control-allow-origin"), body };
}

async function quoteOver(transports) {
  const socket = connect({ transports, extraHeaders: { Origin: origin }, reconnection: false });
  const refusal = next(socket, "connect_error").then((error) => ({ refused: error.message }));
  const quote = (async () => {
    await next(socket, "connection_status");
    const update = next(socket, "symbol_update");
    await ask(socket, "subscribe_symbol", { symbol: "NIFTY" });
    return { quote: (await update).symbol };
  })();
  const outcome = await Promise.race([refusal, quote]);
  socket.disconnect();
  return outcome;
}

const preflight = { method: "OPTIONS", headers: { "Access-Control-Request-Method": "GET" } };
report({
  rest: await headersOf("/api/spot_price/NIFTY"),
  preflight: await headersOf("/api/spot_price/NIFTY", preflight),
  handshake: await headersOf("/socket.io/?EIO=4&transport=polling"),
  polling: await quoteOver(["polling"]),
  websocket: await quoteOver(["websocket"]),
  upgrade: await quoteOver(["polling", "websocket"]),
});
