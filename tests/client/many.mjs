// Connect many clients at once, have each follow a chain, and tell how they fared.

import { ask, connect, options } from "./market.mjs";

// whoever is told nothing at all by then was lost, and is counted so
const late = () => new Promise((resolve) => setTimeout(() => resolve({ success: false, message: "nothing came" }), options.patience_ms).unref());
const fates = await Promise.all(
  Array.from({ length: options.count }, async () => {
    const socket = connect({ reconnection: false, timeout: 15000 });
    const fate = { connected: false, updates: 0, lost: "", edge: "" };
    socket.on("connect_error", (error) => (fate.lost ||= `connect_error ${error.message}`));
    socket.on("disconnect", (reason) => (fate.lost ||= reason));
    socket.onAny((event) => (fate.updates += event.startsWith("option_chain") ? 1 : 0));
    await Promise.race([
      new Promise((resolve) => socket.once("connect", resolve)),
      new Promise((resolve) => socket.once("connect_error", resolve)),
      // an engine that opened and was lost before its namespace answered says neither
      new Promise((resolve) => socket.io.once("close", resolve)),
      late(),
    ]);
    if (!socket.connected) {
      fate.lost ||= "never connected";
      return { socket, fate };
    }
    fate.connected = true;
    fate.edge = socket.io.engine.id.split(".")[0];
    const gone = new Promise((resolve) => socket.once("disconnect", () => resolve({ success: false })));
    const asked = ask(socket, "subscribe_option_chain", { symbol: "NIFTY", strikes: 5 });
    const answer = await Promise.race([asked, gone, late()]);
    if (!answer.success) fate.lost ||= JSON.stringify(answer);
    return { socket, fate };
  }),
);
const until = Date.now() + options.patience_ms;
while (Date.now() < until && fates.some(({ fate }) => fate.connected && !fate.lost && fate.updates < 6)) {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
const told = fates.map(({ fate }) => ({ ...fate }));
for (const { socket } of fates) socket.disconnect();
// a poll that nobody answers would keep this process for as long as it waits
process.stdout.write(JSON.stringify(told), () => process.exit(0));
